/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "pipeline/histogram.h"

static void an_empty_one_answers_0(void **state)
{
	(void)state;
	struct kws_histogram histogram = {0};
	assert_int_equal(kws_histogram_percentile_ns(&histogram, 0.5), 0);
}

/* A single value is its own percentile, an eighth too large at most, and never too small. */
static void every_value_is_met_closely(void **state)
{
	(void)state;
	for (uint64_t value = 0; value < UINT64_C(1) << 42; value += 1 + value / 37) {
		struct kws_histogram histogram = {0};
		kws_histogram_add(&histogram, value);
		uint64_t told = kws_histogram_percentile_ns(&histogram, 0.5);
		assert_true(told >= value);
		assert_true(told - value <= value / KWS_HISTOGRAM_STEPS);
	}
}

static void percentiles_are_ranks(void **state)
{
	(void)state;
	struct kws_histogram histogram = {0};
	for (uint64_t value = 1; value <= 100; value++) {
		kws_histogram_add(&histogram, value * 1000);
	}
	assert_in_range(kws_histogram_percentile_ns(&histogram, 0.5), 50000, 50000 * 9 / 8);
	assert_in_range(kws_histogram_percentile_ns(&histogram, 0.99), 99000, 99000 * 9 / 8);
	assert_in_range(kws_histogram_percentile_ns(&histogram, 1.0), 100000, 100000 * 9 / 8);
	assert_in_range(kws_histogram_percentile_ns(&histogram, 0.0), 1000, 1000 * 9 / 8);
}

static void huge_values_stay_inside(void **state)
{
	(void)state;
	struct kws_histogram histogram = {0};
	kws_histogram_add(&histogram, UINT64_MAX);
	assert_int_equal(kws_histogram_percentile_ns(&histogram, 0.5), (UINT64_C(1) << 42) - 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_empty_one_answers_0),
		cmocka_unit_test(every_value_is_met_closely),
		cmocka_unit_test(percentiles_are_ranks),
		cmocka_unit_test(huge_values_stay_inside),
	};
	return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
