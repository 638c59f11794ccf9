/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KWS_PIPELINE_PIPELINE_H
#define KWS_PIPELINE_PIPELINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bnn/model.h"
#include "bnn/net.h"
#include "common/error.h"
#include "config/config.h"
#include "dsp/level.h"
#include "pipeline/decider.h"
#include "pipeline/model-set.h"
#include "pipeline/spotter.h"

/* The way of a sample from a source's frames to detections: mix, resample, enhance, log-mel,
 * window; then, for each model, network, exit policy, detector. kwsd feeds it live, `kws scan` from
 * a file: the same frames give the same hops and events at the same positions, however they are cut
 * into blocks, and each model the same as if it were alone. */
struct kws_pipeline;

/* Called from within kws_pipeline_push(), for each window in the order of the models: a model's
 * hop, then what it detected in it. Either may be NULL. */
struct kws_pipeline_sink {
	void (*hop)(void *user, const struct kws_model *model, const struct kws_hop *hop);
	void (*event)(
		void *user, const struct kws_model *model, const struct kws_detector_event *event);
	void *user;
};

/* What counts for a model is the sum over the present models. */
struct kws_pipeline_stats {
	uint64_t hops;                            /* windows since create */
	uint64_t hops_at_exit[KWS_EXITS_MAX + 1]; /* [0]: without speech, see kws_hop.exit */
	uint64_t detections;
	uint64_t gaps;
	uint64_t samples; /* 16 kHz samples since create, lost ones included */
	bool warm;        /* a whole window of real frames is in */
	struct kws_net_stats net;
};

/* The models must outlive the pipeline, or be exchanged; `config` is not kept. [model] hop_frames,
 * [dsp] and [clips] preroll_ms are fixed here, [exits], [detector] and the keywords can be changed
 * by kws_pipeline_configure(). Errors: KWS_ENOMEM, those of kws_spotter_create(), with a sentence.
 * Thread: any; all calls on one pipeline must come from one thread. */
int kws_pipeline_create(struct kws_pipeline **out, const struct kws_model_set *set,
	const struct kws_config *config, const struct kws_pipeline_sink *sink,
	struct kws_error *error);

/* Accepts NULL. */
void kws_pipeline_destroy(struct kws_pipeline *pipeline);

/* Goes over to other models between two hops, and to what kws_pipeline_configure() takes over.
 * Models that were there before (the same pointer) go on with all that they heard; a new one begins
 * with the next window, which is whole if it was. Those that left are not used any more. Errors: as
 * create; then nothing has changed. Not RT-safe. */
int kws_pipeline_exchange(struct kws_pipeline *pipeline, const struct kws_model_set *set,
	const struct kws_config *config, struct kws_error *error);

/* A stream begins, at first or again: its frames have this format, nothing of the past is used.
 * `channel` is 0 for the mix of all or 1..channels.
 * Errors: KWS_EINVAL (no such channel or rate), KWS_ENOMEM, with a sentence. */
int kws_pipeline_open(struct kws_pipeline *pipeline, unsigned rate_hz, unsigned channels,
	unsigned channel, struct kws_error *error);

/* Interleaved frames of the open stream. RT-safe but for the callbacks. */
void kws_pipeline_push(struct kws_pipeline *pipeline, const int16_t *frames, size_t count);

/* Frames were lost here: no decision until a window of real frames is in again. `lost_frames` (at
 * the stream's rate, 0 if unknown) keep the sample positions true. After open only. RT-safe. */
void kws_pipeline_gap(struct kws_pipeline *pipeline, uint64_t lost_frames);

/* The same for frames that are not to be listened to; no gap is counted. */
void kws_pipeline_skip(struct kws_pipeline *pipeline, uint64_t frames);

/* Takes [exits], [detector] and the keywords of `config` over, between two hops. It must have
 * passed kws_model_set_check(): exit settings that do not suit the model are not taken over.
 * RT-safe. */
void kws_pipeline_configure(struct kws_pipeline *pipeline, const struct kws_config *config);

/* The latest audio, of at most [clips] preroll_ms; see kws_preroll_copy(). */
size_t kws_pipeline_preroll(
	const struct kws_pipeline *pipeline, int16_t *samples, size_t max, uint64_t *end);

/* Loudness of the stream as it came, before enhancement. */
const struct kws_level *kws_pipeline_level(const struct kws_pipeline *pipeline);

/* Of one model, in their order; NULL after the last. Valid until an exchange. */
const struct kws_spotter *kws_pipeline_spotter(const struct kws_pipeline *pipeline, size_t index);

void kws_pipeline_stats(const struct kws_pipeline *pipeline, struct kws_pipeline_stats *out);

/* The time of all networks that `share` (0..1) of the windows do not exceed; see
 * kws_histogram_percentile_ns(). */
uint64_t kws_pipeline_hop_ns(const struct kws_pipeline *pipeline, double share);

#endif
