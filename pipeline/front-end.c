/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline/front-end.h"

#include <stdlib.h>
#include <string.h>

#include "audio/mix.h"
#include "dsp/enhancer.h"
#include "dsp/mel.h"
#include "dsp/resampler.h"
#include "dsp/window.h"
#include "pipeline/preroll.h"

#define BLOCK_FRAMES 512 /* of the source, converted at a time */
/* that a window's samples are of: it has but half of the last one */
#define WINDOW_BLOCKS ((KWS_WINDOW_SAMPLES + KWS_HOP_SAMPLES - 1) / KWS_HOP_SAMPLES)

struct kws_front_end {
	struct kws_front_end_sink sink;
	/* the stream's format */
	unsigned rate_hz; /* 0: none was opened yet */
	unsigned channels;
	unsigned channel;
	uint64_t frames;    /* of the source since open, lost ones included */
	uint64_t opened_at; /* samples then */
	uint64_t samples;   /* at 16 kHz since create, lost ones included */
	/* source frames to blocks of 10 ms at 16 kHz */
	struct kws_resampler *resampler;
	int resampler_quality;
	float block[KWS_HOP_SAMPLES];
	size_t block_fill;
	struct kws_level level;
	struct kws_enhancer_config enhancement;
	struct kws_enhancer *enhancer; /* what it learns of a room lasts over gaps, not over open */
	size_t held;                   /* samples that the enhancer has and the window not yet */
	size_t quiet_blocks;           /* since the last block of speech, until none is left */
	struct kws_preroll *preroll;   /* NULL: none is kept */
	/* blocks to frames to the window */
	float frame[KWS_FRAME_SAMPLES];
	size_t frame_fill;
	struct kws_mel *mel;
	struct kws_window_buffer window;
	size_t hop_frames;
	size_t frames_to_hop;
	bool first_hop; /* since the stream began: no earlier window to go on from */
};

static void restart_window(struct kws_front_end *front)
{
	front->block_fill = 0;
	front->held = 0;
	front->frame_fill = 0;
	front->frames_to_hop = 0;
	front->first_hop = true;
	front->quiet_blocks = 0;
	kws_window_init(&front->window);
	if (front->preroll != NULL) {
		kws_preroll_clear(front->preroll);
	}
}

int kws_front_end_create(struct kws_front_end **out, const struct kws_config *config,
	const struct kws_front_end_sink *sink)
{
	struct kws_front_end *front = calloc(1, sizeof(*front));
	if (front == NULL) {
		return KWS_ENOMEM;
	}
	front->sink = *sink;
	front->hop_frames = (size_t)config->model.hop_frames;
	front->resampler_quality = config->dsp.resampler_quality;
	front->enhancement = (struct kws_enhancer_config){
		.denoise = config->dsp.denoise,
		.denoise_db = config->dsp.denoise_db,
		.agc = config->dsp.agc,
		.agc_level = config->dsp.agc_level,
		.vad = config->dsp.vad,
		.vad_start_percent = config->dsp.vad_start_percent,
		.vad_continue_percent = config->dsp.vad_continue_percent,
	};
	int result = kws_mel_create(&front->mel);
	if (result == 0 && config->clips.preroll_ms > 0) {
		result = kws_preroll_create(&front->preroll,
			(size_t)config->clips.preroll_ms * KWS_SAMPLE_RATE_HZ / 1000);
	}
	if (result != 0) {
		kws_front_end_destroy(front);
		return result;
	}
	restart_window(front);
	*out = front;
	return 0;
}

void kws_front_end_destroy(struct kws_front_end *front)
{
	if (front == NULL) {
		return;
	}
	kws_resampler_destroy(front->resampler);
	kws_enhancer_destroy(front->enhancer);
	kws_mel_destroy(front->mel);
	kws_preroll_destroy(front->preroll);
	free(front);
}

/* By the source's frames: what block and resampler still hold is heard as well. */
static uint64_t heard_samples(const struct kws_front_end *front)
{
	return front->opened_at + front->frames * KWS_SAMPLE_RATE_HZ / front->rate_hz;
}

/* What treats the frames of a stream, without a past. On an error the present ones stay. */
static int renew_treatment(struct kws_front_end *front, unsigned rate_hz, struct kws_error *error)
{
	struct kws_resampler *resampler;
	struct kws_enhancer *enhancer;
	int result = kws_resampler_create(&resampler, rate_hz, front->resampler_quality);
	if (result != 0) {
		return kws_fail(error, result, "cannot convert from %u Hz: %s", rate_hz,
			kws_strerror(result));
	}
	result = kws_enhancer_create(&enhancer, &front->enhancement);
	if (result != 0) {
		kws_resampler_destroy(resampler);
		return kws_fail(error, result, "cannot enhance: %s", kws_strerror(result));
	}
	kws_resampler_destroy(front->resampler);
	kws_enhancer_destroy(front->enhancer);
	front->resampler = resampler;
	front->enhancer = enhancer;
	return 0;
}

