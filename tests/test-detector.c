/* SPDX-License-Identifier: Apache-2.0 */
/* Decisions on synthetic score sequences whose answers were worked out by hand. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "exits/detector.h"

#define LABELS 2
#define HOP_SAMPLES 640
#define FIRST_SAMPLE 15920

/* No smoothing, no patience, no rest: each test turns on what it is about. */
static const struct kws_detector_settings plain = {
	.enabled = true,
	.threshold = 0.5f,
	.smoothing_hops = 1,
	.patience_hops = 1,
	.rearm = 0.5f,
};

/* A detector with the hops so far. */
struct run {
	struct kws_detector *detector;
	uint64_t hop;
	bool invalid;     /* the hops to come */
	char events[512]; /* "D2 C5 ..." : detection at hop 2, candidate at hop 5 */
	struct kws_detector_event last;
};

static struct run start(const struct kws_detector_settings *settings)
{
	struct run run = {.events = ""};
	assert_int_equal(kws_detector_create(&run.detector, LABELS), 0);
	kws_detector_configure(run.detector, 0, settings);
	return run;
}

/* One hop; events of label 1 are told with a '. */
static void push_both(struct run *run, float first, float second)
{
	struct kws_detector_event events[LABELS];
	const float posteriors[LABELS] = {first, second};
	const struct kws_detector_moment now = {
		.hop = run->hop,
		.sample = FIRST_SAMPLE + run->hop * HOP_SAMPLES,
		.exit = run->hop + 1, /* to tell the hops' moments apart */
		.invalid = run->invalid,
		.reason = run->hop % 2 == 0 ? "even" : "odd",
	};
	size_t count = kws_detector_push(run->detector, posteriors, &now, events);
	assert_in_range(count, 0, LABELS);
	for (size_t i = 0; i < count; i++) {
		size_t used = strlen(run->events);
		snprintf(run->events + used, sizeof(run->events) - used, "%s%c%d%s",
			used > 0 ? " " : "", events[i].type == KWS_DETECTOR_DETECTION ? 'D' : 'C',
			(int)events[i].at.hop, events[i].label == 1 ? "'" : "");
		run->last = events[i];
	}
	run->hop++;
}

static void push(struct run *run, const float *scores, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		push_both(run, scores[i], 0.0f);
	}
}

#define PUSH(run, ...)                            \
	push((run), (const float[]){__VA_ARGS__}, \
		sizeof((const float[]){__VA_ARGS__}) / sizeof(float))

/* The same score for some hops. */
static void hold(struct run *run, float score, size_t hops)
{
	for (size_t i = 0; i < hops; i++) {
		push_both(run, score, 0.0f);
	}
}

static void finish(struct run *run, const char *events)
{
	assert_string_equal(run->events, events);
	kws_detector_destroy(run->detector);
}

static void assert_near(float got, float wanted)
{
	assert_true(fabsf(got - wanted) < 1e-6f);
}

static void fires_at_the_threshold(void **state)
{
	(void)state;
	struct run run = start(&plain);
	PUSH(&run, 0.0f, 0.4999f, 0.5f, 0.0f);
	assert_int_equal(run.last.type, KWS_DETECTOR_DETECTION);
	assert_int_equal(run.last.label, 0);
	assert_int_equal(run.last.at.hop, 2);
	assert_int_equal(run.last.at.sample, FIRST_SAMPLE + 2 * HOP_SAMPLES);
	assert_near(run.last.score, 0.5f);
	assert_near(run.last.threshold, 0.5f);
	finish(&run, "D2");
}

static void a_new_detector_is_disabled(void **state)
{
	(void)state;
	struct run run = {.events = ""};
	assert_int_equal(kws_detector_create(&run.detector, LABELS), 0);
	hold(&run, 1.0f, 4);
	assert_string_equal(run.events, "");
	struct kws_detector_settings settings = plain;
	settings.smoothing_hops = 5; /* what was heard is kept all the same */
	kws_detector_configure(run.detector, 0, &settings);
	hold(&run, 1.0f, 1);
	assert_near(run.last.score, 1.0f);
	finish(&run, "D4");
	kws_detector_destroy(NULL);
}

