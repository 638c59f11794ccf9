/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "audio/sources.h"

#define SAMPLE_BYTES 2

/* Raw little-endian 16-bit frames from a pipe, a socket or a file that is already open. Whoever
 * writes does not know of our opens and closes: they may fall into the middle of a frame. */
struct kws_source {
	struct kws_feed *feed;
	pthread_t thread;
	bool started;
	int fd;
	int stop_pipe[2]; /* closing the writing end interrupts a wait for input */
	size_t frame_bytes;
	uint64_t *taken; /* over all opens; the next line, if the opener does not care */
	uint64_t taken_here;
	size_t held; /* bytes in `bytes` */
	bool broken; /* the first frame: its beginning went to the source before this one */
	unsigned char bytes[KWS_FEED_CHUNK_FRAMES * KWS_CHANNELS_MAX * SAMPLE_BYTES];
	int16_t frames[KWS_FEED_CHUNK_FRAMES * KWS_CHANNELS_MAX];
};

/* True when a read will not block, false when the source is being closed. */
static bool wait_for_input(struct kws_source *source)
{
	struct pollfd fds[2] = {
		{.fd = source->fd, .events = POLLIN},
		{.fd = source->stop_pipe[0], .events = POLLIN},
	};
	while (poll(fds, 2, -1) < 0) {
		if (errno != EINTR && errno != EAGAIN) {
			return true; /* the read will say what is wrong */
		}
	}
	return fds[1].revents == 0;
}

/* Appends what is there to `bytes`. Returns read(2)'s result; -1 with errno EAGAIN: try again. */
static ssize_t read_bytes(struct kws_source *source)
{
	size_t room = KWS_FEED_CHUNK_FRAMES * source->frame_bytes - source->held;
	ssize_t got = read(source->fd, source->bytes + source->held, room);
	if (got > 0) {
		source->held += (size_t)got;
		*source->taken += (uint64_t)got;
	}
	return got;
}

/* Writes the whole frames of `bytes`; the bytes of a frame that is not complete stay. */
static bool write_frames(struct kws_source *source)
{
	size_t count = source->held / source->frame_bytes;
	size_t used = count * source->frame_bytes;
	for (size_t i = 0; i < used / SAMPLE_BYTES; i++) {
		unsigned value = source->bytes[2 * i] | (unsigned)source->bytes[2 * i + 1] << 8;
		source->frames[i] = (int16_t)(uint16_t)value;
	}
	source->held -= used;
	memmove(source->bytes, source->bytes + used, source->held);
	if (count == 0) {
		return true;
	}
	size_t skipped = source->broken ? 1 : 0;
	source->broken = false;
	const int16_t *first = source->frames + skipped * source->frame_bytes / SAMPLE_BYTES;
	return count == skipped || kws_feed_write_all(source->feed, first, count - skipped);
}

static void *run(void *arg)
{
	struct kws_source *source = arg;
	while (wait_for_input(source)) {
		ssize_t got = read_bytes(source);
		if (got == 0) {
			kws_feed_end(source->feed, 0, "end of input");
			return NULL;
		}
		if (got < 0 && errno != EINTR && errno != EAGAIN) {
			struct kws_error error;
			kws_fail(&error, KWS_EIO, "cannot read the input: %s", strerror(errno));
			kws_feed_end(source->feed, KWS_EIO, error.text);
			return NULL;
		}
		if (got > 0 && !write_frames(source)) {
			return NULL;
		}
	}
	return NULL;
}

static int stdin_open(struct kws_source **out, const struct kws_source_config *config,
	struct kws_source_info *info, struct kws_error *error)
{
	if (config->rate_hz == 0 || config->channels == 0 || config->channels > KWS_CHANNELS_MAX) {
		return kws_fail(error, KWS_EINVAL,
			"raw input needs its rate_hz and its channels (1 to %d)", KWS_CHANNELS_MAX);
	}
	if (fcntl(config->fd, F_GETFL) < 0) {
		return kws_fail(error, KWS_EIO, "the input is not open: %s", strerror(errno));
	}
	struct kws_source *source = calloc(1, sizeof(*source));
	if (source == NULL) {
		return kws_fail(error, KWS_ENOMEM, "out of memory");
	}
	source->fd = config->fd;
	source->frame_bytes = config->channels * SAMPLE_BYTES;
	source->taken = config->taken != NULL ? config->taken : &source->taken_here;
	/* Counted from the first byte, so that it also fits if the channels were corrected since.
	 */
	source->held = (size_t)(*source->taken % source->frame_bytes);
	source->broken = source->held > 0;
	info->format.rate_hz = config->rate_hz;
	info->format.channels = config->channels;
	snprintf(info->device, sizeof(info->device), "stdin");
	*out = source;
	return 0;
}

static int stdin_start(struct kws_source *source, struct kws_feed *feed, struct kws_error *error)
{
	source->feed = feed;
	if (pipe(source->stop_pipe) != 0) {
		return kws_fail(error, KWS_EIO, "cannot create a pipe: %s", strerror(errno));
	}
	fcntl(source->stop_pipe[0], F_SETFD, FD_CLOEXEC);
	fcntl(source->stop_pipe[1], F_SETFD, FD_CLOEXEC);
	if (pthread_create(&source->thread, NULL, run, source) != 0) {
		close(source->stop_pipe[0]);
		close(source->stop_pipe[1]);
		return kws_fail(error, KWS_ENOMEM, "cannot start a thread");
	}
	source->started = true;
	return 0;
}

static void stdin_close(struct kws_source *source)
{
	if (source->started) {
		kws_feed_stop(source->feed);
		close(source->stop_pipe[1]);
		pthread_join(source->thread, NULL);
		close(source->stop_pipe[0]);
	}
	free(source);
}

const struct kws_source_ops kws__source_stdin = {
	.name = "stdin",
	.live = false,
	.open = stdin_open,
	.start = stdin_start,
	.close = stdin_close,
};
