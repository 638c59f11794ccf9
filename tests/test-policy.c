/* SPDX-License-Identifier: Apache-2.0 */
/* Rules that look at one hop only, on logits whose answers were worked out by hand. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/policy-run.h"

/* Logits whose softmax is known. */
static const float unsure[CLASSES] = {0.0f, 0.0f, 0.0f, 0.0f};           /* H = 1.386 */
static const float half[CLASSES] = {0.0f, 0.0f, -200.0f, -200.0f};       /* H = 0.693 */
static const float certain[CLASSES] = {-200.0f, 0.0f, -200.0f, -200.0f}; /* class 1, H = 0 */
/* ln of 0.7, 0.2, 0.05, 0.05: H = 0.871, margin 0.5 */
static const float likely[CLASSES] = {-0.356675f, -1.609438f, -2.995732f, -2.995732f};
/* ln of 0.05, 0.9, 0.025, 0.025: H = 0.429, margin 0.85 */
static const float sure[CLASSES] = {-2.995732f, -0.105361f, -3.688879f, -3.688879f};
static const float broken[CLASSES] = {0.0f, 0.0f, NAN, 0.0f};
static const float endless[CLASSES] = {0.0f, INFINITY, 0.0f, 0.0f};
/* which class, and no doubt */
static const float a[CLASSES] = {200.0f, 0.0f, 0.0f, 0.0f};
static const float b[CLASSES] = {0.0f, 200.0f, 0.0f, 0.0f};
static const float c[CLASSES] = {0.0f, 0.0f, 200.0f, 0.0f};

#define EXITS_OF(...) ((const float *const[EXITS]){__VA_ARGS__})

static struct kws_decision decide_with(const char *name, float threshold, const float *const *exits)
{
	struct policy_run run = policy_run_start(name);
	policy_run_threshold(&run, threshold);
	struct kws_decision decision = policy_run_hop(&run, exits);
	decision.posteriors = NULL; /* the policy's, which goes */
	policy_run_finish(&run);
	return decision;
}

static size_t leave_at(const char *name, float threshold, const float *const *exits)
{
	return decide_with(name, threshold, exits).exit;
}

static void assert_near(float got, float wanted)
{
	assert_true(fabsf(got - wanted) < 1e-4f);
}

static void entropy_leaves_below_delta(void **state)
{
	(void)state;
	const float *const *exits = EXITS_OF(unsure, half, certain, certain, certain);
	assert_int_equal(leave_at("entropy", 1.4f, exits), 0);
	assert_int_equal(leave_at("entropy", 1.38f, exits), 1);
	assert_int_equal(leave_at("entropy", 0.7f, exits), 1);
	assert_int_equal(leave_at("entropy", 0.69f, exits), 2);
	assert_int_equal(leave_at("entropy", 10.0f, exits), 0);
	assert_int_equal(decide_with("entropy", 0.7f, exits).reason, KWS_REASON_ENTROPY);
}

/* Strictly below: delta 0 asks every exit, even where the first one is certain. */
static void delta_0_never_leaves_early(void **state)
{
	(void)state;
	const float *const *exits = EXITS_OF(certain, certain, certain, certain, certain);
	assert_int_equal(leave_at("entropy", 0.0f, exits), EXITS - 1);
	assert_int_equal(leave_at("entropy", 1e-6f, exits), 0);
}

static void score_leaves_at_its_threshold(void **state)
{
	(void)state;
	const float *const *exits = EXITS_OF(likely, likely, sure, likely, certain);
	assert_int_equal(leave_at("score", 0.69f, exits), 0);
	assert_int_equal(leave_at("score", 0.71f, exits), 2);
	assert_int_equal(leave_at("score", 0.91f, exits), 4);
	assert_int_equal(decide_with("score", 0.71f, exits).reason, KWS_REASON_SCORE);
	/* a threshold that no posterior reaches disables the exit */
	exits = EXITS_OF(certain, certain, certain, certain, certain);
	assert_int_equal(leave_at("score", 1.0f, exits), 0);
	assert_int_equal(leave_at("score", 1.01f, exits), 4);
}

static void margin_leaves_at_its_threshold(void **state)
{
	(void)state;
	const float *const *exits = EXITS_OF(half, likely, sure, likely, certain);
	assert_int_equal(leave_at("margin", 0.0f, exits), 0); /* equals lead by nothing */
	assert_int_equal(leave_at("margin", 0.49f, exits), 1);
	assert_int_equal(leave_at("margin", 0.51f, exits), 2);
	assert_int_equal(leave_at("margin", 0.86f, exits), 4);
	assert_int_equal(decide_with("margin", 0.49f, exits).reason, KWS_REASON_MARGIN);
}