/* Means of 4: 0.225, 0.45, 0.675, each told, as all are below where it is armed again. Hops before
 * the first count as 0. */
static void smoothing_counts_missing_hops_as_0(void **state)
{
	(void)state;
	struct kws_detector_settings settings = plain;
	settings.smoothing_hops = 4;
	settings.threshold = 0.2f;
	settings.rearm = 5.0f;
	struct run run = start(&settings);
	PUSH(&run, 0.9f);
	assert_near(run.last.score, 0.225f);
	PUSH(&run, 0.9f);
	assert_near(run.last.score, 0.45f);
	PUSH(&run, 0.9f);
	assert_near(run.last.score, 0.675f);
	finish(&run, "D0 D1 D2");
}

static void one_spike_is_smoothed_away(void **state)
{
	(void)state;
	struct kws_detector_settings settings = plain;
	settings.smoothing_hops = 3;
	struct run run = start(&settings);
	PUSH(&run, 0.0f, 1.0f, 0.0f, 0.0f, 0.0f, 1.0f, 0.4f, 0.2f); /* 1.6 / 3 at last */
	finish(&run, "D7");
}

/* Patience counts raw scores, so that it can be reached: openWakeWord #118. */
static void patience_asks_for_hops_in_a_row(void **state)
{
	(void)state;
	struct kws_detector_settings settings = plain;
	settings.patience_hops = 3;
	struct run run = start(&settings);
	PUSH(&run, 0.9f, 0.9f, 0.1f, 0.9f, 0.9f, 0.9f, 0.9f);
	finish(&run, "D5");
}

/* Means of 5: 0.2, 0.4, 0.6, then 0.6 in a hop without numbers, which is neither the second hop of
 * the patience nor the first. */
static void an_invalid_hop_detects_nothing(void **state)
{
	(void)state;
	struct kws_detector_settings settings = plain;
	settings.smoothing_hops = 5;
	settings.patience_hops = 2;
	struct run run = start(&settings);
	PUSH(&run, 1.0f, 1.0f, 1.0f);
	run.invalid = true;
	PUSH(&run, 0.0f);
	run.invalid = false;
	PUSH(&run, 1.0f);
	assert_string_equal(run.events, "");
	PUSH(&run, 1.0f);
	finish(&run, "D5");
}

static void patience_longer_than_the_pulse_never_fires(void **state)
{
	(void)state;
	struct kws_detector_settings settings = plain;
	settings.patience_hops = 4;
	struct run run = start(&settings);
	for (int i = 0; i < 10; i++) {
		PUSH(&run, 0.9f, 0.9f, 0.9f, 0.1f);
	}
	finish(&run, "");
}

static void never_fires_twice_on_one_sound(void **state)
{
	(void)state;
	struct run run = start(&plain);
	hold(&run, 0.9f, 1000);
	PUSH(&run, 0.3f, 0.9f); /* 0.25 would have armed it again */
	finish(&run, "D0");
}

static void arms_again_after_falling(void **state)
{
	(void)state;
	struct run run = start(&plain);
	PUSH(&run, 0.9f, 0.25f, 0.9f, 0.24f, 0.9f);
	finish(&run, "D0 D4");
}

/* Rearm 0 can be met by no score: one detection until the next reset. */
static void rearm_0_fires_once(void **state)
{
	(void)state;
	struct kws_detector_settings settings = plain;
	settings.rearm = 0.0f;
	struct run run = start(&settings);
	PUSH(&run, 0.9f, 0.0f, 0.9f);
	kws_detector_reset(run.detector);
	PUSH(&run, 0.9f);
	finish(&run, "D0 D3");
}

