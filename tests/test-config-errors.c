/* SPDX-License-Identifier: Apache-2.0 */
/* What is wrong with a configuration, and how it is said. */
#include "tests/config-text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The longest line that inih's buffer holds, and one byte more. */
static void test_line_length(void **state)
{
	(void)state;
	struct kws_config_errors errors;
	char text[512] = "[model]\npath = ";
	size_t start = strlen("[model]\n");
	size_t from = strlen(text);
	memset(text + from, 'p', start + 197 - from);
	struct kws_config *config = parse(text);
	assert_int_equal(strlen(config->model.path.items[0]), 190);
	kws_config_destroy(config);
	text[start + 197] = 'p';
	parse_bad(text, strlen(text), NULL, 0, &errors);
	assert_int_equal(errors.count, 1);
	assert_string_equal(errors.text[0], "c:2: the line is longer than 197 bytes");
}

static void test_error_texts(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		const char *error;
	} cases[] = {
		{"x = 1\n", "c:1: a key stands before the first [section]"},
		{"[audio]\n\nrate\n", "c:3: expected [section] or key = value"},
		{"[audio]\n= 5\n", "c:2: expected [section] or key = value"},
		{"[audio]\ndevice = a\n  b\n", "c:3: expected [section] or key = value"},
		{"[audio\n", "c:1: a section is one [name] on a line of its own"},
		{"[audio] x\n", "c:1: a section is one [name] on a line of its own"},
		{"[sound]\nx = 1\ny = 2\n", "c:1: [sound]: there is no such section"},
		{"[keyword.stop]\nx = 1\n",
			"c:1: [keyword.stop]: there is no such section: that of a keyword is "
			"'keyword NAME'"},
		{"[]\n", "c:1: []: there is no such section"},
		{"[keywords]\n", "c:1: [keywords]: there is no such section"},
		{"[keyword]\n", "c:1: [keyword]: the keyword's name is missing"},
		{"[audio]\nrate = 1\n", "c:2: [audio].rate: there is no such key"},
		{"[detector]\nphrase = x\n", "c:2: [detector].phrase: there is no such key"},
		{"[keyword yes]\nrearm = 1\n", "c:2: [keyword yes].rearm: there is no such key"},
		{"[audio]\nrate_hz = 0\n#\nrate_hz = 0\n",
			"c:4: [audio].rate_hz: is already set in line 2"},
		{"[keyword a]\nenabled=1\n[keyword b]\nenabled=1\n[keyword a]\nenabled=1\n",
			"c:6: [keyword a].enabled: is already set in line 2"},
		{"[audio]\nrate_hz =\n", "c:2: [audio].rate_hz: has no value"},
		{"[model]\npath =\n", "c:2: [model].path: has no value"},
		{"[model]\npath = a, ,b\n", "c:2: [model].path: value 'a, ,b': has an empty path "
					    "before or after a comma"},
		{"[model]\npath = a,\n",
			"c:2: [model].path: value 'a,': has an empty path before or after a comma"},
		{"[model]\npath = a,b,c,d,e,f,g,h,i\n",
			"c:2: [model].path: value 'a,b,c,d,e,f,g,h,i': has more than 8 paths"},
		{"[audio]\nrate_hz = 4 4\n",
			"c:2: [audio].rate_hz: value '4 4': is not a whole number"},
		{"[audio]\nrate_hz = 0x10\n",
			"c:2: [audio].rate_hz: value '0x10': is not a whole number"},
		{"[audio]\nrate_hz = 8e3\n",
			"c:2: [audio].rate_hz: value '8e3': is not a whole number"},
		{"[audio]\nrate_hz = -\n",
			"c:2: [audio].rate_hz: value '-': is not a whole number"},
		{"[audio]\nrate_hz = 3999\n",
			"c:2: [audio].rate_hz: value '3999': must be 0 or 4000..384000"},
		{"[audio]\nchannels = 33\n", "c:2: [audio].channels: value '33': must be 0..32"},
		{"[audio]\nchannels = 4294967297\n",
			"c:2: [audio].channels: value '4294967297': must be 0..32"},
		{"[audio]\nchannels = 99999999999999999999\n",
			"c:2: [audio].channels: value '99999999999999999999': must be 0..32"},
		{"[dsp]\ndenoise_db = 1\n", "c:2: [dsp].denoise_db: value '1': must be -60..0"},
		{"[dsp]\nvad = maybe\n", "c:2: [dsp].vad: value 'maybe': must be yes or no"},
		{"[dsp]\nvad = Yess\n", "c:2: [dsp].vad: value 'Yess': must be yes or no"},
		{"[log]\nlevel = loud\n",
			"c:2: [log].level: value 'loud': must be error, warning, info or debug"},
		{"[exits]\npolicy = x\n",
			"c:2: [exits].policy: value 'x': must be entropy, score, margin, patience, "
			"difference, temporal-patience, always-1, always-2, always-3, always-4 or "
			"always-5"},
		{"[exits]\ndelta = nan\n", "c:2: [exits].delta: value 'nan': is not a number"},
		{"[exits]\ndelta = inf\n", "c:2: [exits].delta: value 'inf': is not a number"},
		{"[exits]\ndelta = 0x1\n", "c:2: [exits].delta: value '0x1': is not a number"},
		{"[exits]\ndelta = 1e\n", "c:2: [exits].delta: value '1e': is not a number"},
		{"[exits]\ndelta = 0.5 # high\n",
			"c:2: [exits].delta: value '0.5 # high': is not a number"},
		{"[exits]\ndelta = 1e999\n", "c:2: [exits].delta: value '1e999': must be 0..10 for "
					     "all exits, a list with one for each, or model"},
		{"[exits]\ndelta = -0.1\n", "c:2: [exits].delta: value '-0.1': must be 0..10 for "
					    "all exits, a list with one for each, or model"},
		{"[exits]\nscore = 0.9,\n", "c:2: [exits].score: value '0.9,': is not a number"},
		{"[exits]\nscore = 0.9 0.8\n",
			"c:2: [exits].score: value '0.9 0.8': is not a number"},
		{"[exits]\nscore = 0.9, 2.5\n",
			"c:2: [exits].score: value '0.9, 2.5': must be 0..2 for all exits, a list "
			"with one for each, or model"},
		{"[exits]\nmargin = Model\n",
			"c:2: [exits].margin: value 'Model': is not a number"},
		{"[exits]\ndelta = 1,1,1,1,1,1,1,1,1\n",
			"c:2: [exits].delta: value '1,1,1,1,1,1,1,1,1': has more than 8 numbers"},
		{"[exits]\ntemperature = 0\n",
			"c:2: [exits].temperature: value '0': must be 0.01..100 for all exits, a "
			"list with one for each, or model"},
		{"[exits]\nconfirm = 1\n",
			"c:2: [exits].confirm: value '1': must be off, 2, 3, 4 or 5"},
		{"[keyword yes]\nthreshold = 2\n",
			"c:2: [keyword yes].threshold: value '2': must be 0..1 or model"},
		{"[ipc]\nsite = \x1b[31m\n", "c:2: the line holds a control character"},
		{"[ipc]\nsite = a\rb\n", "c:2: the line holds a control character"},
		{"[log]\n\xef\xbb\xbf[ipc]\n", "c:2: the line begins with a byte order mark"},
		{"[log]\n \xef\xbb\xbflevel = info\n",
			"c:2: the line begins with a byte order mark"},
		{"\xef\xbb\xbf\xef\xbb\xbf[log]\n", "c:1: the line begins with a byte order mark"},
		{"[ipc]\nsite = \xff\n", "c:2: the line is not UTF-8"},
		{"[ipc]\nsite = \xc3\n", "c:2: the line is not UTF-8"},
		{"[ipc]\nsite = \xc0\xaf\n", "c:2: the line is not UTF-8"},
		{"[ipc]\nsite = \xed\xa0\x80\n", "c:2: the line is not UTF-8"},
		{"[ipc]\nsite = \xf4\x90\x80\x80\n", "c:2: the line is not UTF-8"},
	};
	for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
		struct kws_config_errors errors;
		parse_bad(cases[i].text, strlen(cases[i].text), NULL, 0, &errors);
		assert_string_equal(errors.text[0], cases[i].error);
		assert_int_equal(errors.count, 1);
		assert_int_equal(errors.total, 1);
	}
}