/* Twice as warm halves the logits: 0.7 to 0.2 becomes sqrt(0.7) to sqrt(0.2). */
static void temperature_is_that_of_the_exit(void **state)
{
	(void)state;
	struct policy_run run = policy_run_start("always-2");
	run.settings.temperature[1] = 2.0f;
	policy_run_configure(&run);
	struct kws_decision decision =
		policy_run_hop(&run, EXITS_OF(likely, likely, likely, likely, likely));
	float sum = sqrtf(0.7f) + sqrtf(0.2f) + 2.0f * sqrtf(0.05f);
	assert_near(decision.posteriors[0], sqrtf(0.7f) / sum);
	assert_near(decision.posteriors[1], sqrtf(0.2f) / sum);
	policy_run_finish(&run);
}

/* The first exit names class 0, the others class 1. */
static void thresholds_are_by_exit_and_class(void **state)
{
	(void)state;
	struct policy_run run = policy_run_start("score");
	policy_run_threshold(&run, 0.95f);
	const float *const *exits = EXITS_OF(likely, sure, sure, sure, sure);
	run.settings.thresholds[0][1] = 0.1f; /* of a class that exit 1 does not name */
	run.settings.thresholds[2][1] = 0.85f;
	policy_run_configure(&run);
	assert_int_equal(policy_run_hop(&run, exits).exit, 2);
	run.settings.thresholds[0][0] = 0.65f;
	policy_run_configure(&run);
	assert_int_equal(policy_run_hop(&run, exits).exit, 0);
	policy_run_finish(&run);
}

static struct kws_decision decide_patiently(unsigned patience, const float *const *exits)
{
	struct policy_run run = policy_run_start("patience");
	run.settings.patience = patience;
	policy_run_configure(&run);
	struct kws_decision decision = policy_run_hop(&run, exits);
	policy_run_finish(&run);
	return decision;
}

/* t agreements need t + 1 exits: 3 is the most that comes before the last of 5. */
static void patience_counts_agreements_in_a_row(void **state)
{
	(void)state;
	assert_int_equal(decide_patiently(1, EXITS_OF(a, a, a, a, a)).exit, 1);
	assert_int_equal(decide_patiently(2, EXITS_OF(a, a, a, a, a)).exit, 2);
	assert_int_equal(decide_patiently(3, EXITS_OF(a, a, a, a, a)).exit, 3);
	assert_int_equal(decide_patiently(2, EXITS_OF(b, a, a, a, a)).exit, 3);
	assert_int_equal(decide_patiently(2, EXITS_OF(a, a, b, b, a)).exit, 4);
	assert_int_equal(decide_patiently(1, EXITS_OF(a, b, a, b, b)).exit, 4);
	struct kws_decision decision = decide_patiently(1, EXITS_OF(a, b, c, c, a));
	assert_int_equal(decision.exit, 3);
	assert_int_equal(decision.label, 2);
	assert_int_equal(decision.reason, KWS_REASON_AGREEMENT);
	assert_int_equal(decision.disagreement, 2);
}

/* The count is of one hop: what the last hop ended with is no agreement in the next. */
static void patience_begins_anew_with_each_hop(void **state)
{
	(void)state;
	struct policy_run run = policy_run_start("patience");
	run.settings.patience = 1;
	policy_run_configure(&run);
	for (int hop = 0; hop < 3; hop++) {
		assert_int_equal(policy_run_hop(&run, EXITS_OF(a, a, a, a, a)).exit, 1);
	}
	policy_run_finish(&run);
}

static void assert_refused(
	const struct kws_policy_settings *settings, size_t exits, const char *sentence)
{
	struct kws_error error = {""};
	assert_int_equal(kws_policy_check(settings, exits, CLASSES, &error), KWS_EINVAL);
	assert_string_equal(error.text, sentence);
}