/* Rest of 3 hops: the second sound begins within it and lasts beyond it. */
static void rests_after_a_detection(void **state)
{
	(void)state;
	struct kws_detector_settings settings = plain;
	settings.refractory_samples = 3 * HOP_SAMPLES;
	struct run run = start(&settings);
	PUSH(&run, 0.9f, 0.0f, 0.9f, 0.9f, 0.9f);
	finish(&run, "D0 D3");
}

static void a_sound_within_the_rest_is_not_told(void **state)
{
	(void)state;
	struct kws_detector_settings settings = plain;
	settings.refractory_samples = 3 * HOP_SAMPLES;
	struct run run = start(&settings);
	PUSH(&run, 0.9f, 0.0f, 0.9f, 0.0f, 0.9f);
	finish(&run, "D0 D4");
}

/* Patience counts through the rest; smoothing of 2, patience of 2, rest of 5 hops:
 * means 0.45 0.9 0.9 0.45 0 0.45 0.9 0.9 */
static void patience_rest_and_smoothing_work_together(void **state)
{
	(void)state;
	struct kws_detector_settings settings = plain;
	settings.smoothing_hops = 2;
	settings.patience_hops = 2;
	settings.refractory_samples = 5 * HOP_SAMPLES;
	struct run run = start(&settings);
	PUSH(&run, 0.9f, 0.9f, 0.9f, 0.0f, 0.0f, 0.9f, 0.9f, 0.9f, 0.0f, 0.0f);
	finish(&run, "D2 D7");
}

static void keywords_do_not_touch_each_other(void **state)
{
	(void)state;
	struct kws_detector_settings settings = plain;
	settings.refractory_samples = 100 * HOP_SAMPLES;
	struct run run = start(&settings);
	settings.threshold = 0.8f;
	settings.patience_hops = 2;
	kws_detector_configure(run.detector, 1, &settings);
	push_both(&run, 0.9f, 0.9f);
	push_both(&run, 0.9f, 0.9f);
	push_both(&run, 0.0f, 0.0f);
	push_both(&run, 0.9f, 0.9f); /* both rest */
	finish(&run, "D0 D1'");
}

static void both_keywords_may_fire_in_one_hop(void **state)
{
	(void)state;
	struct run run = start(&plain);
	kws_detector_configure(run.detector, 1, &plain);
	push_both(&run, 0.5f, 0.5f);
	finish(&run, "D0 D0'");
}

static struct kws_detector_settings with_candidates(void)
{
	struct kws_detector_settings settings = plain;
	settings.threshold = 0.8f;
	settings.candidate_threshold = 0.4f;
	return settings;
}

static void a_near_miss_is_told_once_with_its_peak(void **state)
{
	(void)state;
	struct kws_detector_settings settings = with_candidates();
	struct run run = start(&settings);
	PUSH(&run, 0.1f, 0.5f, 0.7f, 0.6f);
	assert_string_equal(run.events, ""); /* only when it is over */
	PUSH(&run, 0.39f, 0.1f);
	assert_int_equal(run.last.type, KWS_DETECTOR_CANDIDATE);
	assert_near(run.last.score, 0.7f);
	assert_near(run.last.threshold, 0.8f);
	assert_int_equal(run.last.at.sample, FIRST_SAMPLE + 2 * HOP_SAMPLES);
	assert_int_equal(run.last.at.exit, 3); /* of the peak, not of the hop that told it */
	assert_string_equal(run.last.at.reason, "even");
	finish(&run, "C2");
}

static void what_fired_is_no_near_miss(void **state)
{
	(void)state;
	struct kws_detector_settings settings = with_candidates();
	struct run run = start(&settings);
	PUSH(&run, 0.5f, 0.9f, 0.5f, 0.1f);
	PUSH(&run, 0.5f, 0.1f);
	finish(&run, "D1 C4");
}

/* Above the rearm threshold of 0.2 the last word still sounds: falling to 0.3 and rising again
 * is no new word. */
