/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline/pipeline.h"

#include <stdlib.h>
#include <string.h>

#include "pipeline/front-end.h"
#include "pipeline/histogram.h"

/* The spotters, one for each model, in the order of the models. */
struct spotters {
	size_t count;
	struct kws_spotter *items[KWS_CONFIG_MODELS_MAX];
};

struct kws_pipeline {
	struct kws_pipeline_sink sink;
	struct kws_front_end *front;
	struct spotters spotters;
	uint64_t hops;
	uint64_t gaps;
	struct kws_histogram hop_times; /* of all networks together */
};

static struct kws_spotter *find_spotter(
	const struct spotters *spotters, const struct kws_model *model)
{
	for (size_t i = 0; i < spotters->count; i++) {
		if (kws_spotter_model(spotters->items[i]) == model) {
			return spotters->items[i];
		}
	}
	return NULL;
}

/* Destroys those that are not in `kept` as well. */
static void drop_spotters(const struct spotters *spotters, const struct spotters *kept)
{
	for (size_t i = 0; i < spotters->count; i++) {
		struct kws_spotter *spotter = spotters->items[i];
		if (find_spotter(kept, kws_spotter_model(spotter)) == NULL) {
			kws_spotter_destroy(spotter);
		}
	}
}

int kws_pipeline_exchange(struct kws_pipeline *pipeline, const struct kws_model_set *set,
	const struct kws_config *config, struct kws_error *error)
{
	struct spotters next = {0};
	int result = 0;
	for (size_t i = 0; i < set->count && result == 0; i++) {
		struct kws_spotter *spotter = find_spotter(&pipeline->spotters, set->models[i]);
		if (spotter == NULL) {
			result = kws_spotter_create(&spotter, set->models[i], config, error);
		}
		if (result == 0) {
			next.items[next.count++] = spotter;
		}
	}
	if (result != 0) {
		drop_spotters(&next, &pipeline->spotters);
		return result;
	}
	drop_spotters(&pipeline->spotters, &next);
	pipeline->spotters = next;
	kws_pipeline_configure(pipeline, config);
	return 0;
}

static void take_window(void *user, const struct kws_front_end_window *window);

int kws_pipeline_create(struct kws_pipeline **out, const struct kws_model_set *set,
	const struct kws_config *config, const struct kws_pipeline_sink *sink,
	struct kws_error *error)
{
	struct kws_pipeline *pipeline = calloc(1, sizeof(*pipeline));
	if (pipeline == NULL) {
		return kws_fail(error, KWS_ENOMEM, "out of memory");
	}
	const struct kws_front_end_sink front_sink = {take_window, pipeline};
	pipeline->sink = *sink;
	int result = kws_front_end_create(&pipeline->front, config, &front_sink);
	if (result != 0) {
		kws_fail(error, result, "cannot set up the pipeline: %s", kws_strerror(result));
	} else {
		result = kws_pipeline_exchange(pipeline, set, config, error);
	}
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
	drop_spotters(&pipeline->spotters, &(struct spotters){0});
	kws_front_end_destroy(pipeline->front);
	free(pipeline);
}

static void reset_spotters(struct kws_pipeline *pipeline)
{
	for (size_t i = 0; i < pipeline->spotters.count; i++) {
		kws_spotter_reset(pipeline->spotters.items[i]);
	}
}

int kws_pipeline_open(struct kws_pipeline *pipeline, unsigned rate_hz, unsigned channels,
	unsigned channel, struct kws_error *error)
{
	int result = kws_front_end_open(pipeline->front, rate_hz, channels, channel, error);
	if (result == 0) {
		reset_spotters(pipeline);
	}
	return result;
}

void kws_pipeline_skip(struct kws_pipeline *pipeline, uint64_t frames)
{
	kws_front_end_gap(pipeline->front, frames);
	reset_spotters(pipeline);
}

void kws_pipeline_gap(struct kws_pipeline *pipeline, uint64_t lost_frames)
{
	pipeline->gaps++;
	kws_pipeline_skip(pipeline, lost_frames);
}

void kws_pipeline_configure(struct kws_pipeline *pipeline, const struct kws_config *config)
{
	for (size_t i = 0; i < pipeline->spotters.count; i++) {
		kws_spotter_configure(pipeline->spotters.items[i], config);
	}
}

static void detect(
	struct kws_pipeline *pipeline, struct kws_spotter *spotter, const struct kws_hop *hop)
{
	const struct kws_pipeline_sink *sink = &pipeline->sink;
	const struct kws_detector_event *events;
	size_t count =
		kws_spotter_detect(spotter, hop, kws_front_end_level(pipeline->front), &events);
	for (size_t i = 0; i < count && sink->event != NULL; i++) {
		sink->event(sink->user, kws_spotter_model(spotter), &events[i]);
	}
}

static void take_window(void *user, const struct kws_front_end_window *window)
{
	struct kws_pipeline *pipeline = user;
	const struct kws_pipeline_sink *sink = &pipeline->sink;
	uint64_t time_ns = 0;
	for (size_t i = 0; i < pipeline->spotters.count; i++) {
		struct kws_spotter *spotter = pipeline->spotters.items[i];
		struct kws_hop hop = {.hop = pipeline->hops, .sample = window->sample};
		time_ns += kws_spotter_decide(spotter, window, &hop);
		if (sink->hop != NULL) {
			sink->hop(sink->user, kws_spotter_model(spotter), &hop);
		}
		detect(pipeline, spotter, &hop);
	}
	kws_histogram_add(&pipeline->hop_times, time_ns);
	pipeline->hops++;
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

const struct kws_spotter *kws_pipeline_spotter(const struct kws_pipeline *pipeline, size_t index)
{
	return index < pipeline->spotters.count ? pipeline->spotters.items[index] : NULL;
}

static void add_stats(struct kws_pipeline_stats *sum, const struct kws_spotter_stats *stats)
{
	for (size_t i = 0; i <= KWS_EXITS_MAX; i++) {
		sum->hops_at_exit[i] += stats->hops_at_exit[i];
	}
	sum->detections += stats->detections;
	sum->net.rows += stats->net.rows;
	sum->net.binary_macs += stats->net.binary_macs;
	sum->net.float_macs += stats->net.float_macs;
}

void kws_pipeline_stats(const struct kws_pipeline *pipeline, struct kws_pipeline_stats *out)
{
	*out = (struct kws_pipeline_stats){
		.hops = pipeline->hops,
		.gaps = pipeline->gaps,
		.samples = kws_front_end_samples(pipeline->front),
		.warm = kws_front_end_warm(pipeline->front),
	};
	for (size_t i = 0; i < pipeline->spotters.count; i++) {
		struct kws_spotter_stats stats;
		kws_spotter_stats(pipeline->spotters.items[i], &stats);
		add_stats(out, &stats);
	}
}

uint64_t kws_pipeline_hop_ns(const struct kws_pipeline *pipeline, double share)
{
	return kws_histogram_percentile_ns(&pipeline->hop_times, share);
}