static void what_can_never_fire_is_refused(void **state)
{
	(void)state;
	struct kws_policy_settings settings;
	kws_policy_settings_init(&settings, kws_policy_find("patience"));
	for (settings.patience = 1; settings.patience <= 3; settings.patience++) {
		assert_int_equal(kws_policy_check(&settings, 5, CLASSES, NULL), 0);
	}
	assert_refused(&settings, 5,
		"patience: 4 agreements can never come before the last of 5 exits, must be 1..3");
	settings.patience = 0;
	assert_refused(&settings, 5,
		"patience: 0 agreements can never come before the last of 5 exits, must be 1..3");
	settings.patience = 1;
	assert_int_equal(kws_policy_check(&settings, 3, CLASSES, NULL), 0);
	assert_refused(
		&settings, 2, "policy: patience needs a model of at least 3 exits, this one has 2");
	kws_policy_settings_init(&settings, kws_policy_find("always-4"));
	assert_int_equal(kws_policy_check(&settings, 4, CLASSES, NULL), 0);
	assert_refused(&settings, 3, "policy: there is no exit for always-4, the model has 3");
}

static void settings_that_are_no_settings_are_refused(void **state)
{
	(void)state;
	struct kws_policy_settings settings;
	kws_policy_settings_init(&settings, kws_policy_find("margin"));
	settings.thresholds[1][2] = NAN;
	assert_refused(&settings, 5, "margin: a threshold of exit 2 is not a number");
	settings.policy = kws_policy_find("always-1"); /* which has none */
	assert_int_equal(kws_policy_check(&settings, 5, CLASSES, NULL), 0);
	kws_policy_settings_init(&settings, kws_policy_find("entropy"));
	settings.temperature[2] = 0.0f;
	assert_refused(&settings, 5, "temperature: that of exit 3 must be a number above 0");
	kws_policy_settings_init(&settings, kws_policy_find("entropy"));
	settings.confirm_exit[1] = 4;
	assert_int_equal(kws_policy_check(&settings, 4, CLASSES, NULL), 0);
	assert_refused(&settings, 3, "confirm: there is no exit 4, the model has 3");
}

static void a_policy_has_as_many_exits_as_the_limits_allow(void **state)
{
	(void)state;
	struct kws_policy *policy = NULL;
	assert_int_equal(kws_policy_create(&policy, 0, 2), KWS_EINVAL);
	assert_int_equal(kws_policy_create(&policy, 2, 0), KWS_EINVAL);
	assert_int_equal(kws_policy_create(&policy, KWS_POLICY_EXITS_MAX + 1, 2), KWS_EINVAL);
	assert_int_equal(kws_policy_create(&policy, 2, KWS_POLICY_CLASSES_MAX + 1), KWS_EINVAL);
	assert_null(policy);
	assert_int_equal(
		kws_policy_create(&policy, KWS_POLICY_EXITS_MAX, KWS_POLICY_CLASSES_MAX), 0);
	kws_policy_destroy(policy);
	kws_policy_destroy(NULL);
}

static void always_n_is_that_exit(void **state)
{
	(void)state;
	static const char *const names[] = {
		"always-1", "always-2", "always-3", "always-4", "always-5"};
	for (size_t n = 0; n < EXITS; n++) {
		struct policy_run run = policy_run_start(names[n]);
		struct kws_decision decision = policy_run_hop(&run, EXITS_OF(a, unsure, b, a, c));
		assert_int_equal(decision.exit, n);
		assert_int_equal(
			decision.reason, n + 1 < EXITS ? KWS_REASON_FIXED : KWS_REASON_LAST_EXIT);
		policy_run_finish(&run);
	}
}

/* Class 1 is the keyword: three exits deep, or it is not taken. */
static struct policy_run start_confirming(const char *name)
{
	struct policy_run run = policy_run_start(name);
	run.settings.confirm_exit[1] = 3;
	policy_run_configure(&run);
	return run;
}

