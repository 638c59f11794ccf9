/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline/pipeline.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "bnn/net.h"
#include "dsp/mel.h"
#include "pipeline/front-end.h"
#include "pipeline/histogram.h"
#include "pipeline/resolve.h"

struct kws_pipeline {
	const struct kws_model *model;
	struct kws_pipeline_sink sink;
	struct kws_front_end *front;
	struct kws_net *net;
	struct kws_decider *decider;
	struct kws_pipeline_stats stats;
	struct kws_histogram hop_times;
};

static size_t find_label(const struct kws_model *model, const char *name)
{
	for (size_t i = 0; i < kws_model_label_count(model); i++) {
		if (strcmp(kws_model_label(model, i), name) == 0) {
			return i;
		}
	}
	return SIZE_MAX;
}

int kws_pipeline_check_input(const struct kws_model *model, struct kws_error *error)
{
	const struct kws_map_shape *input = &kws_model_graph(model)->maps[0];
	if (input->rows != KWS_WINDOW_FRAMES || input->bands != KWS_MEL_BANDS ||
		input->channels != 1) {
		return kws_fail(error, KWS_EMISMATCH,
			"the model's input is %zux%zux%zu, this program's window is %dx%dx1",
			input->rows, input->bands, input->channels, KWS_WINDOW_FRAMES,
			KWS_MEL_BANDS);
	}
	return 0;
}

int kws_pipeline_check(
	const struct kws_model *model, const struct kws_config *config, struct kws_error *error)
{
	for (size_t i = 0; i < config->keyword_count; i++) {
		const char *name = config->keywords[i].name;
		if (!kws_resolve_is_keyword(name) || find_label(model, name) == SIZE_MAX) {
			return kws_fail(error, KWS_EMISMATCH,
				"[keyword %s]: the model '%s' does not know this keyword", name,
				kws_model_name(model));
		}
	}
	struct kws_policy_settings policy;
	return kws_resolve_policy(&policy, model, config, error);
}

static void take_window(void *user, const struct kws_front_end_window *window);

static int allocate(
	struct kws_pipeline *pipeline, const struct kws_config *config, struct kws_error *error)
{
	const struct kws_front_end_sink sink = {take_window, pipeline};
	int result = kws_front_end_create(&pipeline->front, config, &sink);
	if (result == 0) {
		result = kws_net_create(
			&pipeline->net, pipeline->model, (size_t)config->model.hop_frames);
	}
	if (result != 0) {
		return kws_fail(
			error, result, "cannot set up the pipeline: %s", kws_strerror(result));
	}
	return kws_decider_create(&pipeline->decider, pipeline->model, config, error);
}

int kws_pipeline_create(struct kws_pipeline **out, const struct kws_model *model,
	const struct kws_config *config, const struct kws_pipeline_sink *sink,
	struct kws_error *error)
{
	int result = kws_pipeline_check_input(model, error);
	if (result != 0) {
		return result;
	}
	struct kws_pipeline *pipeline = calloc(1, sizeof(*pipeline));
	if (pipeline == NULL) {
		return kws_fail(error, KWS_ENOMEM, "out of memory");
	}
	pipeline->model = model;
	pipeline->sink = *sink;
	result = allocate(pipeline, config, error);
	if (result != 0) {
		kws_pipeline_destroy(pipeline);
		return result;
	}
	*out = pipeline;
	return 0;
}

void kws_pipeline_destroy(struct kws_pipeline *pipeline)
{
	if (pipeline == NULL) {
		return;
	}
	kws_front_end_destroy(pipeline->front);
	kws_net_destroy(pipeline->net);
	kws_decider_destroy(pipeline->decider);
	free(pipeline);
}

int kws_pipeline_open(struct kws_pipeline *pipeline, unsigned rate_hz, unsigned channels,
	unsigned channel, struct kws_error *error)
{
	int result = kws_front_end_open(pipeline->front, rate_hz, channels, channel, error);
	if (result == 0) {
		kws_decider_reset(pipeline->decider);
	}
	return result;
}

void kws_pipeline_skip(struct kws_pipeline *pipeline, uint64_t frames)
{
	kws_front_end_gap(pipeline->front, frames);
	kws_decider_reset(pipeline->decider);
}

void kws_pipeline_gap(struct kws_pipeline *pipeline, uint64_t lost_frames)
{
	pipeline->stats.gaps++;
	kws_pipeline_skip(pipeline, lost_frames);
}

void kws_pipeline_configure(struct kws_pipeline *pipeline, const struct kws_config *config)
{
	kws_decider_configure(pipeline->decider, config);
}

static const float *run_exit(void *user, size_t exit)
{
	struct kws_pipeline *pipeline = user;
	return kws_net_run_exit(pipeline->net, exit);
}

static void detect(struct kws_pipeline *pipeline, const struct kws_hop *hop)
{
	const struct kws_level *level = kws_front_end_level(pipeline->front);
	const struct kws_detector_event *events;
	size_t count = kws_decider_detect(pipeline->decider, hop, kws_level_rms_dbfs(level),
		kws_level_snr_db(level), &events);
	for (size_t i = 0; i < count; i++) {
		pipeline->stats.detections += events[i].type == KWS_DETECTOR_DETECTION;
		if (pipeline->sink.event != NULL) {
			pipeline->sink.event(pipeline->sink.user, &events[i]);
		}
	}
}

static uint64_t monotonic_ns(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static void take_window(void *user, const struct kws_front_end_window *window)
{
	struct kws_pipeline *pipeline = user;
	struct kws_hop hop = {
		.hop = pipeline->stats.hops++,
		.sample = window->sample,
	};
	uint64_t began_ns = monotonic_ns();
	if (window->first) {
		kws_net_begin(pipeline->net, window->frames);
	} else {
		kws_net_advance(pipeline->net, window->frames);
	}
	kws_decider_decide(pipeline->decider, window->speech ? run_exit : NULL, pipeline, &hop);
	kws_histogram_add(&pipeline->hop_times, monotonic_ns() - began_ns);
	pipeline->stats.hops_at_exit[hop.exit]++;
	if (pipeline->sink.hop != NULL) {
		pipeline->sink.hop(pipeline->sink.user, &hop);
	}
	detect(pipeline, &hop);
}

void kws_pipeline_push(struct kws_pipeline *pipeline, const int16_t *frames, size_t count)
{
	kws_front_end_push(pipeline->front, frames, count);
}

size_t kws_pipeline_preroll(
	const struct kws_pipeline *pipeline, int16_t *samples, size_t max, uint64_t *end)
{
	return kws_front_end_preroll(pipeline->front, samples, max, end);
}

const struct kws_level *kws_pipeline_level(const struct kws_pipeline *pipeline)
{
	return kws_front_end_level(pipeline->front);
}

void kws_pipeline_stats(const struct kws_pipeline *pipeline, struct kws_pipeline_stats *out)
{
	*out = pipeline->stats;
	out->samples = kws_front_end_samples(pipeline->front);
	out->warm = kws_front_end_warm(pipeline->front);
	out->net = kws_net_stats(pipeline->net);
}

uint64_t kws_pipeline_hop_ns(const struct kws_pipeline *pipeline, double share)
{
	return kws_histogram_percentile_ns(&pipeline->hop_times, share);
}
