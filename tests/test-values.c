/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <setjmp.h>

#include <cmocka.h>
#include <string.h>

#include "daemon/values.h"

/* What becomes of {"a.b": JSON}; NULL if it is refused. The caller frees it. */
static char *read_one(const char *json, struct kws_error *error)
{
	char text[128];
	json_t *values = NULL;
	snprintf(text, sizeof(text), "{\"a.b\": %s}", json);
	json_t *written = json_loads(text, 0, NULL);
	assert_non_null(written);
	int result = kws_values_read(written, &values, error);
	json_decref(written);
	assert_int_equal(result, values != NULL ? 0 : KWS_EINVAL);
	const char *value = json_string_value(json_object_get(values, "a.b"));
	char *copy = value != NULL ? strdup(value) : NULL;
	json_decref(values);
	return copy;
}

static void test_values(void **state)
{
	(void)state;
	static const char *const cases[][2] = {
		{"\"0.50\"", "0.50"},
		{"\"\"", ""},
		{"true", "yes"},
		{"false", "no"},
		{"7", "7"},
		{"-7", "-7"},
		{"9223372036854775807", "9223372036854775807"},
		{"0.9", "0.9"},
		{"0.85", "0.85"},
		{"0.30000000000000004", "0.30000000000000004"},
		{"1500.0", "1500"},
		{"1e2", "100"},
		{"-2.5", "-2.5"},
		{"1e-5", "0.00001"},
		{"1e19", "10000000000000000000"},
		{"1e300", "1e+300"},
		{"1e-300", "1e-300"},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct kws_error error;
		char *value = read_one(cases[i][0], &error);
		assert_non_null(value);
		assert_string_equal(value, cases[i][1]);
		free(value);
	}
}

static void test_others(void **state)
{
	(void)state;
	static const char *const cases[] = {"null", "[]", "[0.5]", "{}"};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct kws_error error;
		assert_null(read_one(cases[i], &error));
		assert_string_equal(
			error.text, "set: 'a.b' must be a string, a number or a boolean");
	}
}

/* One that cannot be read leaves nothing of the others. */
static void test_several(void **state)
{
	(void)state;
	json_t *values = NULL;
	json_t *written = json_pack("{s:i, s:b, s:s}", "a.b", 1, "c.d", 1, "e.f", "g");
	json_t *expected = json_pack("{s:s, s:s, s:s}", "a.b", "1", "c.d", "yes", "e.f", "g");
	assert_int_equal(kws_values_read(written, &values, NULL), 0);
	assert_true(json_equal(values, expected));
	json_decref(values);
	values = NULL;
	json_object_set_new(written, "h.i", json_null());
	assert_int_equal(kws_values_read(written, &values, NULL), KWS_EINVAL);
	assert_null(values);
	json_decref(written);
	json_decref(expected);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_values),
		cmocka_unit_test(test_others),
		cmocka_unit_test(test_several),
	};
	return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