static void a_keyword_has_to_be_confirmed(void **state)
{
	(void)state;
	struct policy_run run = start_confirming("entropy");
	struct kws_decision decision = policy_run_hop(&run, EXITS_OF(a, b, b, b, b));
	assert_int_equal(decision.exit, 0); /* no keyword */
	assert_int_equal(decision.reason, KWS_REASON_ENTROPY);

	decision = policy_run_hop(&run, EXITS_OF(b, b, b, b, b));
	assert_int_equal(decision.exit, 2);
	assert_int_equal(decision.label, 1);
	assert_int_equal(decision.reason, KWS_REASON_CONFIRMED);

	/* not sure at the confirming exit: on to one that is */
	decision = policy_run_hop(&run, EXITS_OF(b, b, unsure, b, b));
	assert_int_equal(decision.exit, 3);
	assert_int_equal(decision.reason, KWS_REASON_CONFIRMED);

	/* contradicted: the deeper exit's word counts */
	decision = policy_run_hop(&run, EXITS_OF(b, a, b, b, b));
	assert_int_equal(decision.exit, 1);
	assert_int_equal(decision.label, 0);
	assert_int_equal(decision.reason, KWS_REASON_ENTROPY);
	assert_int_equal(decision.disagreement, 1);

	/* deep enough at once: nothing had to be confirmed */
	decision = policy_run_hop(&run, EXITS_OF(unsure, unsure, b, b, b));
	assert_int_equal(decision.exit, 2);
	assert_int_equal(decision.reason, KWS_REASON_ENTROPY);

	/* by the last exit */
	decision = policy_run_hop(&run, EXITS_OF(b, unsure, unsure, unsure, b));
	assert_int_equal(decision.exit, 4);
	assert_int_equal(decision.reason, KWS_REASON_CONFIRMED);
	decision = policy_run_hop(&run, EXITS_OF(b, unsure, unsure, unsure, a));
	assert_int_equal(decision.reason, KWS_REASON_LAST_EXIT);
	policy_run_finish(&run);
}

static void every_policy_can_be_made_to_confirm(void **state)
{
	(void)state;
	static const char *const names[] = {"score", "margin", "always-1", "patience"};
	for (size_t i = 0; i < 4; i++) {
		struct policy_run run = start_confirming(names[i]);
		run.settings.patience = 1;
		policy_run_configure(&run);
		assert_true(policy_run_hop(&run, EXITS_OF(a, a, a, a, a)).exit < 2);
		struct kws_decision decision = policy_run_hop(&run, EXITS_OF(b, b, b, b, b));
		assert_int_equal(decision.exit, 2);
		assert_int_equal(decision.reason, KWS_REASON_CONFIRMED);
		policy_run_finish(&run);
	}
}

/* However generous the threshold: an exit without numbers is passed over. */
static void no_policy_leaves_at_an_exit_without_numbers(void **state)
{
	(void)state;
	static const char *const names[] = {"entropy", "score", "margin", "patience", "difference",
		"temporal-patience", "always-1"};
	static const float generous[] = {100.0f, 0.0f, 0.0f, 0.0f, 1e6f, 1e6f, 0.0f};
	for (size_t i = 0; i < 7; i++) {
		struct policy_run run = policy_run_start(names[i]);
		policy_run_threshold(&run, generous[i]);
		policy_run_hop(&run, EXITS_OF(a, a, a, a, a)); /* a reference, for two of them */
		struct kws_decision decision =
			policy_run_hop(&run, EXITS_OF(broken, endless, broken, broken, a));
		assert_int_equal(decision.exit, 4);
		assert_int_equal(decision.reason, KWS_REASON_LAST_EXIT);
		assert_int_equal(decision.label, 0);
		assert_int_equal(decision.disagreement, 4);
		assert_near(decision.posteriors[0], 1.0f);
		policy_run_finish(&run);
	}
}

static void agreement_does_not_reach_over_an_exit_without_numbers(void **state)
{
	(void)state;
	assert_int_equal(decide_patiently(1, EXITS_OF(a, broken, a, a, a)).exit, 3);
	assert_int_equal(decide_patiently(2, EXITS_OF(a, a, broken, a, a)).exit, 4);
}

static void nothing_can_be_detected_without_numbers(void **state)
{
	(void)state;
	struct policy_run run = policy_run_start("entropy");
	policy_run_threshold(&run, 0.0f);
	struct kws_decision decision = policy_run_hop(&run, EXITS_OF(a, b, b, b, broken));
	assert_int_equal(decision.exit, 4);
	assert_int_equal(decision.reason, KWS_REASON_INVALID);
	assert_true(isnan(decision.entropy));
	for (size_t i = 0; i < CLASSES; i++) {
		assert_true(decision.posteriors[i] == 0.0f);
	}
	policy_run_finish(&run);
}

