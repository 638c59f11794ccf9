/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/clip.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "audio/mix.h"
#include "cli/audio-file.h"
#include "dsp/mel.h"
#include "dsp/resampler.h"

#define SAMPLES_MAX (600u * KWS_SAMPLE_RATE_HZ)
#define BLOCK_FRAMES 512

struct reader {
	const struct kws_config *config;
	struct kws_clip *clip;
	size_t capacity;
	unsigned channels;
	unsigned rate_hz;
	uint64_t frames; /* of the file */
	struct kws_resampler *resampler;
};

static int open_clip(void *user, const struct kws_audio_format *format, struct kws_error *error)
{
	struct reader *reader = user;
	unsigned channel = (unsigned)reader->config->audio.channel;
	if (channel > format->channels) {
		return kws_fail(error, KWS_EINVAL, "there is no channel %u: the file has %u",
			channel, format->channels);
	}
	reader->channels = format->channels;
	reader->rate_hz = format->rate_hz;
	int result = kws_resampler_create(
		&reader->resampler, format->rate_hz, reader->config->dsp.resampler_quality);
	return result == 0 ? 0
			   : kws_fail(error, result, "cannot convert from %u Hz", format->rate_hz);
}

static int make_room(struct reader *reader, size_t more, struct kws_error *error)
{
	size_t needed = reader->clip->count + more;
	if (needed <= reader->capacity) {
		return 0;
	}
	if (needed > SAMPLES_MAX) {
		return kws_fail(error, KWS_EUNSUPPORTED,
			"longer than %u minutes: a clip is a second, `kws scan` takes streams",
			SAMPLES_MAX / KWS_SAMPLE_RATE_HZ / 60);
	}
	size_t capacity = needed + needed / 2;
	float *grown = realloc(reader->clip->samples, capacity * sizeof(*grown));
	if (grown == NULL) {
		return kws_fail(error, KWS_ENOMEM, "out of memory");
	}
	reader->clip->samples = grown;
	reader->capacity = capacity;
	return 0;
}

static int add_mono(struct reader *reader, const float *mono, size_t count, struct kws_error *error)
{
	while (count > 0) {
		int result = make_room(reader, KWS_SAMPLE_RATE_HZ, error);
		if (result != 0) {
			return result;
		}
		size_t used = count;
		size_t made = reader->capacity - reader->clip->count;
		kws_resampler_process(reader->resampler, mono, &used,
			reader->clip->samples + reader->clip->count, &made);
		reader->clip->count += made;
		mono += used;
		count -= used;
	}
	return 0;
}

static int add_frames(void *user, const int16_t *frames, size_t count, struct kws_error *error)
{
	struct reader *reader = user;
	int result = 0;
	while (count > 0 && result == 0) {
		float mono[BLOCK_FRAMES];
		size_t now = count < BLOCK_FRAMES ? count : BLOCK_FRAMES;
		kws_mix_to_mono(frames, now, reader->channels,
			(unsigned)reader->config->audio.channel, mono);
		result = add_mono(reader, mono, now, error);
		frames += now * reader->channels;
		reader->frames += now;
		count -= now;
	}
	return result;
}

/* Behind the last frame the filter still holds what belongs to the end of the clip. */
static int end_clip(struct reader *reader, struct kws_error *error)
{
	static const float zeros[BLOCK_FRAMES];
	size_t left = kws_resampler_latency(reader->resampler);
	int result = 0;
	while (left > 0 && result == 0) {
		size_t now = left < BLOCK_FRAMES ? left : BLOCK_FRAMES;
		result = add_mono(reader, zeros, now, error);
		left -= now;
	}
	uint64_t rate_hz = reader->rate_hz;
	size_t whole = (size_t)((reader->frames * KWS_SAMPLE_RATE_HZ + rate_hz / 2) / rate_hz);
	reader->clip->count = reader->clip->count < whole ? reader->clip->count : whole;
	return result;
}

int kws_clip_read(struct kws_clip *clip, const char *path, const struct kws_config *config,
	struct kws_error *error)
{
	struct reader reader = {.config = config, .clip = clip};
	struct kws_audio_file_taker taker = {open_clip, add_frames, NULL, &reader};
	memset(clip, 0, sizeof(*clip));
	int result = kws_audio_file_read(path, &taker, error);
	if (result == 0 && reader.frames > 0) {
		result = end_clip(&reader, error);
	}
	kws_resampler_destroy(reader.resampler);
	if (result == 0 && clip->count == 0) {
		result = kws_fail(error, KWS_EFORMAT, "the file holds no audio");
	}
	if (result != 0) {
		kws_clip_finish(clip);
	}
	return result;
}

void kws_clip_finish(struct kws_clip *clip)
{
	free(clip->samples);
	clip->samples = NULL;
	clip->count = 0;
}
