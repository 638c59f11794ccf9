/* SPDX-License-Identifier: Apache-2.0 */
/* Exit policies in the stream: what ends a scene, what is never repeated, live changes. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pipeline/decider.h"
#include "pipeline/pipeline.h"
#include "pipeline/report.h"
#include "tests/pipeline-rig.h"

/* With a distance that takes everything for unchanged. */
#define REPEATING PLAIN, "exits.policy=difference", "exits.distance=1e6"

static enum kws_reason last_reason(const struct rig *rig)
{
	return rig->heard.hops[rig->heard.hop_count - 1].reason;
}

/* What was heard before is not compared with what comes after. */
static void gaps_and_silence_end_a_scene(void **state)
{
	(void)state;
	/* vad takes steady noise for speech as long as this is all it wants. */
	struct rig *rig = create_rig(WITH(REPEATING, "keyword go.enabled=no", "dsp.vad=yes",
		"dsp.vad_start_percent=35", "dsp.vad_continue_percent=20"));
	push_noise(rig, FIRST_HOP + 3 * KWS_HOP_SAMPLES / 2, 20000);
	assert_int_equal(rig->heard.hops[0].reason, KWS_REASON_NO_REFERENCE);
	assert_int_equal(rig->heard.hops[0].exit, 2);
	assert_true(isnan(rig->heard.hops[0].change));
	assert_int_equal(last_reason(rig), KWS_REASON_UNCHANGED);
	assert_int_equal(rig->heard.hops[1].exit, 1);
	assert_true(rig->heard.hops[1].change > 0.0f);
	kws_pipeline_gap(rig->pipeline, 0);
	push_noise(rig, FIRST_HOP + KWS_HOP_SAMPLES / 2, 20000);
	assert_int_equal(last_reason(rig), KWS_REASON_NO_REFERENCE);
	kws_pipeline_skip(rig->pipeline, 100);
	push_noise(rig, FIRST_HOP + KWS_HOP_SAMPLES / 2, 20000);
	assert_int_equal(last_reason(rig), KWS_REASON_NO_REFERENCE);
	assert_int_equal(kws_pipeline_open(rig->pipeline, RATE_HZ, 1, 0, NULL), 0);
	push_noise(rig, FIRST_HOP + KWS_HOP_SAMPLES / 2, 20000);
	assert_int_equal(last_reason(rig), KWS_REASON_NO_REFERENCE);
	push_noise(rig, 3 * RATE_HZ, 1);
	assert_int_equal(last_reason(rig), KWS_REASON_SILENCE);
	push_noise(rig, KWS_HOP_SAMPLES, 20000);
	assert_int_equal(last_reason(rig), KWS_REASON_NO_REFERENCE);
	destroy_rig(rig);
}

/* The loud word is told once, its end is heard and the next one told, though the policy finds
 * nothing changed. */
static void a_keyword_is_never_repeated(void **state)
{
	(void)state;
	struct rig *rig = create_rig(WITH(REPEATING, "model.hop_frames=4", "exits.max_age_ms=100"));
	for (size_t word = 1; word <= 3; word++) {
		uint64_t repeated = stats_of(rig).hops_at_exit[1];
		push_noise(rig, 3 * RATE_HZ, 0);
		assert_true(stats_of(rig).hops_at_exit[1] > repeated);
		push_noise(rig, 3 * RATE_HZ, 20000);
		assert_int_equal(last_reason(rig), KWS_REASON_NO_REFERENCE);
		assert_int_equal(rig->heard.event_count, word);
	}
	destroy_rig(rig);
}

static void policies_change_between_two_hops(void **state)
{
	(void)state;
	static const struct {
		const char *policy;
		enum kws_reason reason;
		size_t exit;
	} steps[] = {
		{"exits.policy=always-1", KWS_REASON_FIXED, 1},
		{"exits.policy=difference", KWS_REASON_NO_REFERENCE, 2},
		{"exits.policy=temporal-patience", KWS_REASON_NO_REFERENCE, 2},
		{"exits.policy=patience", KWS_REASON_NONE, 0}, /* never fires with two exits */
		{"exits.policy=always-2", KWS_REASON_LAST_EXIT, 2},
	};
	struct rig *rig = create_rig(WITH(PLAIN, "exits.distance=1e6"));
	push_noise(rig, FIRST_HOP + KWS_HOP_SAMPLES / 2, 0);
	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		struct kws_config *config =
			load_config(WITH(PLAIN, "exits.distance=1e6", steps[i].policy));
		const struct kws_model_set alone = {1, {rig->model}};
		bool possible = kws_model_set_check(&alone, config, NULL) == 0;
		assert_int_equal(possible, strcmp(steps[i].policy, "exits.policy=patience") != 0);
		kws_pipeline_configure(rig->pipeline, config);
		kws_config_destroy(config);
		push_noise(rig, KWS_HOP_SAMPLES, 0);
		const struct kws_hop *hop = &rig->heard.hops[rig->heard.hop_count - 1];
		if (possible) {
			assert_int_equal(hop->reason, steps[i].reason);
			assert_int_equal(hop->exit, steps[i].exit);
			assert_string_equal(hop->policy, steps[i].policy + strlen("exits.policy="));
		} else {
			assert_string_equal(hop->policy, "temporal-patience");
		}
	}
	destroy_rig(rig);
}

