/* SPDX-License-Identifier: Apache-2.0 */
/* Difference Detection and Temporal Patience on sequences of hops whose answers were worked out by
 * hand. In the names of logits the letter is the class that they name, the number the distance from
 * the plain ones. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "tests/policy-run.h"

static const float a[CLASSES] = {20.0f, 0.0f, 0.0f, 0.0f};
static const float a1[CLASSES] = {20.0f, 0.0f, 1.0f, 0.0f};
static const float a2[CLASSES] = {20.0f, 0.0f, 2.0f, 0.0f};
static const float a5[CLASSES] = {20.0f, 3.0f, 4.0f, 0.0f};
static const float b[CLASSES] = {0.0f, 20.0f, 0.0f, 0.0f};
static const float b1[CLASSES] = {0.0f, 20.0f, 0.0f, 1.0f};
static const float c[CLASSES] = {0.0f, 0.0f, 20.0f, 0.0f};
static const float unsure[CLASSES] = {1.0f, 0.0f, 0.0f, 0.0f};
static const float unsure1[CLASSES] = {1.0f, 0.0f, 1.0f, 0.0f};
static const float broken[CLASSES] = {20.0f, NAN, 0.0f, 0.0f};

#define EXITS_OF(...) ((const float *const[EXITS]){__VA_ARGS__})

static struct policy_run start(const char *name, float distance)
{
	struct policy_run run = policy_run_start(name);
	policy_run_threshold(&run, distance);
	return run;
}

/* One hop: the exit (0-based), the reason and the class that are to come of it. */
static struct kws_decision expect(struct policy_run *run, const float *const *exits, size_t exit,
	enum kws_reason reason, size_t label)
{
	struct kws_decision decision = policy_run_hop(run, exits);
	assert_string_equal(kws_reason_name(decision.reason), kws_reason_name(reason));
	assert_int_equal(decision.exit, exit);
	assert_int_equal(decision.label, label);
	return decision;
}

static void assert_near(float got, float wanted)
{
	assert_true(fabsf(got - wanted) < 1e-4f);
}

static void an_answer_is_repeated_while_nothing_changes(void **state)
{
	(void)state;
	struct policy_run run = start("difference", 1.5f);
	struct kws_decision first =
		expect(&run, EXITS_OF(unsure, a, a, a, b), 4, KWS_REASON_NO_REFERENCE, 1);
	assert_true(isnan(first.change));
	assert_int_equal(first.disagreement, 4);
	float posterior = first.posteriors[1];
	float entropy = first.entropy;
	/* the first exit names class 0, but it named that in the reference as well */
	struct kws_decision next =
		expect(&run, EXITS_OF(unsure1, c, c, c, c), 0, KWS_REASON_UNCHANGED, 1);
	assert_near(next.change, 1.0f);
	assert_true(next.posteriors[1] == posterior && next.entropy == entropy);
	assert_int_equal(next.disagreement, 1);
	policy_run_finish(&run);
}

/* Unlike the authors' evaluator, which compares with the first sample for ever. */
static void each_scene_has_its_own_reference(void **state)
{
	(void)state;
	struct policy_run run = start("difference", 1.5f);
	expect(&run, EXITS_OF(a, a, a, a, a), 4, KWS_REASON_NO_REFERENCE, 0);
	expect(&run, EXITS_OF(a1, a, a, a, a), 0, KWS_REASON_UNCHANGED, 0);
	struct kws_decision decision =
		expect(&run, EXITS_OF(b, b, b, b, b), 4, KWS_REASON_CHANGED, 1);
	assert_near(decision.change, sqrtf(800.0f));
	decision = expect(&run, EXITS_OF(b1, b, b, b, b), 0, KWS_REASON_UNCHANGED, 1);
	assert_near(decision.change, 1.0f);
	expect(&run, EXITS_OF(a, a, a, a, a), 4, KWS_REASON_CHANGED, 0);
	policy_run_finish(&run);
}