static void the_end_of_a_word_is_no_near_miss(void **state)
{
	(void)state;
	struct kws_detector_settings settings = with_candidates();
	settings.rearm = 0.25f;
	struct run run = start(&settings);
	PUSH(&run, 0.9f, 0.3f, 0.6f, 0.3f, 0.1f);
	finish(&run, "D0");
}

/* Fewer hops to smooth over raise the mean from 0.45 to 0.6 in a hop without numbers. */
static void an_invalid_hop_is_no_near_miss(void **state)
{
	(void)state;
	struct kws_detector_settings settings = with_candidates();
	settings.smoothing_hops = 4;
	struct run run = start(&settings);
	PUSH(&run, 0.9f, 0.9f);
	settings.smoothing_hops = 3;
	kws_detector_configure(run.detector, 0, &settings);
	run.invalid = true;
	PUSH(&run, 0.0f, 0.0f);
	assert_near(run.last.score, 0.45f);
	finish(&run, "C1");
}

static void impatience_is_a_near_miss(void **state)
{
	(void)state;
	struct kws_detector_settings settings = with_candidates();
	settings.patience_hops = 2;
	struct run run = start(&settings);
	PUSH(&run, 0.9f, 0.1f);
	finish(&run, "C0");
}

/* Nothing of the past may fire after a reset. */
static void reset_forgets_scores_but_not_the_rest(void **state)
{
	(void)state;
	struct kws_detector_settings settings = with_candidates();
	settings.smoothing_hops = 2;
	settings.patience_hops = 2;
	settings.refractory_samples = 10 * HOP_SAMPLES;
	struct run run = start(&settings);
	PUSH(&run, 0.9f, 0.9f);
	kws_detector_reset(run.detector);
	PUSH(&run, 0.9f, 0.9f); /* means 0.45, 0.9: patience begins anew */
	assert_string_equal(run.events, "");
	PUSH(&run, 0.9f);
	kws_detector_reset(run.detector);
	PUSH(&run, 0.9f, 0.9f, 0.9f, 0.9f); /* rests until hop 14 */
	finish(&run, "D4");
}

static void restart_forgets_the_rest_as_well(void **state)
{
	(void)state;
	struct kws_detector_settings settings = plain;
	settings.refractory_samples = 10 * HOP_SAMPLES;
	struct run run = start(&settings);
	PUSH(&run, 0.9f);
	kws_detector_restart(run.detector);
	PUSH(&run, 0.9f, 0.9f);
	finish(&run, "D0 D1");
}

static void reset_drops_a_near_miss(void **state)
{
	(void)state;
	struct kws_detector_settings settings = with_candidates();
	struct run run = start(&settings);
	PUSH(&run, 0.5f);
	kws_detector_reset(run.detector);
	PUSH(&run, 0.1f);
	finish(&run, "");
}

static void settings_change_between_two_hops(void **state)
{
	(void)state;
	struct kws_detector_settings settings = plain;
	struct run run = start(&settings);
	PUSH(&run, 0.3f, 0.3f);
	settings.threshold = 0.3f;
	kws_detector_configure(run.detector, 0, &settings);
	PUSH(&run, 0.3f, 0.0f);
	settings.threshold = 0.35f;
	settings.smoothing_hops = 2; /* over the history that is there */
	kws_detector_configure(run.detector, 0, &settings);
	PUSH(&run, 0.8f);
	assert_near(run.last.score, 0.4f);
	PUSH(&run, 0.0f, 0.0f, 0.6f); /* a mean of 0.3 */
	finish(&run, "D2 D4");
}

/* Hops above the old threshold are no patience with the new one. */
static void a_change_begins_patience_anew(void **state)
{
	(void)state;
	struct kws_detector_settings settings = plain;
	settings.patience_hops = 3;
	struct run run = start(&settings);
	PUSH(&run, 0.6f, 0.6f);
	settings.threshold = 0.55f;
	kws_detector_configure(run.detector, 0, &settings);
	PUSH(&run, 0.6f, 0.6f);
	assert_string_equal(run.events, "");
	PUSH(&run, 0.6f);
	finish(&run, "D4");
}

