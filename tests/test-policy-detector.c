/* SPDX-License-Identifier: Apache-2.0 */
/* A policy before a detector: answers that are repeated over hops must neither make a detection nor
 * hide one. Class 1 is the keyword; the first exit hears the same all the time, so that the policy
 * has every reason to repeat. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "exits/detector.h"
#include "tests/policy-run.h"

#define HOP_SAMPLES 640

static const float blind[CLASSES] = {1.0f, 0.0f, 0.0f, 0.0f};
static const float quiet[CLASSES] = {20.0f, 0.0f, 0.0f, 0.0f};
static const float word[CLASSES] = {0.0f, 20.0f, 0.0f, 0.0f};

static const struct kws_detector_settings smoothed = {
	.enabled = true,
	.threshold = 0.8f,
	.smoothing_hops = 5,
	.patience_hops = 2,
	.refractory_samples = 10 * HOP_SAMPLES,
	.rearm = 0.5f,
};

struct listener {
	struct policy_run run;
	struct kws_detector *detector;
	char detections[256]; /* "12 40": the hops */
	size_t asked;         /* hops asked in full */
};

/* kwsd's limits: the score below which a keyword is armed again, and a second. */
#define REARMED 0.4f
#define SECOND_HOPS 25
/* None: every answer may be repeated. */
#define UNLIMITED INFINITY

static struct listener start(const char *policy, float limit, uint64_t fresh_hops)
{
	struct listener listener = {.run = policy_run_start(policy), .detections = ""};
	policy_run_threshold(&listener.run, 1.0f);
	listener.run.settings.hold_below[1] = limit;
	listener.run.settings.fresh_hops = fresh_hops;
	listener.run.settings.max_age_hops = 50;
	policy_run_configure(&listener.run);
	assert_int_equal(kws_detector_create(&listener.detector, CLASSES), 0);
	kws_detector_configure(listener.detector, 1, &smoothed);
	return listener;
}

/* Hops in which the deep exits hear this. */
static void hear(struct listener *listener, const float *logits, size_t hops)
{
	const float *const exits[EXITS] = {blind, logits, logits, logits, logits};
	struct kws_detector_event events[CLASSES];
	for (size_t i = 0; i < hops; i++) {
		const struct kws_detector_moment now = {
			.hop = listener->run.hop, .sample = listener->run.hop * HOP_SAMPLES};
		struct kws_decision decision = policy_run_hop(&listener->run, exits);
		listener->asked += decision.exit == EXITS - 1;
		size_t count =
			kws_detector_push(listener->detector, decision.posteriors, &now, events);
		for (size_t e = 0; e < count; e++) {
			size_t used = strlen(listener->detections);
			snprintf(listener->detections + used, sizeof(listener->detections) - used,
				"%s%d", used > 0 ? " " : "", (int)events[e].at.hop);
		}
	}
}

static void finish(struct listener *listener, const char *detections)
{
	assert_string_equal(listener->detections, detections);
	kws_detector_destroy(listener->detector);
	policy_run_finish(&listener->run);
}

/* Smoothing is to swallow what is heard in one hop only. Repeated, it would be heard in many: the
 * maximum age asks hop 50 anew, the mean of 5 hops reaches 0.8 at the fourth of them and the second
 * such mean, patience 2, detects. */
static void one_hop_is_no_word(void **state)
{
	(void)state;
	struct listener listener = start("difference", UNLIMITED, 0);
	hear(&listener, quiet, 50);
	hear(&listener, word, 1);
	hear(&listener, quiet, 100);
	finish(&listener, "54"); /* the trap */
	listener = start("difference", REARMED, SECOND_HOPS);
	hear(&listener, quiet, 50);
	hear(&listener, word, 1);
	hear(&listener, quiet, 100);
	finish(&listener, "");
}

static void hear_two_words(struct listener *listener)
{
	hear(listener, quiet, 50);
	hear(listener, word, 8);
	hear(listener, quiet, 8);
	hear(listener, word, 8);
	hear(listener, quiet, 100);
}

/* Two equal words with a short pause that the first exit does not notice. */
static void the_second_of_two_words_is_heard(void **state)
{
	(void)state;
	struct listener listener = start("difference", UNLIMITED, 0);
	hear_two_words(&listener);
	finish(&listener, "54"); /* the trap: the word is repeated through the pause */
	listener = start("difference", REARMED, 0);
	hear_two_words(&listener);
	finish(&listener, "54"); /* the other one: the pause is repeated through the word */
	listener = start("difference", REARMED, SECOND_HOPS);
	hear_two_words(&listener);
	finish(&listener, "54 70");
}

/* However long a word seems to sound, it was spoken once. */
static void a_word_that_does_not_end_is_one_word(void **state)
{
	(void)state;
	static const char *const policies[] = {"difference", "temporal-patience", "always-5"};
	for (size_t i = 0; i < 3; i++) {
		struct listener listener = start(policies[i], REARMED, SECOND_HOPS);
		hear(&listener, quiet, 50);
		hear(&listener, word, 500);
		hear(&listener, quiet, 20);
		finish(&listener, "54");
		listener = start(policies[i], UNLIMITED, 0);
		hear(&listener, quiet, 50);
		hear(&listener, word, 500);
		hear(&listener, quiet, 20);
		finish(&listener, "54");
	}
}

/* Without an end to it, silence that was heard once would hide every word from the deep exits. */
static void a_stale_reference_hides_a_word_no_longer_than_its_age(void **state)
{
	(void)state;
	struct listener listener = start("difference", REARMED, SECOND_HOPS);
	hear(&listener, quiet, 10);
	hear(&listener, word, 60); /* asked anew at hop 50 */
	assert_int_equal(listener.asked, 1 + 20);
	finish(&listener, "54");
}

/* Rest, smoothing and repeated answers together: a word within the rest is not told, one after it
 * is, and the silence between is repeated. */
static void rest_and_smoothing_go_on_over_repeated_answers(void **state)
{
	(void)state;
	struct listener listener = start("difference", REARMED, 0);
	listener.run.settings.max_age_hops = 4;
	policy_run_configure(&listener.run);
	hear(&listener, quiet, 8);
	hear(&listener, word, 5);  /* hops 8 to 12, detected at 12; rest until 22 */
	hear(&listener, quiet, 4); /* 13 to 16 */
	hear(&listener, word, 5);  /* 17 to 21: patient enough at 21, but resting */
	hear(&listener, quiet, 4); /* 22 to 25; the mean of hop 22 would detect: 4 of 5 hops */
	finish(&listener, "12 22");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_hop_is_no_word),
		cmocka_unit_test(the_second_of_two_words_is_heard),
		cmocka_unit_test(a_word_that_does_not_end_is_one_word),
		cmocka_unit_test(a_stale_reference_hides_a_word_no_longer_than_its_age),
		cmocka_unit_test(rest_and_smoothing_go_on_over_repeated_answers),
	};
	return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