/* Weights so large that the logits overflow: no answer, and the event says so. */
static void no_numbers_are_no_keyword(void **state)
{
	(void)state;
	static const float weights[] = {3e38f, -3e38f};
	static const float bias[] = {0.0f, 0.0f};
	struct rig *rig = create_rig(WITH(PLAIN, "keyword go.threshold=0.01"));
	json_t *event;
	kws_pipeline_destroy(rig->pipeline);
	kws_model_destroy(rig->model);
	rig->model = build_model_of(GRAPH("[98,64,1]"), weights, weights, bias);
	const struct kws_pipeline_sink sink = {take_hop, take_event, &rig->heard};
	const struct kws_model_set alone = {1, {rig->model}};
	assert_int_equal(kws_pipeline_create(&rig->pipeline, &alone, rig->config, &sink, NULL), 0);
	assert_int_equal(kws_pipeline_open(rig->pipeline, RATE_HZ, 1, 0, NULL), 0);
	push_noise(rig, FIRST_HOP + KWS_HOP_SAMPLES / 2, 0);
	struct kws_hop *hop = &rig->heard.hops[0];
	assert_int_equal(hop->reason, KWS_REASON_INVALID);
	assert_true(rig->heard.go[0] == 0.0f && isnan(hop->entropy));
	assert_int_equal(hop->best, KWS_HOP_NONE);
	assert_int_equal(kws_report_score(rig->model, hop, &event), 0);
	assert_true(json_is_null(json_object_get(event, "label")));
	assert_true(json_real_value(json_object_get(event, "score")) == 0.0);
	assert_true(json_is_null(json_object_get(event, "entropy")));
	assert_string_equal(json_string_value(json_object_get(event, "reason")), "invalid");
	json_decref(event);
	destroy_rig(rig);
}

static const float *same_logits(void *user, size_t exit)
{
	(void)exit;
	return user;
}

/* The mean of three hops is above the threshold still in the fourth, which has no numbers. */
static void no_numbers_end_the_patience(void **state)
{
	(void)state;
	float go[] = {20.0f, 0.0f};
	float broken[] = {INFINITY, 0.0f};
	struct rig *rig = create_rig(WITH("detector.smoothing_hops=5", "detector.patience_hops=2",
		"keyword go.threshold=0.5"));
	const struct kws_detector_event *events;
	struct kws_decider *decider;
	assert_int_equal(kws_decider_create(&decider, rig->model, rig->config, NULL), 0);
	for (size_t i = 0; i < 6; i++) {
		struct kws_hop hop = {.hop = i, .sample = i * KWS_HOP_SAMPLES};
		kws_decider_decide(decider, same_logits, i == 3 ? broken : go, &hop);
		assert_int_equal(hop.reason == KWS_REASON_INVALID, i == 3);
		assert_int_equal(kws_decider_detect(decider, &hop, 0.0f, 0.0f, &events), i == 5);
	}
	kws_decider_destroy(decider);
	destroy_rig(rig);
}

/* A model without a label for silence names none where no exit was asked, least of all the keyword
 * that comes first. */
static void silence_without_a_label_is_no_keyword(void **state)
{
	(void)state;
	struct rig *rig = create_rig(WITH(PLAIN, "dsp.vad=yes"));
	struct model_builder builder;
	json_t *event;
	kws_pipeline_destroy(rig->pipeline);
	kws_model_destroy(rig->model);
	model_builder_init(&builder);
	model_builder_describe(&builder);
	model_builder_json(&builder, "kws.labels", "['go','_unknown_']");
	rig->model =
		build_network(&builder, GRAPH("[98,64,1]"), unsure_weights, sure_weights, no_bias);
	const struct kws_pipeline_sink sink = {take_hop, take_event, &rig->heard};
	const struct kws_model_set alone = {1, {rig->model}};
	assert_int_equal(kws_pipeline_create(&rig->pipeline, &alone, rig->config, &sink, NULL), 0);
	assert_int_equal(kws_pipeline_open(rig->pipeline, RATE_HZ, 1, 0, NULL), 0);
	push_noise(rig, FIRST_HOP + KWS_HOP_SAMPLES / 2, 1);
	struct kws_hop *hop = &rig->heard.hops[0];
	assert_int_equal(hop->reason, KWS_REASON_SILENCE);
	assert_int_equal(kws_report_score(rig->model, hop, &event), 0);
	assert_true(json_is_null(json_object_get(event, "label")));
	assert_true(json_real_value(json_object_get(event, "score")) == 0.0);
	json_decref(event);
	destroy_rig(rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(gaps_and_silence_end_a_scene),
		cmocka_unit_test(a_keyword_is_never_repeated),
		cmocka_unit_test(policies_change_between_two_hops),
		cmocka_unit_test(no_numbers_are_no_keyword),
		cmocka_unit_test(no_numbers_end_the_patience),
		cmocka_unit_test(silence_without_a_label_is_no_keyword),
	};
	return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
