/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "common/error.h"

static void every_code_has_a_text_of_its_own(void **state)
{
	(void)state;
	static const int codes[] = {0,
#define XX(name, value, text) KWS_##name,
		KWS_ERROR_MAP(XX)
#undef XX
	};
	size_t count = sizeof(codes) / sizeof(codes[0]);
	for (size_t i = 0; i < count; i++) {
		assert_true(codes[i] <= 0);
		assert_string_not_equal(kws_strerror(codes[i]), "unknown error");
		for (size_t j = 0; j < i; j++) {
			assert_int_not_equal(codes[i], codes[j]);
			assert_string_not_equal(kws_strerror(codes[i]), kws_strerror(codes[j]));
		}
	}
}

static void knows_success_and_the_unknown(void **state)
{
	(void)state;
	assert_string_equal(kws_strerror(0), "success");
	assert_string_equal(kws_strerror(KWS_ENOMEM), "out of memory");
	assert_string_equal(kws_strerror(1), "unknown error");
	assert_string_equal(kws_strerror(-1000), "unknown error");
}

static void fail_tells_and_returns_the_code(void **state)
{
	(void)state;
	struct kws_error error;
	assert_int_equal(kws_fail(&error, KWS_EIO, "line %d of %s", 7, "x"), KWS_EIO);
	assert_string_equal(error.text, "line 7 of x");
	assert_int_equal(kws_fail(NULL, KWS_EBUSY, "nobody asks"), KWS_EBUSY);
}

static void a_long_sentence_is_cut(void **state)
{
	(void)state;
	struct kws_error error;
	kws_fail(&error, KWS_EIO, "%300s|", "end");
	assert_int_equal(strlen(error.text), sizeof(error.text) - 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_code_has_a_text_of_its_own),
		cmocka_unit_test(knows_success_and_the_unknown),
		cmocka_unit_test(fail_tells_and_returns_the_code),
		cmocka_unit_test(a_long_sentence_is_cut),
	};
	return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
