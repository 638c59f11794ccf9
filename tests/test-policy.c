/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "exits/policy.h"
#include "exits/posterior.h"

#define EXITS 3
#define CLASSES 4

/* The same distributions at three exits: unsure, half sure, certain. */
static const float posteriors[EXITS][CLASSES] = {
	{0.25f, 0.25f, 0.25f, 0.25f}, /* H = 1.386 */
	{0.5f, 0.5f, 0.0f, 0.0f},     /* H = 0.693 */
	{0.0f, 1.0f, 0.0f, 0.0f},     /* H = 0 */
};

/* The exit (0-based) that answers, going down from the first. */
static size_t leave_at(const float at_exits[EXITS][CLASSES], float delta)
{
	const struct kws_policy_config config = {.delta = delta};
	const struct kws_policy_ops *policy = kws_policy_find("entropy");
	struct kws_exit_output output = {.exits = EXITS, .classes = CLASSES};
	for (;; output.exit++) {
		assert_in_range(output.exit, 0, EXITS - 1);
		output.posteriors = at_exits[output.exit];
		output.entropy = kws_posterior_entropy(output.posteriors, CLASSES);
		if (kws_policy_stop(policy, &config, &output)) {
			return output.exit;
		}
	}
}

static void leaves_where_the_entropy_is_below_delta(void **state)
{
	(void)state;
	assert_int_equal(leave_at(posteriors, 1.4f), 0);
	assert_int_equal(leave_at(posteriors, 1.38f), 1);
	assert_int_equal(leave_at(posteriors, 0.7f), 1);
	assert_int_equal(leave_at(posteriors, 0.69f), 2);
	assert_int_equal(leave_at(posteriors, 10.0f), 0);
}

/* Strictly below: delta 0 asks every exit, even where the first one is certain. */
static void delta_0_never_leaves_early(void **state)
{
	(void)state;
	static const float certain[EXITS][CLASSES] = {{1.0f}, {1.0f}, {1.0f}};
	assert_int_equal(leave_at(posteriors, 0.0f), EXITS - 1);
	assert_int_equal(leave_at(certain, 0.0f), EXITS - 1);
	assert_int_equal(leave_at(certain, 1e-6f), 0);
}

static void the_last_exit_always_answers(void **state)
{
	(void)state;
	static const float unsure[EXITS][CLASSES] = {
		{0.25f, 0.25f, 0.25f, 0.25f},
		{0.25f, 0.25f, 0.25f, 0.25f},
		{0.25f, 0.25f, 0.25f, 0.25f},
	};
	assert_int_equal(leave_at(unsure, 0.1f), EXITS - 1);
	assert_int_equal(leave_at(unsure, NAN), EXITS - 1);
}

static void policies_are_found_by_name(void **state)
{
	(void)state;
	assert_ptr_equal(kws_policy_find("entropy"), &kws_policy_entropy);
	assert_null(kws_policy_find("Entropy"));
	assert_null(kws_policy_find(""));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(leaves_where_the_entropy_is_below_delta),
		cmocka_unit_test(delta_0_never_leaves_early),
		cmocka_unit_test(the_last_exit_always_answers),
		cmocka_unit_test(policies_are_found_by_name),
	};
	return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
