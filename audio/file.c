/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sndfile.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "audio/mix.h"
#include "audio/sources.h"
#include "common/clock.h"

#define BLOCKS_PER_S 50  /* at real-time pace */
#define RATE_MIN_HZ 4000 /* below, a small file would be days of audio */
#define RATE_MAX_HZ 768000

/* A sound file of any format that libsndfile reads. */
struct kws_source {
	struct kws_feed *feed;
	pthread_t thread;
	bool started;
	bool realtime;
	const char *path;
	SNDFILE *file;
	SF_INFO info;
	size_t block_frames;
	float *floats;
	int16_t *frames;
};

/* As floats: then every encoding has the same scale, and 16 bit comes back as it was. */
static size_t read_block(struct kws_source *source)
{
	sf_count_t count =
		sf_readf_float(source->file, source->floats, (sf_count_t)source->block_frames);
	if (count <= 0) {
		return 0;
	}
	size_t samples = (size_t)count * (size_t)source->info.channels;
	kws_mix_to_int16(source->floats, samples, source->frames);
	return (size_t)count;
}

static void finish(struct kws_source *source)
{
	if (sf_error(source->file) == SF_ERR_NO_ERROR) {
		kws_feed_end(source->feed, 0, "end of file");
		return;
	}
	struct kws_error error;
	kws_fail(&error, KWS_EIO, "cannot read '%s' to its end: %s", source->path,
		sf_strerror(source->file));
	kws_feed_end(source->feed, KWS_EIO, error.text);
}

static void *run(void *arg)
{
	struct kws_source *source = arg;
	uint64_t start_ns = kws_clock_monotonic_ns();
	uint64_t total = 0;
	size_t count;
	while ((count = read_block(source)) > 0) {
		if (!source->realtime) {
			if (!kws_feed_write_all(source->feed, source->frames, count)) {
				return NULL;
			}
			continue;
		}
		total += count;
		uint64_t played_ns = kws__frames_ns(total, (unsigned)source->info.samplerate);
		if (!kws_feed_sleep_until(source->feed, start_ns + played_ns)) {
			return NULL;
		}
		kws_feed_write(source->feed, source->frames, count);
	}
	finish(source);
	return NULL;
}

static void file_close(struct kws_source *source)
{
	if (source->started) {
		kws_feed_stop(source->feed);
		pthread_join(source->thread, NULL);
	}
	if (source->file != NULL) {
		sf_close(source->file);
	}
	free(source->floats);
	free(source->frames);
	free(source);
}

/* open(2) first: its errno tells a missing file from an unreadable one, libsndfile does not. */
static int open_sound(struct kws_source *source, struct kws_error *error)
{
	int fd = open(source->path, O_RDONLY | O_CLOEXEC);
	if (fd < 0) {
		int code = errno == ENOENT ? KWS_ENOENT : KWS_EIO;
		return kws_fail(error, code, "cannot open '%s': %s", source->path, strerror(errno));
	}
	source->file = sf_open_fd(fd, SFM_READ, &source->info, SF_TRUE);
	if (source->file == NULL) {
		return kws_fail(error, KWS_EFORMAT, "cannot read '%s': %s", source->path,
			sf_strerror(NULL));
	}
	if (source->info.channels > KWS_CHANNELS_MAX) {
		return kws_fail(error, KWS_EUNSUPPORTED, "'%s' has %d channels, more than %d",
			source->path, source->info.channels, KWS_CHANNELS_MAX);
	}
	if (source->info.samplerate < RATE_MIN_HZ || source->info.samplerate > RATE_MAX_HZ) {
		return kws_fail(error, KWS_EUNSUPPORTED,
			"'%s' has a sample rate of %d Hz, not %d to %d", source->path,
			source->info.samplerate, RATE_MIN_HZ, RATE_MAX_HZ);
	}
	return 0;
}

static int alloc_block(struct kws_source *source, struct kws_error *error)
{
	source->block_frames = KWS_FEED_CHUNK_FRAMES;
	if (source->realtime) {
		source->block_frames = (size_t)source->info.samplerate / BLOCKS_PER_S + 1;
	}
	size_t samples = source->block_frames * (size_t)source->info.channels;
	source->floats = calloc(samples, sizeof(*source->floats));
	source->frames = calloc(samples, sizeof(*source->frames));
	if (source->floats == NULL || source->frames == NULL) {
		return kws_fail(error, KWS_ENOMEM, "out of memory");
	}
	return 0;
}

static int file_open(struct kws_source **out, const struct kws_source_config *config,
	struct kws_source_info *info, struct kws_error *error)
{
	if (config->path == NULL || config->path[0] == '\0') {
		return kws_fail(error, KWS_EINVAL, "the file source needs the path of a file");
	}
	struct kws_source *source = calloc(1, sizeof(*source));
	if (source == NULL) {
		return kws_fail(error, KWS_ENOMEM, "out of memory");
	}
	source->path = config->path;
	source->realtime = config->realtime;
	int result = open_sound(source, error);
	if (result == 0) {
		result = alloc_block(source, error);
	}
	if (result < 0) {
		file_close(source);
		return result;
	}
	info->format.rate_hz = (unsigned)source->info.samplerate;
	info->format.channels = (unsigned)source->info.channels;
	snprintf(info->device, sizeof(info->device), "%s", config->path);
	*out = source;
	return 0;
}

static int file_start(struct kws_source *source, struct kws_feed *feed, struct kws_error *error)
{
	source->feed = feed;
	if (pthread_create(&source->thread, NULL, run, source) != 0) {
		return kws_fail(error, KWS_ENOMEM, "cannot start a thread");
	}
	source->started = true;
	return 0;
}

const struct kws_source_ops kws__source_file = {
	.name = "file",
	.live = false,
	.open = file_open,
	.start = file_start,
	.close = file_close,
};