/* A slow drift adds up: repeated answers do not move the reference. */
static void a_scene_is_compared_with_its_opening(void **state)
{
	(void)state;
	struct policy_run run = start("difference", 1.5f);
	expect(&run, EXITS_OF(a, a, a, a, a), 4, KWS_REASON_NO_REFERENCE, 0);
	expect(&run, EXITS_OF(a1, a, a, a, a), 0, KWS_REASON_UNCHANGED, 0);
	expect(&run, EXITS_OF(a2, a, a, a, a), 4, KWS_REASON_CHANGED, 0);
	policy_run_finish(&run);
}

/* ||(3, 4)|| = 5 */
static void the_threshold_itself_is_a_change(void **state)
{
	(void)state;
	struct policy_run run = start("difference", 5.0f);
	expect(&run, EXITS_OF(a, a, a, a, a), 4, KWS_REASON_NO_REFERENCE, 0);
	struct kws_decision decision =
		expect(&run, EXITS_OF(a5, a, a, a, a), 4, KWS_REASON_CHANGED, 0);
	assert_true(decision.change == 5.0f);
	policy_run_threshold(&run, 5.01f);
	expect(&run, EXITS_OF(a, a, a, a, a), 4, KWS_REASON_NO_REFERENCE, 0);
	expect(&run, EXITS_OF(a5, a, a, a, a), 0, KWS_REASON_UNCHANGED, 0);
	policy_run_threshold(&run, 0.0f);
	expect(&run, EXITS_OF(a, a, a, a, a), 4, KWS_REASON_NO_REFERENCE, 0);
	expect(&run, EXITS_OF(a, a, a, a, a), 4, KWS_REASON_CHANGED, 0);
	policy_run_finish(&run);
}

/* By the class of the answer that is repeated, not the one that the first exit names. */
static void distances_are_by_the_class_of_the_reference(void **state)
{
	(void)state;
	struct policy_run run = start("difference", 0.5f);
	run.settings.thresholds[0][1] = 1.5f;
	policy_run_configure(&run);
	expect(&run, EXITS_OF(a, b, b, b, b), 4, KWS_REASON_NO_REFERENCE, 1);
	expect(&run, EXITS_OF(a1, b, b, b, b), 0, KWS_REASON_UNCHANGED, 1);
	expect(&run, EXITS_OF(c, a, a, a, a), 4, KWS_REASON_CHANGED, 0);
	expect(&run, EXITS_OF(b, a, a, a, a), 4, KWS_REASON_CHANGED, 0);
	expect(&run, EXITS_OF(b1, a, a, a, a), 4, KWS_REASON_CHANGED, 0);
	policy_run_finish(&run);
}

static void no_reference_outlives_the_maximum_age(void **state)
{
	(void)state;
	struct policy_run run = start("difference", 1.5f);
	run.settings.max_age_hops = 3;
	policy_run_configure(&run);
	expect(&run, EXITS_OF(a, a, a, a, a), 4, KWS_REASON_NO_REFERENCE, 0);
	for (int scene = 0; scene < 3; scene++) {
		expect(&run, EXITS_OF(a1, b, b, b, b), 0, KWS_REASON_UNCHANGED, scene == 0 ? 0 : 1);
		expect(&run, EXITS_OF(a, b, b, b, b), 0, KWS_REASON_UNCHANGED, scene == 0 ? 0 : 1);
		struct kws_decision decision =
			expect(&run, EXITS_OF(a1, b, b, b, b), 4, KWS_REASON_AGE, 1);
		assert_near(decision.change, scene == 0 ? 1.0f : 0.0f); /* told all the same */
	}
	run.hop += 2; /* as if the policy had not been asked */
	expect(&run, EXITS_OF(a1, b, b, b, b), 4, KWS_REASON_AGE, 1);
	run.settings.max_age_hops = 0; /* counts as 1 */
	policy_run_configure(&run);
	expect(&run, EXITS_OF(a, a, a, a, a), 4, KWS_REASON_NO_REFERENCE, 0);
	expect(&run, EXITS_OF(a, a, a, a, a), 4, KWS_REASON_AGE, 0);
	policy_run_finish(&run);
}

