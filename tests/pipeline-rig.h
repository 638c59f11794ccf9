/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KWS_TESTS_PIPELINE_RIG_H
#define KWS_TESTS_PIPELINE_RIG_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "dsp/mel.h"
#include "pipeline/pipeline.h"
#include "tests/model-builder.h"

/* A pipeline that takes what a test pushes and keeps what it tells, with a network that hears
 * loudness: both of its exits look at the mean of the log-mel window, "go" is loud and "_silence_"
 * is quiet. */

#define RATE_HZ 16000
#define FIRST_HOP KWS_WINDOW_SAMPLES
#define HOPS_MAX 512
#define EVENTS_MAX 16

#define GRAPH(shape)                                                                         \
	"[{'op':'input','out':'x','shape':" shape "},"                                       \
	"{'op':'exit','in':'x','out':'first','pool':'all','weight':'unsure','bias':'bias'}," \
	"{'op':'exit','in':'x','out':'last','pool':'all','weight':'sure','bias':'bias'}]"

/* What the pipeline told. */
struct heard {
	struct kws_hop hops[HOPS_MAX];
	float go[HOPS_MAX]; /* the posterior of "go" at each hop */
	size_t hop_count;
	struct kws_detector_event events[EVENTS_MAX];
	size_t event_count;
};

/* A pipeline with all that it stands on. */
struct rig {
	struct kws_model *model;
	struct kws_config *config;
	struct kws_pipeline *pipeline;
	struct heard heard;
};

static inline void take_hop(void *user, const struct kws_model *model, const struct kws_hop *hop)
{
	struct heard *heard = user;
	(void)model;
	assert_true(heard->hop_count < HOPS_MAX);
	heard->go[heard->hop_count] = hop->posteriors[0];
	heard->hops[heard->hop_count++] = *hop;
}

static inline void take_event(
	void *user, const struct kws_model *model, const struct kws_detector_event *event)
{
	struct heard *heard = user;
	(void)model;
	assert_true(heard->event_count < EVENTS_MAX);
	assert_true(event->at.hop <= heard->hops[heard->hop_count - 1].hop);
	heard->events[heard->event_count++] = *event;
}

/* Gives a described model its graph and weights, and ends the builder. */
static inline struct kws_model *build_network(struct model_builder *builder, const char *graph,
	const float *first, const float *last, const float *bias)
{
	const size_t weight_shape[4] = {2, 1, 0, 0};
	struct kws_model *model;
	struct kws_error error;
	model_builder_json(builder, "kws.graph", graph);
	model_builder_tensor(builder, "unsure", KWS_DTYPE_F32, weight_shape, first);
	model_builder_tensor(builder, "sure", KWS_DTYPE_F32, weight_shape, last);
	model_builder_tensor(builder, "bias", KWS_DTYPE_F32, (const size_t[4]){2, 0, 0, 0}, bias);
	if (model_builder_parse(builder, &model, NULL, &error) != 0) {
		fail_msg("%s", error.text);
	}
	model_builder_finish(builder);
	return model;
}

static inline struct kws_model *build_model_of(
	const char *graph, const float *first, const float *last, const float *bias)
{
	struct model_builder builder;
	model_builder_init(&builder);
	model_builder_describe(&builder);
	return build_network(&builder, graph, first, last, bias);
}

/* The mean is near -2.5 for silence and above 0.5 for noise at full scale. */
static const float unsure_weights[] = {0.5f, -0.5f};
static const float sure_weights[] = {8.0f, -8.0f};
static const float no_bias[] = {0.0f, 0.0f};

static inline struct kws_model *build_model(const char *graph)
{
	return build_model_of(graph, unsure_weights, sure_weights, no_bias);
}

/* `overrides` end with NULL. */
static inline struct kws_config *load_config(const char *const *overrides)
{
	struct kws_config *config;
	struct kws_config_errors errors;
	size_t count = 0;
	while (overrides[count] != NULL) {
		count++;
	}
	assert_int_equal(kws_config_load(&config, NULL, overrides, count, &errors), 0);
	return config;
}

/* A hop each frame, the last exit's answer, an event as soon as a hop is loud. */
#define PLAIN                                                               \
	"model.hop_frames=1", "exits.delta=0", "detector.smoothing_hops=1", \
		"detector.patience_hops=1"
#define WITH(...) ((const char *const[]){__VA_ARGS__, NULL})

static inline struct rig *create_rig(const char *const *overrides)
{
	struct rig *rig = calloc(1, sizeof(*rig));
	struct kws_error error;
	rig->model = build_model(GRAPH("[98,64,1]"));
	rig->config = load_config(overrides);
	const struct kws_pipeline_sink sink = {take_hop, take_event, &rig->heard};
	const struct kws_model_set alone = {1, {rig->model}};
	if (kws_pipeline_create(&rig->pipeline, &alone, rig->config, &sink, &error) != 0) {
		fail_msg("%s", error.text);
	}
	assert_int_equal(kws_pipeline_open(rig->pipeline, RATE_HZ, 1, 0, &error), 0);
	return rig;
}

static inline void destroy_rig(struct rig *rig)
{
	kws_pipeline_destroy(rig->pipeline);
	kws_config_destroy(rig->config);
	kws_model_destroy(rig->model);
	free(rig);
}

static inline void fill_noise(int16_t *samples, size_t count, int amplitude, unsigned seed)
{
	for (size_t i = 0; i < count; i++) {
		samples[i] = (int16_t)(rand_r(&seed) % (2 * amplitude + 1) - amplitude);
	}
}

/* Noise of this amplitude (0: silence), pushed at once. */
static inline void push_noise(struct rig *rig, size_t count, int amplitude)
{
	int16_t *samples = malloc(count * sizeof(*samples));
	fill_noise(samples, count, amplitude, 1);
	kws_pipeline_push(rig->pipeline, samples, count);
	free(samples);
}

static inline struct kws_pipeline_stats stats_of(const struct rig *rig)
{
	struct kws_pipeline_stats stats;
	kws_pipeline_stats(rig->pipeline, &stats);
	return stats;
}

#endif
