/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "common/cpu.h"

static uint32_t parse(const char *text)
{
	struct kws_error error = {""};
	uint32_t mask = 12345;
	assert_int_equal(kws_cpu_parse_mask(text, &mask, &error), 0);
	return mask;
}

static void a_level_allows_those_below(void **state)
{
	(void)state;
	assert_int_equal(parse("c"), 0);
	assert_int_equal(parse("avx2"), KWS_CPU_AVX2);
	assert_int_equal(parse("avx512"), KWS_CPU_AVX2 | KWS_CPU_AVX512);
	assert_int_equal(parse("neon"), KWS_CPU_NEON);
	assert_int_equal(parse("all"), KWS_CPU_ALL);
}

static void a_bad_mask_gets_a_sentence_with_every_good_one(void **state)
{
	(void)state;
	static const char *const names[] = {"'sse9'", "c,",
#define XX(name, bit, text, implied) text,
		KWS_CPU_FLAG_MAP(XX)
#undef XX
			"all"};
	struct kws_error error = {""};
	uint32_t mask = 7;
	assert_int_equal(kws_cpu_parse_mask("sse9", &mask, &error), KWS_EINVAL);
	assert_int_equal(mask, 7);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		assert_non_null(strstr(error.text, names[i]));
	}
	assert_int_equal(kws_cpu_parse_mask("", &mask, &error), KWS_EINVAL);
	assert_int_equal(kws_cpu_parse_mask("AVX2", &mask, &error), KWS_EINVAL);
}

static void the_mask_only_takes_away(void **state)
{
	(void)state;
	kws_cpu_set_mask(KWS_CPU_ALL);
	assert_int_equal(kws_cpu_flags(), kws_cpu_detect());
	kws_cpu_set_mask(KWS_CPU_AVX2);
	assert_int_equal(kws_cpu_flags(), kws_cpu_detect() & KWS_CPU_AVX2);
	kws_cpu_set_mask(0);
	assert_int_equal(kws_cpu_flags(), 0);
	kws_cpu_set_mask(KWS_CPU_ALL);
}

static void the_text_wins_over_the_environment(void **state)
{
	(void)state;
	struct kws_error error = {""};
	setenv("KWS_CPU_MASK", "c", 1);
	assert_int_equal(kws_cpu_take_mask("all", &error), 0);
	assert_int_equal(kws_cpu_flags(), kws_cpu_detect());
	assert_int_equal(kws_cpu_take_mask(NULL, &error), 0);
	assert_int_equal(kws_cpu_flags(), 0);
	setenv("KWS_CPU_MASK", "fast", 1);
	assert_int_equal(kws_cpu_take_mask(NULL, &error), KWS_EINVAL);
	assert_int_equal(kws_cpu_take_mask("all", &error), 0);
	unsetenv("KWS_CPU_MASK");
	assert_int_equal(kws_cpu_take_mask(NULL, &error), 0);
	assert_int_equal(kws_cpu_flags(), kws_cpu_detect());
}

static void what_the_cpu_lacks_is_not_found(void **state)
{
	(void)state;
	uint32_t flags = kws_cpu_detect();
	assert_int_equal(flags & ~(KWS_CPU_AVX2 | KWS_CPU_AVX512 | KWS_CPU_NEON), 0);
	assert_true((flags & KWS_CPU_AVX512) == 0 || (flags & KWS_CPU_AVX2) != 0);
	assert_true((flags & KWS_CPU_NEON) == 0 || (flags & KWS_CPU_AVX2) == 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_level_allows_those_below),
		cmocka_unit_test(a_bad_mask_gets_a_sentence_with_every_good_one),
		cmocka_unit_test(the_mask_only_takes_away),
		cmocka_unit_test(the_text_wins_over_the_environment),
		cmocka_unit_test(what_the_cpu_lacks_is_not_found),
	};
	return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
