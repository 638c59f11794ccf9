/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline/pipeline.h"

#include <stdlib.h>
#include <string.h>

#include "bnn/net.h"
#include "dsp/mel.h"
#include "exits/policy.h"
#include "exits/posterior.h"
#include "pipeline/front-end.h"

struct kws_pipeline {
	const struct kws_model *model;
	struct kws_pipeline_sink sink;
	struct kws_front_end *front;
	struct kws_net *net;
	const struct kws_policy_ops *policy;
	struct kws_policy_config policy_config;
	struct kws_detector *detector;
	float *posteriors;
	struct kws_detector_event *events;
	size_t silence_label; /* SIZE_MAX: the model has none */
	struct kws_pipeline_stats stats;
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

static bool is_keyword(const char *label)
{
	return label[0] != '_';
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
		if (!is_keyword(name) || find_label(model, name) == SIZE_MAX) {
			return kws_fail(error, KWS_EMISMATCH,
				"[keyword %s]: the model '%s' does not know this keyword", name,
				kws_model_name(model));
		}
	}
	return 0;
}

static void take_window(void *user, const struct kws_front_end_window *window);

static int allocate(struct kws_pipeline *pipeline, const struct kws_config *config)
{
	const struct kws_front_end_sink sink = {take_window, pipeline};
	size_t labels = kws_model_label_count(pipeline->model);
	pipeline->posteriors = calloc(labels, sizeof(*pipeline->posteriors));
	pipeline->events = calloc(labels, sizeof(*pipeline->events));
	if (pipeline->posteriors == NULL || pipeline->events == NULL) {
		return KWS_ENOMEM;
	}
	int result = kws_front_end_create(&pipeline->front, config, &sink);
	if (result == 0) {
		result = kws_net_create(
			&pipeline->net, pipeline->model, (size_t)config->model.hop_frames);
	}
	if (result == 0) {
		result = kws_detector_create(&pipeline->detector, labels);
	}
	return result;
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
	pipeline->silence_label = find_label(model, "_silence_");
	result = allocate(pipeline, config);
	if (result != 0) {
		kws_pipeline_destroy(pipeline);
		return kws_fail(
			error, result, "cannot set up the pipeline: %s", kws_strerror(result));
	}
	kws_pipeline_configure(pipeline, config);
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
	kws_detector_destroy(pipeline->detector);
	free(pipeline->posteriors);
	free(pipeline->events);
	free(pipeline);
}

int kws_pipeline_open(struct kws_pipeline *pipeline, unsigned rate_hz, unsigned channels,
	unsigned channel, struct kws_error *error)
{
	int result = kws_front_end_open(pipeline->front, rate_hz, channels, channel, error);
	if (result == 0) {
		kws_detector_reset(pipeline->detector);
	}
	return result;
}

void kws_pipeline_skip(struct kws_pipeline *pipeline, uint64_t frames)
{
	kws_front_end_gap(pipeline->front, frames);
	kws_detector_reset(pipeline->detector);
}

void kws_pipeline_gap(struct kws_pipeline *pipeline, uint64_t lost_frames)
{
	pipeline->stats.gaps++;
	kws_pipeline_skip(pipeline, lost_frames);
}

void kws_pipeline_configure(struct kws_pipeline *pipeline, const struct kws_config *config)
{
	static const char *const policies[] = {
#define XX(name, text) [KWS_CONFIG_POLICY_##name] = text,
		KWS_CONFIG_POLICY_MAP(XX)
#undef XX
	};
	pipeline->policy = kws_policy_find(policies[config->exits.policy]);
	pipeline->policy_config.delta = (float)config->exits.delta;
	for (size_t i = 0; i < kws_model_label_count(pipeline->model); i++) {
		const char *label = kws_model_label(pipeline->model, i);
		struct kws_keyword_config keyword = kws_config_keyword(config, label);
		struct kws_detector_settings settings = {
			.enabled = is_keyword(label) && keyword.enabled,
			.threshold = (float)keyword.threshold,
			.smoothing_hops = (unsigned)keyword.smoothing_hops,
			.patience_hops = (unsigned)keyword.patience_hops,
			.refractory_samples =
				(uint64_t)keyword.refractory_ms * KWS_SAMPLE_RATE_HZ / 1000,
			.rearm = (float)config->detector.rearm,
			.candidate_threshold = (float)config->detector.candidate_threshold,
		};
		kws_detector_configure(pipeline->detector, i, &settings);
	}
}

/* Goes from exit to exit until the policy is content; leaves the posteriors of the last one. */
static void run_network(struct kws_pipeline *pipeline, struct kws_hop *hop)
{
	const struct kws_graph *graph = kws_model_graph(pipeline->model);
	struct kws_exit_output output = {
		.hop = hop->hop,
		.exits = graph->exit_count,
		.classes = graph->classes,
		.posteriors = pipeline->posteriors,
	};
	for (output.exit = 0; output.exit < graph->exit_count; output.exit++) {
		const float *logits = kws_net_run_exit(pipeline->net, output.exit);
		kws_posterior_softmax(logits, graph->classes, pipeline->posteriors);
		output.entropy = kws_posterior_entropy(pipeline->posteriors, graph->classes);
		if (kws_policy_stop(pipeline->policy, &pipeline->policy_config, &output)) {
			break;
		}
	}
	hop->exit = output.exit + 1;
	hop->entropy = output.entropy;
}

/* No speech in the whole window: the answer is silence, and no exit is asked. */
static void answer_silence(struct kws_pipeline *pipeline)
{
	memset(pipeline->posteriors, 0,
		kws_model_label_count(pipeline->model) * sizeof(*pipeline->posteriors));
	if (pipeline->silence_label != SIZE_MAX) {
		pipeline->posteriors[pipeline->silence_label] = 1.0f;
	}
}

static void take_window(void *user, const struct kws_front_end_window *window)
{
	struct kws_pipeline *pipeline = user;
	struct kws_hop hop = {
		.hop = pipeline->stats.hops++,
		.sample = window->sample,
		.exits = kws_model_graph(pipeline->model)->exit_count,
		.posteriors = pipeline->posteriors,
	};
	if (window->first) {
		kws_net_begin(pipeline->net, window->frames);
	} else {
		kws_net_advance(pipeline->net, window->frames);
	}
	if (window->speech) {
		run_network(pipeline, &hop);
	} else {
		answer_silence(pipeline);
	}
	hop.best = kws_posterior_best(pipeline->posteriors, kws_model_label_count(pipeline->model));
	pipeline->stats.hops_at_exit[hop.exit]++;
	if (pipeline->sink.hop != NULL) {
		pipeline->sink.hop(pipeline->sink.user, &hop);
	}
	size_t count = kws_detector_push(
		pipeline->detector, pipeline->posteriors, hop.hop, hop.sample, pipeline->events);
	for (size_t i = 0; i < count; i++) {
		pipeline->stats.detections += pipeline->events[i].type == KWS_DETECTOR_DETECTION;
		if (pipeline->sink.event != NULL) {
			pipeline->sink.event(pipeline->sink.user, &hop, &pipeline->events[i]);
		}
	}
}

void kws_pipeline_push(struct kws_pipeline *pipeline, const int16_t *frames, size_t count)
{
	kws_front_end_push(pipeline->front, frames, count);
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
}
