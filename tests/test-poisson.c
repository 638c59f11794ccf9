/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tune/guarantee.h"
#include "tune/poisson.h"

static void assert_near(double got, double wanted, double tolerance)
{
	if (!(fabs(got - wanted) <= tolerance)) {
		fail_msg("%.10f is not %.10f", got, wanted);
	}
}

/* Garwood's limits as scipy.stats.chi2.ppf(p, 2 k) / 2 gives them. */
static void test_interval(void **state)
{
	static const struct {
		uint64_t count;
		double lower;
		double upper;
	} known[] = {
		{0, 0.0, 3.688879454},
		{1, 0.025317808, 5.571643391},
		{2, 0.242209279, 7.224687668},
		{5, 1.623486, 11.668332},
		{10, 4.795389, 18.390356},
		{100, 81.363991, 121.626794},
		{1000, 938.973018, 1063.952136},
	};
	(void)state;
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		struct kws_poisson_interval got = kws_poisson_interval(known[i].count, 0.95);
		assert_near(got.lower, known[i].lower, 1e-5);
		assert_near(got.upper, known[i].upper, 1e-5);
	}
}

/* With nothing seen the bound is -ln(1 - confidence): the "rule of three". */
static void test_upper(void **state)
{
	(void)state;
	assert_near(kws_poisson_upper(0, 0.95), 2.995732274, 1e-8);
	assert_near(kws_poisson_upper(0, 0.99), 4.605170186, 1e-8);
	assert_near(kws_poisson_upper(1, 0.95), 4.743864518, 1e-8);
	assert_near(kws_poisson_upper(3, 0.95), 7.753656528, 1e-8);
	assert_near(kws_poisson_upper(10, 0.95), 16.962219, 1e-5);
}

static void test_cdf(void **state)
{
	(void)state;
	assert_near(kws_poisson_cdf(0, 0.0), 1.0, 0.0);
	assert_near(kws_poisson_cdf(0, 2.0), 0.135335283, 1e-9);
	assert_near(kws_poisson_cdf(2, 2.0), 0.676676416, 1e-9);
	assert_near(kws_poisson_cdf(1000, 1000.0), 0.508409, 1e-5);
	assert_near(kws_poisson_cdf(5, 1e6), 0.0, 0.0);
}

/* The bound is kept as often as it says: the chance that so few are seen is what was left. */
static void test_bound_is_exact(void **state)
{
	(void)state;
	for (uint64_t count = 0; count < 200; count += 7) {
		double mean = kws_poisson_upper(count, 0.9);
		assert_near(kws_poisson_cdf(count, mean), 0.1, 1e-9);
	}
}

static void test_guarantee(void **state)
{
	(void)state;
	/* nothing in six hours: just enough for one in two hours */
	struct kws_guarantee kept = kws_guarantee_of(0, 6.0, 0.5, 0.95);
	assert_true(kept.kept);
	assert_near(kept.bound, 0.499289, 1e-6);
	struct kws_guarantee few = kws_guarantee_of(0, 2.0, 0.5, 0.95);
	assert_false(few.kept);
	assert_near(few.hours_needed, 5.991465, 1e-6);
	/* one in four hours: at that rate 23.7 hours have not more than the six they may have */
	struct kws_guarantee some = kws_guarantee_of(1, 4.0, 0.5, 0.95);
	assert_false(some.kept);
	assert_near(some.hours_needed, kws_poisson_upper(6, 0.95) / 0.5, 1e-9);
	assert_true(kws_guarantee_of(6, some.hours_needed, 0.5, 0.95).kept);
	/* more than wanted is seen: hours do not help */
	assert_near(kws_guarantee_of(3, 4.0, 0.5, 0.95).hours_needed, 0.0, 0.0);
	/* just below, hours that nobody has */
	assert_near(kws_guarantee_of(49, 99.0, 0.5, 0.95).hours_needed, 0.0, 0.0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_interval),
		cmocka_unit_test(test_upper),
		cmocka_unit_test(test_cdf),
		cmocka_unit_test(test_bound_is_exact),
		cmocka_unit_test(test_guarantee),
	};
	int failed = cmocka_run_group_tests(tests, NULL, NULL);
	return failed != 0;
}
