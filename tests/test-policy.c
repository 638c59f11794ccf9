/* SPDX-License-Identifier: Apache-2.0 */
/* Rules that look at one hop only, on logits whose answers were worked out by hand. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/policy-run.h"

/* ln of the posteriors, so that these come out as they stand here. */
static const float unsure[CLASSES] = {0.0f, 0.0f, 0.0f, 0.0f};           /* H = 1.386 */
static const float half[CLASSES] = {0.0f, 0.0f, -200.0f, -200.0f};       /* H = 0.693 */
static const float certain[CLASSES] = {-200.0f, 0.0f, -200.0f, -200.0f}; /* H = 0 */

static size_t leave_at(const char *name, float threshold, const float *const *exits)
{
	struct policy_run run = policy_run_start(name);
	policy_run_threshold(&run, threshold);
	struct kws_decision decision = policy_run_hop(&run, exits);
	policy_run_finish(&run);
	return decision.exit;
}

#define EXITS_OF(...) ((const float *const[EXITS]){__VA_ARGS__})

static void entropy_leaves_below_delta(void **state)
{
	(void)state;
	const float *const *exits = EXITS_OF(unsure, half, certain, certain, certain);
	assert_int_equal(leave_at("entropy", 1.4f, exits), 0);
	assert_int_equal(leave_at("entropy", 1.38f, exits), 1);
	assert_int_equal(leave_at("entropy", 0.7f, exits), 1);
	assert_int_equal(leave_at("entropy", 0.69f, exits), 2);
	assert_int_equal(leave_at("entropy", 10.0f, exits), 0);
}

/* Strictly below: delta 0 asks every exit, even where the first one is certain. */
static void delta_0_never_leaves_early(void **state)
{
	(void)state;
	const float *const *exits = EXITS_OF(certain, certain, certain, certain, certain);
	assert_int_equal(leave_at("entropy", 0.0f, exits), EXITS - 1);
	assert_int_equal(leave_at("entropy", 1e-6f, exits), 0);
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
	assert_true(fabsf(decision.entropy - 0.693147f) < 1e-5f);
	assert_true(fabsf(decision.posteriors[1] - 0.5f) < 1e-6f);
	assert_true(isnan(decision.change));
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
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(entropy_leaves_below_delta),
		cmocka_unit_test(delta_0_never_leaves_early),
		cmocka_unit_test(the_last_exit_always_answers),
		cmocka_unit_test(policies_are_found_by_name),
	};
	return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