/* The largest floats there are: their distance and their squares are not finite. */
static void huge_logits_are_numbers(void **state)
{
	(void)state;
	static const float huge[CLASSES] = {3e38f, -3e38f, 0.0f, 0.0f};
	static const float opposite[CLASSES] = {-3e38f, 3e38f, 0.0f, 0.0f};
	struct policy_run run = policy_run_start("entropy");
	struct kws_decision decision = policy_run_hop(&run, EXITS_OF(huge, huge, huge, huge, huge));
	assert_int_equal(decision.exit, 0);
	assert_true(decision.posteriors[0] == 1.0f && decision.entropy == 0.0f);
	policy_run_finish(&run);
	run = policy_run_start("difference");
	policy_run_threshold(&run, 1e6f);
	policy_run_hop(&run, EXITS_OF(huge, a, a, a, a));
	decision = policy_run_hop(&run, EXITS_OF(opposite, b, b, b, b));
	assert_int_equal(decision.reason, KWS_REASON_CHANGED);
	assert_true(isinf(decision.change));
	policy_run_finish(&run);
}

static void the_last_exit_always_answers(void **state)
{
	(void)state;
	struct policy_run run = policy_run_start("entropy");
	const float *const *exits = EXITS_OF(unsure, half, unsure, unsure, half);
	struct kws_decision decision = policy_run_hop(&run, exits);
	assert_int_equal(decision.exit, EXITS - 1);
	assert_int_equal(decision.reason, KWS_REASON_LAST_EXIT);
	assert_int_equal(decision.label, 0);
	assert_near(decision.entropy, 0.693147f);
	assert_near(decision.posteriors[1], 0.5f);
	assert_true(isnan(decision.change));
	assert_int_equal(decision.disagreement, 0);
	policy_run_finish(&run);
}

/* A rule that remembers nothing answers as if it had always been the one. */
static void rules_can_be_changed_between_two_hops(void **state)
{
	(void)state;
	const float *const *exits = EXITS_OF(likely, sure, sure, sure, sure);
	struct policy_run run = policy_run_start("always-3");
	assert_int_equal(policy_run_hop(&run, exits).exit, 2);
	kws_policy_settings_init(&run.settings, kws_policy_find("score"));
	policy_run_configure(&run);
	assert_int_equal(policy_run_hop(&run, exits).exit, 1);
	kws_policy_settings_init(&run.settings, kws_policy_find("patience"));
	policy_run_configure(&run);
	assert_int_equal(policy_run_hop(&run, exits).exit, 3);
	policy_run_finish(&run);
}

static void policies_are_found_by_name(void **state)
{
	(void)state;
	static const char *const names[] = {"entropy", "score", "margin", "patience", "difference",
		"temporal-patience", "always-1", "always-5"};
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		assert_string_equal(kws_policy_name(kws_policy_find(names[i])), names[i]);
	}
	assert_null(kws_policy_find("Entropy"));
	assert_null(kws_policy_find("always-6"));
	assert_null(kws_policy_find(""));
	assert_string_equal(kws_policy_threshold_key(kws_policy_find("entropy")), "delta");
	assert_null(kws_policy_threshold_key(kws_policy_find("patience")));
	assert_string_equal(kws_reason_name(KWS_REASON_LAST_EXIT), "last-exit");
	assert_string_equal(kws_reason_name(KWS_REASON_SILENCE), "silence");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(entropy_leaves_below_delta),
		cmocka_unit_test(delta_0_never_leaves_early),
		cmocka_unit_test(score_leaves_at_its_threshold),
		cmocka_unit_test(margin_leaves_at_its_threshold),
		cmocka_unit_test(temperature_is_that_of_the_exit),
		cmocka_unit_test(thresholds_are_by_exit_and_class),
		cmocka_unit_test(patience_counts_agreements_in_a_row),
		cmocka_unit_test(patience_begins_anew_with_each_hop),
		cmocka_unit_test(what_can_never_fire_is_refused),
		cmocka_unit_test(settings_that_are_no_settings_are_refused),
		cmocka_unit_test(a_policy_has_as_many_exits_as_the_limits_allow),
		cmocka_unit_test(always_n_is_that_exit),
		cmocka_unit_test(a_keyword_has_to_be_confirmed),
		cmocka_unit_test(every_policy_can_be_made_to_confirm),
		cmocka_unit_test(no_policy_leaves_at_an_exit_without_numbers),
		cmocka_unit_test(agreement_does_not_reach_over_an_exit_without_numbers),
		cmocka_unit_test(nothing_can_be_detected_without_numbers),
		cmocka_unit_test(huge_logits_are_numbers),
		cmocka_unit_test(the_last_exit_always_answers),
		cmocka_unit_test(rules_can_be_changed_between_two_hops),
		cmocka_unit_test(policies_are_found_by_name),
	};
	return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
