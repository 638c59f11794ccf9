/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KWS_PIPELINE_FRONT_END_H
#define KWS_PIPELINE_FRONT_END_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/error.h"
#include "config/config.h"
#include "dsp/level.h"

/* From a source's frames to the windows that the network sees: mix, resample, enhance, log-mel,
 * rolling window. The same frames give the same windows at the same positions, however they are cut
 * into blocks. */
struct kws_front_end;

/* One hop's window; valid during the callback. */
struct kws_front_end_window {
	const float *frames; /* [KWS_WINDOW_FRAMES][KWS_MEL_BANDS], oldest first */
	uint64_t sample;     /* its end: 16 kHz samples since create, lost ones included */
	bool first;          /* of a stream, or after a gap: there is none to go on from */
	bool speech;         /* some of it is speech; always true without [dsp] vad */
};

struct kws_front_end_sink {
	void (*window)(void *user, const struct kws_front_end_window *window);
	void *user;
};

/* [model] hop_frames, [dsp] and [clips] preroll_ms of `config` are fixed here; it is not kept.
 * Errors: KWS_ENOMEM. Thread: any; all calls on one front end must come from one thread. */
int kws_front_end_create(struct kws_front_end **out, const struct kws_config *config,
	const struct kws_front_end_sink *sink);

/* Accepts NULL. */
void kws_front_end_destroy(struct kws_front_end *front);

/* See kws_pipeline_open(), kws_pipeline_push() and kws_pipeline_gap(). */
int kws_front_end_open(struct kws_front_end *front, unsigned rate_hz, unsigned channels,
	unsigned channel, struct kws_error *error);
void kws_front_end_push(struct kws_front_end *front, const int16_t *frames, size_t count);
void kws_front_end_gap(struct kws_front_end *front, uint64_t lost_frames);

/* Loudness of the stream as it came, before enhancement. RT-safe: yes, like the ones below. */
const struct kws_level *kws_front_end_level(const struct kws_front_end *front);

/* 16 kHz samples since create, lost ones included. */
uint64_t kws_front_end_samples(const struct kws_front_end *front);

/* The latest samples, oldest first, of at most [clips] preroll_ms; see kws_preroll_copy(). */
size_t kws_front_end_preroll(
	const struct kws_front_end *front, int16_t *samples, size_t max, uint64_t *end);

/* Whether a whole window of real frames is in. */
bool kws_front_end_warm(const struct kws_front_end *front);

#endif