static void a_gap_and_new_settings_forget_the_reference(void **state)
{
	(void)state;
	struct policy_run run = start("difference", 1.5f);
	const float *const *exits = EXITS_OF(a, a, a, a, a);
	expect(&run, exits, 4, KWS_REASON_NO_REFERENCE, 0);
	expect(&run, exits, 0, KWS_REASON_UNCHANGED, 0);
	kws_policy_reset(run.policy);
	expect(&run, exits, 4, KWS_REASON_NO_REFERENCE, 0);
	expect(&run, exits, 0, KWS_REASON_UNCHANGED, 0);
	/* to another rule and back: what was heard before it does not count */
	const struct kws_policy_settings settings = run.settings;
	kws_policy_settings_init(&run.settings, kws_policy_find("always-2"));
	policy_run_configure(&run);
	expect(&run, EXITS_OF(b, b, b, b, b), 1, KWS_REASON_FIXED, 1);
	run.settings = settings;
	policy_run_configure(&run);
	expect(&run, exits, 4, KWS_REASON_NO_REFERENCE, 0);
	/* from one that compares to the other */
	run.settings.policy = kws_policy_find("temporal-patience");
	policy_run_configure(&run);
	expect(&run, exits, 4, KWS_REASON_NO_REFERENCE, 0);
	expect(&run, exits, 0, KWS_REASON_UNCHANGED, 0);
	policy_run_finish(&run);
}

/* ln of 0.55, 0.45: class 1 is not below its limit of 0.4 in any of the first three answers. */
static void an_answer_with_a_keyword_in_it_is_not_repeated(void **state)
{
	(void)state;
	static const float close[CLASSES] = {-0.597837f, -0.798508f, -200.0f, -200.0f};
	struct policy_run run = start("difference", 1.5f);
	run.settings.hold_below[1] = 0.4f;
	policy_run_configure(&run);
	expect(&run, EXITS_OF(a, a, a, a, b), 4, KWS_REASON_NO_REFERENCE, 1);
	expect(&run, EXITS_OF(a, a, a, a, b), 4, KWS_REASON_NO_REFERENCE, 1);
	expect(&run, EXITS_OF(a, a, a, a, close), 4, KWS_REASON_NO_REFERENCE, 0);
	expect(&run, EXITS_OF(a, a, a, a, a), 4, KWS_REASON_NO_REFERENCE, 0);
	expect(&run, EXITS_OF(a, a, a, a, b), 0, KWS_REASON_UNCHANGED, 0);
	policy_run_finish(&run);
}

static void and_neither_is_one_that_follows_it(void **state)
{
	(void)state;
	struct policy_run run = start("difference", 1.5f);
	run.settings.hold_below[1] = 0.4f;
	run.settings.fresh_hops = 2;
	policy_run_configure(&run);
	expect(&run, EXITS_OF(a, a, a, a, a), 4, KWS_REASON_NO_REFERENCE, 0);
	expect(&run, EXITS_OF(b, a, a, a, b), 4, KWS_REASON_CHANGED, 1);
	expect(&run, EXITS_OF(a, a, a, a, a), 4, KWS_REASON_NO_REFERENCE, 0);
	expect(&run, EXITS_OF(a, a, a, a, a), 4, KWS_REASON_NO_REFERENCE, 0);
	expect(&run, EXITS_OF(a, a, a, a, a), 4, KWS_REASON_NO_REFERENCE, 0);
	expect(&run, EXITS_OF(a, a, a, a, b), 0, KWS_REASON_UNCHANGED, 0);
	/* a gap ends it */
	expect(&run, EXITS_OF(b, a, a, a, b), 4, KWS_REASON_CHANGED, 1);
	kws_policy_reset(run.policy);
	expect(&run, EXITS_OF(a, a, a, a, a), 4, KWS_REASON_NO_REFERENCE, 0);
	expect(&run, EXITS_OF(a, a, a, a, a), 0, KWS_REASON_UNCHANGED, 0);
	policy_run_finish(&run);
}

static void an_answer_without_numbers_is_not_repeated(void **state)
{
	(void)state;
	struct policy_run run = start("difference", 1.5f);
	expect(&run, EXITS_OF(a, a, a, a, broken), 4, KWS_REASON_INVALID, 0);
	expect(&run, EXITS_OF(broken, a, a, a, a), 4, KWS_REASON_NO_REFERENCE, 0);
	expect(&run, EXITS_OF(a, a, a, a, a), 4, KWS_REASON_NO_REFERENCE, 0);
	expect(&run, EXITS_OF(a, a, a, a, a), 0, KWS_REASON_UNCHANGED, 0);
	expect(&run, EXITS_OF(broken, a, a, a, broken), 4, KWS_REASON_INVALID, 0);
	expect(&run, EXITS_OF(a, a, a, a, a), 4, KWS_REASON_NO_REFERENCE, 0);
	policy_run_finish(&run);
}