static void test_nul_byte(void **state)
{
	(void)state;
	static const char text[] = "[log]\nlevel = in\0fo\nlevel = x\n";
	struct kws_config_errors errors;
	parse_bad(text, sizeof(text) - 1, NULL, 0, &errors);
	assert_int_equal(errors.count, 2);
	assert_string_equal(errors.text[0], "c:2: the line holds a NUL byte");
	assert_string_equal(errors.text[1],
		"c:3: [log].level: value 'x': must be error, warning, info or debug");
}

static void test_string_too_long(void **state)
{
	(void)state;
	char text[256] = "[ipc]\nsite = ";
	char expected[512];
	struct kws_config_errors errors;
	memset(text + strlen(text), 's', 127);
	kws_config_destroy(parse(text));
	text[strlen(text)] = 's';
	parse_bad(text, strlen(text), NULL, 0, &errors);
	/* the value is cut, what is wrong with it is not */
	snprintf(expected, sizeof(expected),
		"c:2: [ipc].site: value '%.100s': is longer than 127 bytes",
		text + strlen("[ipc]\nsite = "));
	assert_string_equal(errors.text[0], expected);
}

static void test_all_errors_are_collected(void **state)
{
	(void)state;
	static const char text[] =
		"[audio]\nrate_hz = 1\nchannels = x\n[sound]\n[log]\nlevel = 1\n";
	static const char *const overrides[] = {"log.level=2", "dsp.vad=yes"};
	struct kws_config_errors errors;
	parse_bad(text, strlen(text), overrides, 2, &errors);
	assert_int_equal(errors.count, 5);
	assert_memory_equal(errors.text[0], "c:2: ", 5);
	assert_memory_equal(errors.text[1], "c:3: ", 5);
	assert_memory_equal(errors.text[2], "c:4: ", 5);
	assert_memory_equal(errors.text[3], "c:6: ", 5);
	assert_memory_equal(errors.text[4], "log.level: ", 11);
}