int kws_front_end_open(struct kws_front_end *front, unsigned rate_hz, unsigned channels,
	unsigned channel, struct kws_error *error)
{
	if (channel > channels) {
		return kws_fail(error, KWS_EINVAL, "there is no channel %u: the device has %u",
			channel, channels);
	}
	int result = renew_treatment(front, rate_hz, error);
	if (result != 0) {
		return result;
	}
	if (front->rate_hz != 0) { /* the end of the last stream, of which a block may be left */
		front->samples = heard_samples(front);
	}
	front->rate_hz = rate_hz;
	front->channels = channels;
	front->channel = channel;
	front->frames = 0;
	front->opened_at = front->samples;
	kws_level_init(&front->level);
	restart_window(front);
	return 0;
}

void kws_front_end_gap(struct kws_front_end *front, uint64_t lost_frames)
{
	front->frames += lost_frames;
	front->samples = heard_samples(front); /* what was held is lost as well */
	kws_resampler_reset(front->resampler);
	kws_level_init(&front->level);
	restart_window(front);
}

/* Of the blocks that were judged, the enhancer holds the latest back from the window. */
static bool holds_speech(const struct kws_front_end *front)
{
	return front->quiet_blocks < WINDOW_BLOCKS + front->held / KWS_HOP_SAMPLES;
}

static void give_window(struct kws_front_end *front)
{
	const struct kws_front_end_window window = {
		.frames = kws_window_frames(&front->window),
		.sample = front->samples,
		.first = front->first_hop,
		.speech = holds_speech(front),
	};
	front->first_hop = false;
	front->sink.window(front->sink.user, &window);
}

static void take_frame(struct kws_front_end *front)
{
	float features[KWS_MEL_BANDS];
	kws_mel_frame(front->mel, front->frame, features);
	kws_window_push(&front->window, features);
	front->frame_fill = KWS_FRAME_SAMPLES - KWS_HOP_SAMPLES;
	memmove(front->frame, front->frame + KWS_HOP_SAMPLES, front->frame_fill * sizeof(float));
	if (!kws_window_full(&front->window)) {
		return;
	}
	if (front->frames_to_hop == 0) {
		front->frames_to_hop = front->hop_frames;
		give_window(front);
	}
	front->frames_to_hop--;
}

/* 10 ms at 16 kHz. A frame is not a whole number of blocks, so one may end inside a block. */
static void fill_frames(struct kws_front_end *front)
{
	size_t used = 0;
	while (used < KWS_HOP_SAMPLES) {
		size_t room = KWS_FRAME_SAMPLES - front->frame_fill;
		size_t count = KWS_HOP_SAMPLES - used < room ? KWS_HOP_SAMPLES - used : room;
		memcpy(front->frame + front->frame_fill, front->block + used,
			count * sizeof(float));
		used += count;
		front->frame_fill += count;
		front->samples += count;
		if (front->frame_fill == KWS_FRAME_SAMPLES) {
			take_frame(front);
		}
	}
}

static void take_block(struct kws_front_end *front)
{
	kws_level_push(&front->level, front->block);
	if (front->preroll != NULL) {
		kws_preroll_push(front->preroll, front->block,
			front->samples + front->held + KWS_HOP_SAMPLES);
	}
	bool speech = kws_enhancer_process(front->enhancer, front->block);
	if (speech) {
		front->quiet_blocks = 0;
	} else if (holds_speech(front)) {
		front->quiet_blocks++; /* no further: it would come round to 0 */
	}
	if (front->held < kws_enhancer_delay(front->enhancer)) {
		front->held += KWS_HOP_SAMPLES; /* what came out is of before a gap */
		return;
	}
	fill_frames(front);
}

static void take_mono(struct kws_front_end *front, const float *samples, size_t count)
{
	while (count > 0) {
		size_t used = count;
		size_t made = KWS_HOP_SAMPLES - front->block_fill;
		kws_resampler_process(
			front->resampler, samples, &used, front->block + front->block_fill, &made);
		samples += used;
		count -= used;
		front->block_fill += made;
		if (front->block_fill == KWS_HOP_SAMPLES) {
			front->block_fill = 0;
			take_block(front);
		}
	}
}

void kws_front_end_push(struct kws_front_end *front, const int16_t *frames, size_t count)
{
	float mono[BLOCK_FRAMES];
	front->frames += count;
	while (count > 0) {
		size_t now = count < BLOCK_FRAMES ? count : BLOCK_FRAMES;
		kws_mix_to_mono(frames, now, front->channels, front->channel, mono);
		take_mono(front, mono, now);
		frames += now * front->channels;
		count -= now;
	}
}

const struct kws_level *kws_front_end_level(const struct kws_front_end *front)
{
	return &front->level;
}

uint64_t kws_front_end_samples(const struct kws_front_end *front)
{
	return front->samples;
}

size_t kws_front_end_preroll(
	const struct kws_front_end *front, int16_t *samples, size_t max, uint64_t *end)
{
	return front->preroll != NULL ? kws_preroll_copy(front->preroll, samples, max, end) : 0;
}

bool kws_front_end_warm(const struct kws_front_end *front)
{
	return kws_window_full(&front->window);
}