static void temporal_patience_compares_the_first_exit_that_was_right(void **state)
{
	(void)state;
	struct policy_run run = start("temporal-patience", 1.5f);
	expect(&run, EXITS_OF(a, c, b, a, b), 4, KWS_REASON_NO_REFERENCE, 1);
	struct kws_decision decision =
		expect(&run, EXITS_OF(c, a, b1, c, c), 2, KWS_REASON_UNCHANGED, 1);
	assert_near(decision.change, 1.0f);
	assert_int_equal(decision.disagreement, 2);
	/* picked anew with each scene */
	expect(&run, EXITS_OF(a, a, a, a, a), 4, KWS_REASON_CHANGED, 0);
	expect(&run, EXITS_OF(a1, c, c, c, c), 0, KWS_REASON_UNCHANGED, 0);
	policy_run_finish(&run);
}

/* Near, but on the other side of the border between two classes. */
static void temporal_patience_wants_the_same_class(void **state)
{
	(void)state;
	static const float left[CLASSES] = {1.1f, 1.0f, 0.0f, 0.0f};
	static const float right[CLASSES] = {1.0f, 1.1f, 0.0f, 0.0f};
	struct policy_run run = start("temporal-patience", 1.5f);
	expect(&run, EXITS_OF(left, a, a, a, a), 4, KWS_REASON_NO_REFERENCE, 0);
	expect(&run, EXITS_OF(left, a, a, a, a), 0, KWS_REASON_UNCHANGED, 0);
	struct kws_decision decision =
		expect(&run, EXITS_OF(right, a, a, a, a), 4, KWS_REASON_CHANGED, 0);
	assert_near(decision.change, sqrtf(0.02f));
	policy_run_finish(&run);
}

static void temporal_patience_has_a_distance_for_each_exit(void **state)
{
	(void)state;
	struct policy_run run = start("temporal-patience", 0.5f);
	run.settings.thresholds[1][0] = 1.5f;
	policy_run_configure(&run);
	expect(&run, EXITS_OF(a, a, a, a, a), 4, KWS_REASON_NO_REFERENCE, 0);
	expect(&run, EXITS_OF(a1, a, a, a, a), 4, KWS_REASON_CHANGED, 0);
	expect(&run, EXITS_OF(b, a, a, a, a), 4, KWS_REASON_CHANGED, 0);
	expect(&run, EXITS_OF(b, a1, a, a, a), 1, KWS_REASON_UNCHANGED, 0);
	policy_run_finish(&run);
}

/* Nothing is saved by comparing there, so the answer is a fresh one. */
static void where_only_the_last_exit_was_right_it_answers(void **state)
{
	(void)state;
	struct policy_run run = start("temporal-patience", 1.5f);
	expect(&run, EXITS_OF(a, a, a, a, b), 4, KWS_REASON_NO_REFERENCE, 1);
	struct kws_decision decision =
		expect(&run, EXITS_OF(a, a, a, a, b1), 4, KWS_REASON_LAST_EXIT, 1);
	assert_near(decision.change, 1.0f);
	expect(&run, EXITS_OF(a, b, a, a, b), 4, KWS_REASON_LAST_EXIT, 1);
	expect(&run, EXITS_OF(a, b1, a, a, a), 1, KWS_REASON_UNCHANGED, 1);
	policy_run_finish(&run);
}

