/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KWS_TESTS_CONFIG_TEXT_H
#define KWS_TESTS_CONFIG_TEXT_H

/* Configurations from text, for the tests of config/. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "common/error.h"
#include "config/config.h"

#define ARRAY_LENGTH(x) (sizeof(x) / sizeof((x)[0]))

/* The configuration of a text that must be right. */
static inline struct kws_config *parse(const char *text)
{
	struct kws_config *config = NULL;
	struct kws_config_errors errors;
	int result = kws_config_parse(&config, "c", text, strlen(text), NULL, 0, &errors);
	if (result != 0) {
		fail_msg("%s", errors.text[0]);
	}
	assert_int_equal(errors.total, 0);
	return config;
}

static inline void assert_value(
	const struct kws_config *config, const char *key, const char *expected)
{
	char text[KWS_CONFIG_VALUE_SIZE];
	assert_int_equal(kws_config_get(config, key, text, sizeof(text)), 0);
	assert_string_equal(text, expected);
}

/* Parses what must fail; the caller looks at the errors. */
static inline void parse_bad(const char *text, size_t length, const char *const *overrides,
	size_t override_count, struct kws_config_errors *errors)
{
	struct kws_config *config = NULL;
	int result =
		kws_config_parse(&config, "c", text, length, overrides, override_count, errors);
	assert_int_equal(result, KWS_EFORMAT);
	assert_null(config);
}

#endif
