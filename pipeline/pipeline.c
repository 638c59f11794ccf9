/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline/pipeline.h"

#include <stdlib.h>
#include <string.h>

#include "audio/mix.h"
#include "bnn/net.h"
#include "dsp/enhancer.h"
#include "dsp/mel.h"
#include "dsp/resampler.h"
#include "dsp/window.h"
#include "exits/policy.h"
#include "exits/posterior.h"

#define BLOCK_FRAMES 512 /* of the source, converted at a time */

struct kws_pipeline {
	const struct kws_model *model;
	struct kws_pipeline_sink sink;
	/* the stream's format */
	unsigned rate_hz;
	unsigned channels;
	unsigned channel;
	uint64_t frames;    /* of the source since open, lost ones included */
	uint64_t opened_at; /* stats.samples then */
	/* source frames to blocks of 10 ms at 16 kHz */
	struct kws_resampler *resampler;
	int resampler_quality;
	float block[KWS_HOP_SAMPLES];
	size_t block_fill;
	struct kws_level level;
	struct kws_enhancer *enhancer;
	struct kws_enhancer_config enhancer_config;
	size_t quiet_blocks; /* since the last block of speech */
	/* blocks to frames to the window */
	float frame[KWS_FRAME_SAMPLES];
	size_t frame_fill;
	struct kws_mel *mel;
	struct kws_window_buffer window;
	/* the window to a decision */
	size_t hop_frames;
	size_t frames_to_hop;
	bool first_hop; /* since the stream began: no earlier window to go on from */
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

static void restart_window(struct kws_pipeline *pipeline)
{
	pipeline->block_fill = 0;
	pipeline->frame_fill = 0;
	pipeline->frames_to_hop = 0;
	pipeline->first_hop = true;
	pipeline->quiet_blocks = 0;
	kws_window_init(&pipeline->window);
	kws_detector_reset(pipeline->detector);
}

static int allocate(struct kws_pipeline *pipeline)
{
	size_t labels = kws_model_label_count(pipeline->model);
	pipeline->posteriors = calloc(labels, sizeof(*pipeline->posteriors));
	pipeline->events = calloc(labels, sizeof(*pipeline->events));
	if (pipeline->posteriors == NULL || pipeline->events == NULL) {
		return KWS_ENOMEM;
	}
	int result = kws_mel_create(&pipeline->mel);
	if (result == 0) {
		result = kws_net_create(&pipeline->net, pipeline->model, pipeline->hop_frames);
	}
	if (result == 0) {
		result = kws_detector_create(&pipeline->detector, labels);
	}
	if (result == 0) {
		result = kws_enhancer_create(&pipeline->enhancer, &pipeline->enhancer_config);
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
	pipeline->hop_frames = (size_t)config->model.hop_frames;
	pipeline->resampler_quality = config->dsp.resampler_quality;
	pipeline->silence_label = find_label(model, "_silence_");
	pipeline->enhancer_config = (struct kws_enhancer_config){
		.denoise = config->dsp.denoise,
		.denoise_db = config->dsp.denoise_db,
		.agc = config->dsp.agc,
		.agc_level = config->dsp.agc_level,
		.vad = config->dsp.vad,
		.vad_start_percent = config->dsp.vad_start_percent,
		.vad_continue_percent = config->dsp.vad_continue_percent,
	};
	result = allocate(pipeline);
	if (result != 0) {
		kws_pipeline_destroy(pipeline);
		return kws_fail(
			error, result, "cannot set up the pipeline: %s", kws_strerror(result));
	}
	kws_pipeline_configure(pipeline, config);
	restart_window(pipeline);
	*out = pipeline;
	return 0;
}

void kws_pipeline_destroy(struct kws_pipeline *pipeline)
{
	if (pipeline == NULL) {
		return;
	}
	kws_resampler_destroy(pipeline->resampler);
	kws_enhancer_destroy(pipeline->enhancer);
	kws_mel_destroy(pipeline->mel);
	kws_net_destroy(pipeline->net);
	kws_detector_destroy(pipeline->detector);
	free(pipeline->posteriors);
	free(pipeline->events);
	free(pipeline);
}

int kws_pipeline_open(struct kws_pipeline *pipeline, unsigned rate_hz, unsigned channels,
	unsigned channel, struct kws_error *error)
{
	if (channel > channels) {
		return kws_fail(error, KWS_EINVAL, "there is no channel %u: the device has %u",
			channel, channels);
	}
	struct kws_resampler *resampler;
	int result = kws_resampler_create(&resampler, rate_hz, pipeline->resampler_quality);
	if (result != 0) {
		return kws_fail(error, result, "cannot convert from %u Hz: %s", rate_hz,
			kws_strerror(result));
	}
	kws_resampler_destroy(pipeline->resampler);
	pipeline->resampler = resampler;
	pipeline->rate_hz = rate_hz;
	pipeline->channels = channels;
	pipeline->channel = channel;
	pipeline->frames = 0;
	pipeline->opened_at = pipeline->stats.samples;
	kws_level_init(&pipeline->level);
	restart_window(pipeline);
	return 0;
}

void kws_pipeline_gap(struct kws_pipeline *pipeline, uint64_t lost_frames)
{
	pipeline->stats.gaps++;
	/* from the source's frames: what block and resampler still held is lost as well */
	pipeline->frames += lost_frames;
	pipeline->stats.samples =
		pipeline->opened_at + pipeline->frames * KWS_SAMPLE_RATE_HZ / pipeline->rate_hz;
	kws_resampler_reset(pipeline->resampler);
	restart_window(pipeline);
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

static void begin_window(struct kws_pipeline *pipeline)
{
	const float *frames = kws_window_frames(&pipeline->window);
	if (pipeline->first_hop) {
		kws_net_begin(pipeline->net, frames);
	} else {
		kws_net_advance(pipeline->net, frames);
	}
	pipeline->first_hop = false;
}

static void decide(struct kws_pipeline *pipeline)
{
	struct kws_hop hop = {
		.hop = pipeline->stats.hops++,
		.sample = pipeline->stats.samples,
		.exits = kws_model_graph(pipeline->model)->exit_count,
		.posteriors = pipeline->posteriors,
	};
	begin_window(pipeline);
	if (pipeline->quiet_blocks >= KWS_WINDOW_FRAMES) {
		answer_silence(pipeline);
	} else {
		run_network(pipeline, &hop);
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

static void take_frame(struct kws_pipeline *pipeline)
{
	float features[KWS_MEL_BANDS];
	kws_mel_frame(pipeline->mel, pipeline->frame, features);
	kws_window_push(&pipeline->window, features);
	pipeline->frame_fill = KWS_FRAME_SAMPLES - KWS_HOP_SAMPLES;
	memmove(pipeline->frame, pipeline->frame + KWS_HOP_SAMPLES,
		pipeline->frame_fill * sizeof(float));
	if (!kws_window_full(&pipeline->window)) {
		return;
	}
	if (pipeline->frames_to_hop == 0) {
		pipeline->frames_to_hop = pipeline->hop_frames;
		decide(pipeline);
	}
	pipeline->frames_to_hop--;
}

/* 10 ms at 16 kHz. A frame is not a whole number of blocks, so one may end inside a block. */
static void take_block(struct kws_pipeline *pipeline)
{
	kws_level_push(&pipeline->level, pipeline->block);
	bool speech = kws_enhancer_process(pipeline->enhancer, pipeline->block);
	pipeline->quiet_blocks = speech ? 0 : pipeline->quiet_blocks + 1;
	size_t used = 0;
	while (used < KWS_HOP_SAMPLES) {
		size_t room = KWS_FRAME_SAMPLES - pipeline->frame_fill;
		size_t count = KWS_HOP_SAMPLES - used < room ? KWS_HOP_SAMPLES - used : room;
		memcpy(pipeline->frame + pipeline->frame_fill, pipeline->block + used,
			count * sizeof(float));
		used += count;
		pipeline->frame_fill += count;
		pipeline->stats.samples += count;
		if (pipeline->frame_fill == KWS_FRAME_SAMPLES) {
			take_frame(pipeline);
		}
	}
}

static void take_mono(struct kws_pipeline *pipeline, const float *samples, size_t count)
{
	while (count > 0) {
		size_t used = count;
		size_t made = KWS_HOP_SAMPLES - pipeline->block_fill;
		kws_resampler_process(pipeline->resampler, samples, &used,
			pipeline->block + pipeline->block_fill, &made);
		samples += used;
		count -= used;
		pipeline->block_fill += made;
		if (pipeline->block_fill == KWS_HOP_SAMPLES) {
			pipeline->block_fill = 0;
			take_block(pipeline);
		}
	}
}

void kws_pipeline_push(struct kws_pipeline *pipeline, const int16_t *frames, size_t count)
{
	float mono[BLOCK_FRAMES];
	pipeline->frames += count;
	while (count > 0) {
		size_t now = count < BLOCK_FRAMES ? count : BLOCK_FRAMES;
		kws_mix_to_mono(frames, now, pipeline->channels, pipeline->channel, mono);
		take_mono(pipeline, mono, now);
		frames += now * pipeline->channels;
		count -= now;
	}
}

const struct kws_level *kws_pipeline_level(const struct kws_pipeline *pipeline)
{
	return &pipeline->level;
}

void kws_pipeline_stats(const struct kws_pipeline *pipeline, struct kws_pipeline_stats *out)
{
	*out = pipeline->stats;
	out->warm = kws_window_full(&pipeline->window);
}
