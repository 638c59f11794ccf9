/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/counters.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>

static struct kws_counters counters;

static int set_up(void **state)
{
	(void)state;
	counters = (struct kws_counters){0};
	return 0;
}

static void assert_counts(
	const char *model, const char *keyword, uint64_t detections, uint64_t near_misses)
{
	struct kws_counter counts = kws_counters_get(&counters, model, keyword);
	assert_int_equal(counts.detections, detections);
	assert_int_equal(counts.near_misses, near_misses);
}

static void each_keyword_of_each_model_is_counted_alone(void **state)
{
	(void)state;
	kws_counters_add(&counters, "one", "yes", true);
	kws_counters_add(&counters, "one", "yes", true);
	kws_counters_add(&counters, "one", "yes", false);
	kws_counters_add(&counters, "one", "no", false);
	kws_counters_add(&counters, "other", "yes", true);
	assert_counts("one", "yes", 2, 1);
	assert_counts("one", "no", 0, 1);
	assert_counts("other", "yes", 1, 0);
	assert_counts("other", "no", 0, 0);
}

static void a_long_name_is_found_again(void **state)
{
	char model[2 * KWS_COUNTERS_MODEL_SIZE + 1];
	(void)state;
	snprintf(model, sizeof(model), "%0*d", (int)sizeof(model) - 1, 7);
	kws_counters_add(&counters, model, "yes", true);
	kws_counters_add(&counters, model, "yes", true);
	assert_counts(model, "yes", 2, 0);
	assert_int_equal(counters.found, 1);
}

static void add_numbered(unsigned number)
{
	char keyword[16];
	snprintf(keyword, sizeof(keyword), "word %u", number);
	kws_counters_add(&counters, "one", keyword, true);
}

static void the_first_makes_room(void **state)
{
	(void)state;
	for (unsigned i = 0; i < KWS_COUNTERS_MAX; i++) {
		add_numbered(i);
	}
	add_numbered(0);
	assert_counts("one", "word 0", 2, 0);
	add_numbered(KWS_COUNTERS_MAX);
	assert_counts("one", "word 0", 0, 0);
	assert_counts("one", "word 1", 1, 0);
	assert_counts("one", "word 256", 1, 0);
	add_numbered(0);
	assert_counts("one", "word 0", 1, 0);
	assert_counts("one", "word 1", 0, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(each_keyword_of_each_model_is_counted_alone, set_up),
		cmocka_unit_test_setup(a_long_name_is_found_again, set_up),
		cmocka_unit_test_setup(the_first_makes_room, set_up),
	};
	return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
