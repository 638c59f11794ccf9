/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "exits/posterior.h"

static void assert_near(float got, double wanted)
{
	if (!(fabs((double)got - wanted) < 1e-6)) {
		fail_msg("%.8f, wanted %.8f", (double)got, wanted);
	}
}

static void softmax_of_known_logits(void **state)
{
	(void)state;
	/* e^0 : e^ln2 : e^ln5 = 1 : 2 : 5 */
	const float logits[] = {0.0f, 0.69314718f, 1.60943791f};
	float posteriors[3];
	kws_posterior_softmax(logits, 3, 1.0f, posteriors);
	assert_near(posteriors[0], 1.0 / 8);
	assert_near(posteriors[1], 2.0 / 8);
	assert_near(posteriors[2], 5.0 / 8);
}

static void softmax_does_not_overflow(void **state)
{
	(void)state;
	float values[] = {1000.0f, 999.0f, -3e38f};
	kws_posterior_softmax(values, 3, 1.0f, values); /* in place */
	assert_near(values[0], 1.0 / (1.0 + exp(-1.0)));
	assert_near(values[1], exp(-1.0) / (1.0 + exp(-1.0)));
	assert_near(values[2], 0.0);
}

static void softmax_ignores_a_common_shift(void **state)
{
	(void)state;
	const float logits[] = {1.0f, -2.0f, 0.5f};
	const float shifted[] = {9.0f, 6.0f, 8.5f};
	float first[3];
	float second[3];
	kws_posterior_softmax(logits, 3, 1.0f, first);
	kws_posterior_softmax(shifted, 3, 1.0f, second);
	assert_memory_equal(first, second, sizeof(first));
}

static void entropy_of_known_distributions(void **state)
{
	(void)state;
	const float certain[] = {0.0f, 1.0f, 0.0f, 0.0f};
	const float even[] = {0.25f, 0.25f, 0.25f, 0.25f};
	const float halves[] = {0.5f, 0.0f, 0.5f, 0.0f};
	const float uneven[] = {0.125f, 0.25f, 0.625f};
	const float above_one[] = {1.0000001f}; /* rounding must not make it negative */
	assert_true(kws_posterior_entropy(certain, 4) == 0.0f);
	assert_true(kws_posterior_entropy(above_one, 1) == 0.0f);
	assert_near(kws_posterior_entropy(even, 4), log(4.0));
	assert_near(kws_posterior_entropy(halves, 4), log(2.0));
	/* 0.125 * 2.0794415 + 0.25 * 1.3862944 + 0.625 * 0.4700036 */
	assert_near(kws_posterior_entropy(uneven, 3), 0.9002561);
}

static void best_is_the_first_of_the_largest(void **state)
{
	(void)state;
	const float values[] = {0.1f, 0.4f, 0.4f, 0.1f};
	assert_int_equal(kws_posterior_best(values, 4), 1);
	assert_int_equal(kws_posterior_best(values + 2, 2), 0);
	assert_int_equal(kws_posterior_best(values, 1), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(softmax_of_known_logits),
		cmocka_unit_test(softmax_does_not_overflow),
		cmocka_unit_test(softmax_ignores_a_common_shift),
		cmocka_unit_test(entropy_of_known_distributions),
		cmocka_unit_test(best_is_the_first_of_the_largest),
	};
	return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