static void test_too_many_errors(void **state)
{
	(void)state;
	char text[256];
	struct kws_config_errors errors;
	memset(text, 0, sizeof(text));
	for (int i = 0; i < KWS_CONFIG_ERRORS_MAX; i++) {
		strcat(text, "x\n");
	}
	parse_bad(text, strlen(text), NULL, 0, &errors);
	assert_int_equal(errors.count, KWS_CONFIG_ERRORS_MAX);
	strcat(text, "x\nx\n");
	parse_bad(text, strlen(text), NULL, 0, &errors);
	assert_int_equal(errors.total, KWS_CONFIG_ERRORS_MAX + 2);
	assert_int_equal(errors.count, KWS_CONFIG_ERRORS_MAX + 1);
	assert_string_equal(
		errors.text[KWS_CONFIG_ERRORS_MAX - 1], "c:32: expected [section] or key = value");
	assert_string_equal(errors.text[KWS_CONFIG_ERRORS_MAX], "and 2 more");
}

static void test_too_many_keywords(void **state)
{
	(void)state;
	char text[2048] = "";
	struct kws_config_errors errors;
	for (int i = 0; i < KWS_CONFIG_KEYWORDS_MAX; i++) {
		snprintf(text + strlen(text), sizeof(text) - strlen(text), "[keyword k%d]\n", i);
	}
	struct kws_config *config = parse(text);
	assert_int_equal(config->keyword_count, KWS_CONFIG_KEYWORDS_MAX);
	kws_config_destroy(config);
	strcat(text, "[keyword k5]\nenabled=no\n[keyword last]\nenabled=no\n");
	parse_bad(text, strlen(text), NULL, 0, &errors);
	assert_int_equal(errors.count, 1);
	assert_string_equal(
		errors.text[0], "c:67: [keyword last]: there are more than 64 keywords");
}