/* scene_delta: a new scene need not be asked to the end. */
static void a_new_scene_may_be_answered_early(void **state)
{
	(void)state;
	struct policy_run run = start("difference", 1.5f);
	run.settings.scene_delta = 0.3f;
	policy_run_configure(&run);
	expect(&run, EXITS_OF(unsure, b, a, a, a), 1, KWS_REASON_ENTROPY, 1);
	expect(&run, EXITS_OF(unsure1, a, a, a, a), 0, KWS_REASON_UNCHANGED, 1);
	expect(&run, EXITS_OF(a, b, b, b, b), 0, KWS_REASON_ENTROPY, 0);
	expect(&run, EXITS_OF(b, b, b, b, unsure), 0, KWS_REASON_ENTROPY, 1);
	expect(&run, EXITS_OF(unsure, unsure, unsure, unsure, unsure), 4, KWS_REASON_CHANGED, 0);
	run.settings.policy = kws_policy_find("temporal-patience");
	policy_run_configure(&run);
	expect(&run, EXITS_OF(unsure, unsure, b, a, a), 2, KWS_REASON_ENTROPY, 1);
	expect(&run, EXITS_OF(c, c, b1, a, a), 2, KWS_REASON_UNCHANGED, 1);
	policy_run_finish(&run);
}

/* What the last exit answered has been confirmed; an early answer to a new scene has not. */
static void a_repeated_answer_was_confirmed(void **state)
{
	(void)state;
	struct policy_run run = start("difference", 1.5f);
	run.settings.confirm_exit[1] = 4;
	policy_run_configure(&run);
	expect(&run, EXITS_OF(a, a, a, a, b), 4, KWS_REASON_NO_REFERENCE, 1);
	expect(&run, EXITS_OF(a1, a, a, a, a), 0, KWS_REASON_UNCHANGED, 1);
	run.settings.scene_delta = 0.3f;
	policy_run_configure(&run);
	expect(&run, EXITS_OF(b, b, b, b, b), 3, KWS_REASON_CONFIRMED, 1);
	expect(&run, EXITS_OF(a, b, b, b, b), 0, KWS_REASON_ENTROPY, 0);
	policy_run_finish(&run);
}

/* The same logits from a cache give the same decisions, to the bit. */
static void a_replay_gives_the_same(void **state)
{
	(void)state;
	const float *const hops[][EXITS] = {
		{a, a, a, a, a},
		{a1, b, b, b, b},
		{unsure, b, broken, a, b},
		{unsure1, c, c, c, c},
		{b, b, b, b, broken},
		{b, b, b, b, b},
	};
	struct kws_decision first[6];
	struct policy_run run = start("temporal-patience", 1.5f);
	for (size_t i = 0; i < 12; i++) {
		if (i == 6) {
			kws_policy_reset(run.policy);
			run.hop = 0;
		}
		struct kws_decision decision = policy_run_hop(&run, hops[i % 6]);
		decision.posteriors = NULL;
		if (i < 6) {
			first[i] = decision;
		}
		assert_int_equal(decision.exit, first[i % 6].exit);
		assert_int_equal(decision.reason, first[i % 6].reason);
		assert_int_equal(decision.label, first[i % 6].label);
		assert_memory_equal(&decision.entropy, &first[i % 6].entropy, sizeof(float));
		assert_memory_equal(&decision.change, &first[i % 6].change, sizeof(float));
	}
	policy_run_finish(&run);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_answer_is_repeated_while_nothing_changes),
		cmocka_unit_test(each_scene_has_its_own_reference),
		cmocka_unit_test(a_scene_is_compared_with_its_opening),
		cmocka_unit_test(the_threshold_itself_is_a_change),
		cmocka_unit_test(distances_are_by_the_class_of_the_reference),
		cmocka_unit_test(no_reference_outlives_the_maximum_age),
		cmocka_unit_test(a_gap_and_new_settings_forget_the_reference),
		cmocka_unit_test(an_answer_with_a_keyword_in_it_is_not_repeated),
		cmocka_unit_test(and_neither_is_one_that_follows_it),
		cmocka_unit_test(an_answer_without_numbers_is_not_repeated),
		cmocka_unit_test(temporal_patience_compares_the_first_exit_that_was_right),
		cmocka_unit_test(temporal_patience_wants_the_same_class),
		cmocka_unit_test(temporal_patience_has_a_distance_for_each_exit),
		cmocka_unit_test(where_only_the_last_exit_was_right_it_answers),
		cmocka_unit_test(a_new_scene_may_be_answered_early),
		cmocka_unit_test(a_repeated_answer_was_confirmed),
		cmocka_unit_test(a_replay_gives_the_same),
	};
	return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