/* A reload that changes nothing must not cost a hop of patience. */
static void the_same_settings_change_nothing(void **state)
{
	(void)state;
	struct kws_detector_settings settings = plain;
	settings.patience_hops = 3;
	struct run run = start(&settings);
	PUSH(&run, 0.9f, 0.9f);
	kws_detector_configure(run.detector, 0, &settings);
	PUSH(&run, 0.9f);
	finish(&run, "D2");
}

static void disabling_silences_at_once(void **state)
{
	(void)state;
	struct kws_detector_settings settings = with_candidates();
	struct run run = start(&settings);
	PUSH(&run, 0.5f);
	settings.enabled = false;
	kws_detector_configure(run.detector, 0, &settings);
	PUSH(&run, 0.9f, 0.1f, 0.1f);
	settings.enabled = true;
	kws_detector_configure(run.detector, 0, &settings);
	PUSH(&run, 0.1f); /* nothing of before, the rise of hop 0 neither */
	assert_string_equal(run.events, "");
	PUSH(&run, 0.9f);
	finish(&run, "D5");
}

static void settings_out_of_range_are_brought_inside(void **state)
{
	(void)state;
	struct kws_detector_settings settings = plain;
	settings.smoothing_hops = 0;
	settings.patience_hops = 0;
	struct run run = start(&settings);
	PUSH(&run, 0.9f);
	assert_near(run.last.score, 0.9f);
	finish(&run, "D0");
	/* the mean of 100 hops reaches it with hop 99, then 100 hold it */
	settings.threshold = 1.0f;
	settings.smoothing_hops = 100000;
	settings.patience_hops = 100000;
	run = start(&settings);
	hold(&run, 1.0f, 3 * KWS_DETECTOR_HISTORY_MAX);
	finish(&run, "D198");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fires_at_the_threshold),
		cmocka_unit_test(a_new_detector_is_disabled),
		cmocka_unit_test(smoothing_counts_missing_hops_as_0),
		cmocka_unit_test(one_spike_is_smoothed_away),
		cmocka_unit_test(patience_asks_for_hops_in_a_row),
		cmocka_unit_test(an_invalid_hop_detects_nothing),
		cmocka_unit_test(patience_longer_than_the_pulse_never_fires),
		cmocka_unit_test(never_fires_twice_on_one_sound),
		cmocka_unit_test(arms_again_after_falling),
		cmocka_unit_test(rearm_0_fires_once),
		cmocka_unit_test(rests_after_a_detection),
		cmocka_unit_test(a_sound_within_the_rest_is_not_told),
		cmocka_unit_test(patience_rest_and_smoothing_work_together),
		cmocka_unit_test(keywords_do_not_touch_each_other),
		cmocka_unit_test(both_keywords_may_fire_in_one_hop),
		cmocka_unit_test(a_near_miss_is_told_once_with_its_peak),
		cmocka_unit_test(what_fired_is_no_near_miss),
		cmocka_unit_test(the_end_of_a_word_is_no_near_miss),
		cmocka_unit_test(an_invalid_hop_is_no_near_miss),
		cmocka_unit_test(impatience_is_a_near_miss),
		cmocka_unit_test(reset_forgets_scores_but_not_the_rest),
		cmocka_unit_test(restart_forgets_the_rest_as_well),
		cmocka_unit_test(reset_drops_a_near_miss),
		cmocka_unit_test(settings_change_between_two_hops),
		cmocka_unit_test(a_change_begins_patience_anew),
		cmocka_unit_test(the_same_settings_change_nothing),
		cmocka_unit_test(disabling_silences_at_once),
		cmocka_unit_test(settings_out_of_range_are_brought_inside),
	};
	return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