static void test_override_errors(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		const char *error;
	} cases[] = {
		{"", "setting '': expected section.key=value"},
		{"detector.threshold", "setting 'detector.threshold': expected section.key=value"},
		{"threshold=1", "setting 'threshold=1': expected section.key=value"},
		{"x=detector.threshold",
			"setting 'x=detector.threshold': expected section.key=value"},
		{"sound.x=1", "sound: there is no such section"},
		{"keyword.stop.threshold=1", "keyword.stop: there is no such section: that of a "
					     "keyword is 'keyword NAME'"},
		{"keyword.threshold=1", "keyword: the keyword's name is missing"},
		{"audio.x=1", "audio.x: there is no such key"},
		{"audio.rate_hz=1", "audio.rate_hz: value '1': must be 0 or 4000..384000"},
		{"keyword yes.threshold=2",
			"keyword yes.threshold: value '2': must be 0..1 or model"},
		{"log.level=", "log.level: has no value"},
		{"ipc.site=\xff\x1b", "setting 'ipc.site=?\?': is not UTF-8"},
		{"ipc.site=\n", "setting 'ipc.site=?': holds a control character"},
	};
	for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
		struct kws_config_errors errors;
		parse_bad("", 0, &cases[i].text, 1, &errors);
		assert_string_equal(errors.text[0], cases[i].error);
		assert_int_equal(errors.count, 1);
	}
}

static void test_override_length(void **state)
{
	(void)state;
	char text[4096] = "audio.path=";
	const char *overrides[] = {text};
	struct kws_config *config = NULL;
	struct kws_config_errors errors;
	size_t start = strlen(text);
	memset(text + start, 'p', 1023);
	assert_int_equal(kws_config_load(&config, NULL, overrides, 1, &errors), 0);
	assert_value(config, "audio.path", text + start);
	kws_config_destroy(config);
	memset(text + start, 'p', 1024);
	parse_bad("", 0, overrides, 1, &errors);
	assert_non_null(strstr(errors.text[0], "p': is longer than 1023 bytes"));
	strcpy(text, "model.path=");
	memset(text + start, 'p', 1023);
	text[start + 500] = ','; /* ", " as the value is told */
	parse_bad("", 0, overrides, 1, &errors);
	assert_non_null(strstr(errors.text[0], "p': is longer than 1023 bytes"));
	strcpy(text, "audio.path=");
	memset(text + start, 'p', sizeof(text) - start - 1);
	parse_bad("", 0, overrides, 1, &errors);
	assert_non_null(strstr(errors.text[0], "is too long"));
}

static void test_get_errors(void **state)
{
	(void)state;
	static const char *const keys[] = {"", ".", "audio", "audio.", "audio.x", ".rate_hz",
		"keyword.threshold", "keyword .threshold", "keyword x.rearm", "keywordx.threshold"};
	char text[KWS_CONFIG_VALUE_SIZE];
	char long_key[512];
	struct kws_config *config = parse("");
	for (size_t i = 0; i < ARRAY_LENGTH(keys); i++) {
		assert_int_equal(kws_config_get(config, keys[i], text, sizeof(text)), KWS_ENOENT);
	}
	memset(long_key, 'k', sizeof(long_key));
	strcpy(long_key + sizeof(long_key) - 3, ".x");
	assert_int_equal(kws_config_get(config, long_key, text, sizeof(text)), KWS_ENOENT);
	assert_int_equal(kws_config_get(config, "audio.source", text, 9), KWS_EINVAL);
	assert_int_equal(kws_config_get(config, "audio.source", text, 10), 0);
	assert_value(config, "keyword any.threshold", "model");
	assert_value(config, "keyword any.phrase", "any");
	kws_config_destroy(config);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_line_length),
		cmocka_unit_test(test_error_texts),
		cmocka_unit_test(test_nul_byte),
		cmocka_unit_test(test_string_too_long),
		cmocka_unit_test(test_all_errors_are_collected),
		cmocka_unit_test(test_too_many_errors),
		cmocka_unit_test(test_too_many_keywords),
		cmocka_unit_test(test_override_errors),
		cmocka_unit_test(test_override_length),
		cmocka_unit_test(test_get_errors),
	};
	return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
