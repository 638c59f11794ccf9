/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/error.h"
#include "config/config.h"

#define SAMPLE_SIZE 16384
#define ARRAY_LENGTH(x) (sizeof(x) / sizeof((x)[0]))

/* The configuration of a text that must be right. */
static struct kws_config *parse(const char *text)
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

static void assert_value(const struct kws_config *config, const char *key, const char *expected)
{
	char text[KWS_CONFIG_VALUE_SIZE];
	assert_int_equal(kws_config_get(config, key, text, sizeof(text)), 0);
	assert_string_equal(text, expected);
}

/* Parses what must fail; the caller looks at the errors. */
static void parse_bad(const char *text, size_t length, const char *const *overrides,
	size_t override_count, struct kws_config_errors *errors)
{
	struct kws_config *config = NULL;
	int result =
		kws_config_parse(&config, "c", text, length, overrides, override_count, errors);
	assert_int_equal(result, KWS_EFORMAT);
	assert_null(config);
}

static void test_defaults(void **state)
{
	(void)state;
	struct kws_config *config = parse("");
	assert_int_equal(config->audio.source, KWS_CONFIG_SOURCE_PORTAUDIO);
	assert_int_equal(config->audio.buffer_ms, 2000);
	assert_int_equal(config->dsp.denoise_db, -15);
	assert_false(config->dsp.vad);
	assert_true(config->exits.delta == 0.5);
	assert_true(config->detector.threshold == 0.8);
	assert_int_equal(config->log.level, KWS_CONFIG_LEVEL_INFO);
	assert_string_equal(config->ipc.events, "");
	assert_int_equal(config->keyword_count, 0);
	assert_value(config, "audio.pace", "realtime");
	assert_value(config, "detector.threshold", "0.8");
	assert_value(config, "dsp.agc", "no");
	kws_config_destroy(config);
	kws_config_destroy(NULL);
}

/* A default outside its own range would show only when it is written into a file. */
static void test_each_default_is_valid(void **state)
{
	(void)state;
	size_t count;
	const struct kws_key *keys = kws_schema_keys(&count);
	assert_true(count > 30);
	for (size_t i = 0; i < count; i++) {
		char text[2048];
		bool keyword = strcmp(keys[i].section, KWS_KEYWORD_SECTION) == 0;
		snprintf(text, sizeof(text), "[%s%s]\n%s = %s\n", keys[i].section,
			keyword ? " x" : "", keys[i].name, keys[i].default_text);
		kws_config_destroy(parse(text));
		assert_ptr_equal(kws_schema_find(keys[i].section, keys[i].name), &keys[i]);
		assert_true(keys[i].apply > KWS_APPLY_NONE);
	}
}

static void test_inherited_keys_are_those_of_the_detector(void **state)
{
	(void)state;
	size_t count;
	size_t inherited = 0;
	const struct kws_key *keys = kws_schema_keys(&count);
	for (size_t i = 0; i < count; i++) {
		if (!keys[i].inherited) {
			continue;
		}
		const struct kws_key *from = kws_schema_find("detector", keys[i].name);
		assert_non_null(from);
		assert_int_equal(keys[i].type, from->type);
		assert_int_equal(keys[i].apply, from->apply);
		assert_true(keys[i].min == from->min && keys[i].max == from->max);
		assert_string_equal(keys[i].default_text, from->default_text);
		inherited++;
	}
	assert_int_equal(inherited, 4);
}

static void test_types(void **state)
{
	(void)state;
	struct kws_config *config = parse("[audio]\nsource=null\ndevice = USB  Audio #1\n"
					  "rate_hz = 0\nchannel=+3\n"
					  "[dsp]\ndenoise=on\ndenoise_db=-60\nagc=1\nvad=true\n"
					  "[detector]\nthreshold = 1e-1\nrearm=.5\n"
					  "[ipc]\nlevel_ms=100\nscores=off\nsite=K\xc3\xbc"
					  "che\n[log]\nlevel=debug\n");
	assert_int_equal(config->audio.source, KWS_CONFIG_SOURCE_NULL);
	assert_string_equal(config->audio.device, "USB  Audio #1");
	assert_int_equal(config->audio.channel, 3);
	assert_true(config->dsp.denoise && config->dsp.agc && config->dsp.vad);
	assert_int_equal(config->dsp.denoise_db, -60);
	assert_true(config->detector.threshold == 0.1);
	assert_true(config->detector.rearm == 0.5);
	assert_int_equal(config->ipc.level_ms, 100);
	assert_false(config->ipc.scores);
	assert_string_equal(config->ipc.site, "K\xc3\xbc"
					      "che");
	assert_int_equal(config->log.level, KWS_CONFIG_LEVEL_DEBUG);
	assert_value(config, "audio.source", "null");
	assert_value(config, "dsp.vad", "yes");
	assert_value(config, "detector.threshold", "0.1");
	kws_config_destroy(config);
}

static void test_layout(void **state)
{
	(void)state;
	struct kws_config *config = parse("; a comment\r\n"
					  "  # another\r\n"
					  "\r\n"
					  "  [ audio ] ; one behind a section\r\n"
					  "\tdevice : a=b ; one behind a value\r\n"
					  "   rate_hz = 16000\r\n" /* not a second line of device */
					  "[exits] # this too\n"
					  "[audio]\n"
					  "channels = 2"); /* no end of line */
	assert_string_equal(config->audio.device, "a=b");
	assert_int_equal(config->audio.rate_hz, 16000);
	assert_int_equal(config->audio.channels, 2);
	kws_config_destroy(config);
}

/* inih would skip the mark too, but never sees a section. */
static void test_byte_order_mark(void **state)
{
	(void)state;
	struct kws_config *config = parse("\xef\xbb\xbf[log]\nlevel=error\n");
	assert_int_equal(config->log.level, KWS_CONFIG_LEVEL_ERROR);
	kws_config_destroy(config);
}

static void test_long_comment(void **state)
{
	(void)state;
	char text[1024];
	memset(text, '#', sizeof(text));
	strcpy(text + 1000, "\n[log]\nlevel=error\n");
	struct kws_config *config = parse(text);
	assert_int_equal(config->log.level, KWS_CONFIG_LEVEL_ERROR);
	kws_config_destroy(config);
}

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
	assert_int_equal(strlen(config->model.path), 190);
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
		{"[audio]\nrate_hz =\n", "c:2: [audio].rate_hz: value '': has no value"},
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
		{"[dsp]\nvad = Yes\n", "c:2: [dsp].vad: value 'Yes': must be yes or no"},
		{"[log]\nlevel = loud\n",
			"c:2: [log].level: value 'loud': must be error, warning, info or debug"},
		{"[exits]\npolicy = x\n", "c:2: [exits].policy: value 'x': must be entropy"},
		{"[exits]\ndelta = nan\n", "c:2: [exits].delta: value 'nan': is not a number"},
		{"[exits]\ndelta = inf\n", "c:2: [exits].delta: value 'inf': is not a number"},
		{"[exits]\ndelta = 0x1\n", "c:2: [exits].delta: value '0x1': is not a number"},
		{"[exits]\ndelta = 1e\n", "c:2: [exits].delta: value '1e': is not a number"},
		{"[exits]\ndelta = 0.5 # high\n",
			"c:2: [exits].delta: value '0.5 # high': is not a number"},
		{"[exits]\ndelta = 1e999\n", "c:2: [exits].delta: value '1e999': must be 0..10"},
		{"[exits]\ndelta = -0.1\n", "c:2: [exits].delta: value '-0.1': must be 0..10"},
		{"[keyword yes]\nthreshold = 2\n",
			"c:2: [keyword yes].threshold: value '2': must be 0..1"},
		{"[ipc]\nsite = \x1b[31m\n", "c:2: the line holds a control character"},
		{"[ipc]\nsite = a\rb\n", "c:2: the line holds a control character"},
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
	assert_memory_equal(errors.text[4], "--set log.level: ", 17);
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

static void test_keywords_inherit(void **state)
{
	(void)state;
	/* [detector] comes last: the order in the file must not matter. */
	struct kws_config *config = parse("[keyword yes]\nthreshold = 0.6\nphrase = Oh yes!\n"
					  "[keyword no]\nenabled = no\n"
					  "[keyword yes]\nrefractory_ms = 0\n"
					  "[detector]\nthreshold = 0.9\npatience_hops = 7\n");
	assert_int_equal(config->keyword_count, 2);
	struct kws_keyword_config yes = kws_config_keyword(config, "yes");
	assert_string_equal(yes.name, "yes");
	assert_string_equal(yes.phrase, "Oh yes!");
	assert_true(yes.enabled);
	assert_true(yes.threshold == 0.6);
	assert_int_equal(yes.patience_hops, 7);
	assert_int_equal(yes.smoothing_hops, 5);
	assert_int_equal(yes.refractory_ms, 0);
	struct kws_keyword_config no = kws_config_keyword(config, "no");
	assert_string_equal(no.phrase, "no");
	assert_false(no.enabled);
	assert_true(no.threshold == 0.9);
	assert_int_equal(no.refractory_ms, 750);
	struct kws_keyword_config other = kws_config_keyword(config, "other");
	assert_string_equal(other.name, "other");
	assert_string_equal(other.phrase, "other");
	assert_true(other.enabled);
	assert_true(other.threshold == 0.9);
	assert_int_equal(other.patience_hops, 7);
	kws_config_destroy(config);
}

static void test_keyword_names(void **state)
{
	(void)state;
	char text[128];
	char key[128];
	char name[65];
	struct kws_config_errors errors;
	memset(name, 'n', sizeof(name));
	name[63] = '\0';
	/* longer than the 49 bytes that inih keeps of a section */
	snprintf(text, sizeof(text), "[keyword \t%s ]\nthreshold=0.25\n", name);
	struct kws_config *config = parse(text);
	assert_string_equal(config->keywords[0].name, name);
	snprintf(key, sizeof(key), "keyword %s.threshold", name);
	assert_value(config, key, "0.25");
	kws_config_destroy(config);
	name[63] = 'n';
	name[64] = '\0';
	snprintf(text, sizeof(text), "[keyword %s]\nthreshold=5\n", name);
	parse_bad(text, strlen(text), NULL, 0, &errors);
	assert_int_equal(errors.count, 1);
	assert_non_null(strstr(errors.text[0], "]: the keyword's name is longer than 63 bytes"));
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

static void test_overrides(void **state)
{
	(void)state;
	static const char text[] = "[detector]\nthreshold = 0.7\n[keyword v1.0]\nthreshold = 0.6\n";
	static const char *const overrides[] = {
		"detector.threshold = 0.5",
		"detector.threshold=0.4",
		"keyword v1.0.threshold=0.3",
		"keyword new one.phrase=a=b.c",
		"audio.device=",
		"audio.path=/a;b #c",
	};
	struct kws_config *config = NULL;
	struct kws_config_errors errors;
	int result = kws_config_parse(
		&config, "c", text, strlen(text), overrides, ARRAY_LENGTH(overrides), &errors);
	assert_int_equal(result, 0);
	assert_value(config, "detector.threshold", "0.4");
	assert_value(config, "keyword v1.0.threshold", "0.3");
	assert_value(config, "keyword new one.phrase", "a=b.c");
	assert_value(config, "keyword new one.threshold", "0.4");
	assert_value(config, "audio.path", "/a;b #c");
	kws_config_destroy(config);
}

static void test_override_errors(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		const char *error;
	} cases[] = {
		{"", "--set : expected section.key=value"},
		{"detector.threshold", "--set detector.threshold: expected section.key=value"},
		{"threshold=1", "--set threshold=1: expected section.key=value"},
		{"x=detector.threshold", "--set x=detector.threshold: expected section.key=value"},
		{"sound.x=1", "--set sound: there is no such section"},
		{"keyword.threshold=1", "--set keyword: the keyword's name is missing"},
		{"audio.x=1", "--set audio.x: there is no such key"},
		{"audio.rate_hz=1", "--set audio.rate_hz: value '1': must be 0 or 4000..384000"},
		{"keyword yes.threshold=2", "--set keyword yes.threshold: value '2': must be 0..1"},
		{"log.level=", "--set log.level: value '': has no value"},
		{"ipc.site=\xff\x1b", "--set ipc.site=??: is not UTF-8"},
		{"ipc.site=\n", "--set ipc.site=?: holds a control character"},
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
	memset(text + start, 'p', sizeof(text) - start - 1);
	parse_bad("", 0, overrides, 1, &errors);
	assert_non_null(strstr(errors.text[0], "p: is too long"));
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
	assert_value(config, "keyword any.threshold", "0.8");
	assert_value(config, "keyword any.phrase", "any");
	kws_config_destroy(config);
}

/* What visitors saw, as "key=value class" lines. */
struct seen {
	char text[4096];
	int count;
};

static void see(void *user, const char *key, const char *value, enum kws_apply apply)
{
	struct seen *seen = user;
	size_t used = strlen(seen->text);
	snprintf(seen->text + used, sizeof(seen->text) - used, "%s=%s %d\n", key, value, apply);
	seen->count++;
}

static void test_diff(void **state)
{
	(void)state;
	static const struct {
		const char *from;
		const char *to;
		enum kws_apply apply;
		const char *seen;
	} cases[] = {
		{"[audio]\nrate_hz=0\n", "", KWS_APPLY_NONE, ""},
		{"", "[exits]\ndelta=0.3\n", KWS_APPLY_LIVE, "exits.delta=0.3 1\n"},
		{"[audio]\nrate_hz=8000\n", "[log]\nlevel=debug\n", KWS_APPLY_STREAM,
			"audio.rate_hz=0 2\nlog.level=debug 1\n"},
		{"[ipc]\nevents=a\n", "[audio]\nchannel=1\n", KWS_APPLY_RESTART,
			"audio.channel=1 2\nipc.events= 3\n"},
		{"[keyword a]\n", "", KWS_APPLY_NONE, ""},
		{"[keyword a]\nthreshold=0.2\n", "", KWS_APPLY_LIVE, "keyword a.threshold=0.8 1\n"},
		{"", "[keyword a]\nenabled=no\n", KWS_APPLY_LIVE, "keyword a.enabled=no 1\n"},
		{"[keyword a]\nenabled=no\n[keyword b]\n", "[keyword b]\n[keyword a]\nenabled=no\n",
			KWS_APPLY_NONE, ""},
		{"[keyword a]\nthreshold=0.3\n[keyword b]\n",
			"[keyword a]\nthreshold=0.3\n[keyword b]\n[detector]\nthreshold=0.4\n",
			KWS_APPLY_LIVE, "detector.threshold=0.4 1\nkeyword b.threshold=0.4 1\n"},
	};
	for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
		struct seen seen = {0};
		struct kws_config *from = parse(cases[i].from);
		struct kws_config *to = parse(cases[i].to);
		assert_int_equal(kws_config_diff(from, to, see, &seen), cases[i].apply);
		assert_string_equal(seen.text, cases[i].seen);
		assert_int_equal(kws_config_diff(from, to, NULL, NULL), cases[i].apply);
		kws_config_destroy(from);
		kws_config_destroy(to);
	}
}

/* Each key is changed by an override that another test text supplies, so that no key is
 * forgotten by the diff: one key that differs gives one visit of its own class. */
static void test_diff_sees_each_key(void **state)
{
	(void)state;
	struct kws_config *plain = parse("");
	size_t count;
	const struct kws_key *keys = kws_schema_keys(&count);
	for (size_t i = 0; i < count; i++) {
		static const char *const candidates[] = {
			"1", "0", "5000", "-1", "fast", "file", "entropy", "error"};
		bool keyword = strcmp(keys[i].section, KWS_KEYWORD_SECTION) == 0;
		struct seen seen = {0};
		for (size_t c = 0; c < ARRAY_LENGTH(candidates) && seen.count == 0; c++) {
			char text[128];
			const char *overrides[] = {text};
			struct kws_config *changed = NULL;
			struct kws_config_errors errors;
			snprintf(text, sizeof(text), "%s%s.%s=%s", keys[i].section,
				keyword ? " k" : "", keys[i].name, candidates[c]);
			if (kws_config_load(&changed, NULL, overrides, 1, &errors) < 0) {
				continue;
			}
			enum kws_apply apply = kws_config_diff(plain, changed, see, &seen);
			assert_int_equal(apply, seen.count > 0 ? keys[i].apply : KWS_APPLY_NONE);
			kws_config_destroy(changed);
		}
		bool only_choice = keys[i].type == KWS_KEY_ENUM && keys[i].choices[1] == NULL;
		assert_int_equal(seen.count, only_choice ? 0 : 1);
	}
	kws_config_destroy(plain);
}

static void get_same(void *user, const char *key, const char *value, enum kws_apply apply)
{
	const struct kws_config *config = user;
	assert_true(apply > KWS_APPLY_NONE);
	assert_value(config, key, value);
}

static void test_each(void **state)
{
	(void)state;
	size_t count;
	struct seen seen = {0};
	struct kws_config *config = parse("[keyword a]\nthreshold=0.123456789\n[keyword b c]\n");
	kws_schema_keys(&count);
	kws_config_each(config, see, &seen);
	/* 6 keys of a keyword stand in the schema once, here twice */
	assert_int_equal(seen.count, count + 6);
	assert_non_null(strstr(seen.text, "\nkeyword a.threshold=0.123456789 1\n"));
	assert_non_null(strstr(seen.text, "\nkeyword b c.phrase=b c 1\n"));
	kws_config_each(config, get_same, config);
	kws_config_destroy(config);
}

static void print_sample(char *text, size_t size)
{
	FILE *file = fmemopen(text, size, "w");
	assert_non_null(file);
	assert_int_equal(kws_schema_print(file), 0);
	fclose(file);
}

/* Removes the '#' in front of keys and sections; comments have a space behind it. */
static void uncomment(char *text)
{
	char *to = text;
	for (const char *from = text; *from != '\0'; from++) {
		bool line_start = from == text || from[-1] == '\n';
		bool key = line_start && *from == '#' && strchr(" #\n", from[1]) == NULL;
		if (!key) {
			*to++ = *from;
		}
	}
	*to = '\0';
}

static void test_sample_means_the_defaults(void **state)
{
	(void)state;
	size_t count;
	char text[SAMPLE_SIZE];
	print_sample(text, sizeof(text));
	struct kws_config *plain = parse("");
	struct kws_config *sample = parse(text);
	assert_int_equal(kws_config_diff(plain, sample, NULL, NULL), KWS_APPLY_NONE);
	kws_config_destroy(sample);

	uncomment(text);
	sample = parse(text);
	assert_int_equal(sample->keyword_count, 1);
	assert_int_equal(kws_config_diff(plain, sample, NULL, NULL), KWS_APPLY_NONE);
	const struct kws_key *keys = kws_schema_keys(&count);
	for (size_t i = 0; i < count; i++) {
		char line[128];
		snprintf(line, sizeof(line), "\n%s =", keys[i].name);
		assert_non_null(strstr(text, line));
	}
	kws_config_destroy(sample);
	kws_config_destroy(plain);
}

/* The sample in the repository is for people who look before they install. It is what the schema
 * prints, with the default prefix in the path of the model. */
static void test_sample_in_the_repository(void **state)
{
	(void)state;
	static const char model[] = "/usr/local/share/kwsd/models/commands.safetensors";
	char printed[SAMPLE_SIZE];
	print_sample(printed, sizeof(printed));
	struct kws_config *plain = parse("");
	char *path = strstr(printed, plain->model.path);
	assert_non_null(path);
	char *rest = path + strlen(plain->model.path);

	char file_text[SAMPLE_SIZE];
	FILE *file = fopen(KWS_SAMPLE_FILE, "r");
	assert_non_null(file);
	size_t length = fread(file_text, 1, sizeof(file_text) - 1, file);
	fclose(file);
	file_text[length] = '\0';
	char expected[SAMPLE_SIZE];
	snprintf(expected, sizeof(expected), "%.*s%s%s", (int)(path - printed), printed, model,
		rest);
	assert_string_equal(file_text, expected);
	kws_config_destroy(plain);
}

static void test_print_reports_a_full_disk(void **state)
{
	(void)state;
	FILE *file = fopen("/dev/full", "w");
	if (file == NULL) {
		skip();
	}
	assert_int_equal(kws_schema_print(file), KWS_EIO);
	fclose(file);
}

static char folder[] = "/tmp/kws-test-config-XXXXXX";
static char path[64];

static void write_file(const char *text, size_t length)
{
	FILE *file = fopen(path, "w");
	assert_non_null(file);
	assert_int_equal(fwrite(text, 1, length, file), length);
	assert_int_equal(fclose(file), 0);
}

static int make_folder(void **state)
{
	(void)state;
	if (mkdtemp(folder) == NULL) {
		return -1;
	}
	snprintf(path, sizeof(path), "%s/kwsd.conf", folder);
	return 0;
}

static int remove_folder(void **state)
{
	(void)state;
	unlink(path);
	return rmdir(folder);
}

static void test_load(void **state)
{
	(void)state;
	static const char text[] = "[dsp]\nvad = yes\n[log]\nlevel = nope\n";
	static const char *const overrides[] = {"dsp.vad=no"};
	struct kws_config *config = NULL;
	struct kws_config_errors errors;
	char expected[256];
	write_file(text, 16);
	assert_int_equal(kws_config_load(&config, path, NULL, 0, &errors), 0);
	assert_true(config->dsp.vad);
	kws_config_destroy(config);
	assert_int_equal(kws_config_load(&config, path, overrides, 1, &errors), 0);
	assert_false(config->dsp.vad);
	kws_config_destroy(config);
	config = NULL;
	write_file(text, strlen(text));
	assert_int_equal(kws_config_load(&config, path, NULL, 0, &errors), KWS_EFORMAT);
	assert_null(config);
	snprintf(expected, sizeof(expected),
		"%s:4: [log].level: value 'nope': must be error, warning, info or debug", path);
	assert_string_equal(errors.text[0], expected);
}

static void assert_load_fails(const char *file, int code, const char *sentence)
{
	struct kws_config *config = NULL;
	struct kws_config_errors errors;
	char expected[256];
	assert_int_equal(kws_config_load(&config, file, NULL, 0, &errors), code);
	assert_null(config);
	snprintf(expected, sizeof(expected), "%s: %s", file, sentence);
	assert_int_equal(errors.count, 1);
	assert_string_equal(errors.text[0], expected);
}

static void test_load_errors(void **state)
{
	(void)state;
	unlink(path);
	assert_load_fails(path, KWS_ENOENT, "No such file or directory");
	assert_load_fails("/etc/passwd/x", KWS_ENOENT, "Not a directory");
	assert_load_fails(folder, KWS_EFORMAT, "not a regular file");
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_load_fails(path, KWS_EFORMAT, "not a regular file"); /* and does not hang */
	unlink(path);
	if (geteuid() != 0) {
		write_file("", 0);
		chmod(path, 0);
		assert_load_fails(path, KWS_EIO, "Permission denied");
		unlink(path);
	}
}

static void test_file_size(void **state)
{
	(void)state;
	struct kws_config *config = NULL;
	struct kws_config_errors errors;
	char *text = malloc(KWS_CONFIG_FILE_MAX_BYTES + 1);
	assert_non_null(text);
	memset(text, '\n', KWS_CONFIG_FILE_MAX_BYTES + 1);
	write_file(text, KWS_CONFIG_FILE_MAX_BYTES);
	assert_int_equal(kws_config_load(&config, path, NULL, 0, &errors), 0);
	kws_config_destroy(config);
	write_file(text, KWS_CONFIG_FILE_MAX_BYTES + 1);
	assert_load_fails(path, KWS_EFORMAT, "larger than 1048576 bytes");
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_defaults),
		cmocka_unit_test(test_each_default_is_valid),
		cmocka_unit_test(test_inherited_keys_are_those_of_the_detector),
		cmocka_unit_test(test_types),
		cmocka_unit_test(test_layout),
		cmocka_unit_test(test_byte_order_mark),
		cmocka_unit_test(test_long_comment),
		cmocka_unit_test(test_line_length),
		cmocka_unit_test(test_error_texts),
		cmocka_unit_test(test_nul_byte),
		cmocka_unit_test(test_string_too_long),
		cmocka_unit_test(test_all_errors_are_collected),
		cmocka_unit_test(test_too_many_errors),
		cmocka_unit_test(test_keywords_inherit),
		cmocka_unit_test(test_keyword_names),
		cmocka_unit_test(test_too_many_keywords),
		cmocka_unit_test(test_overrides),
		cmocka_unit_test(test_override_errors),
		cmocka_unit_test(test_override_length),
		cmocka_unit_test(test_get_errors),
		cmocka_unit_test(test_diff),
		cmocka_unit_test(test_diff_sees_each_key),
		cmocka_unit_test(test_each),
		cmocka_unit_test(test_sample_means_the_defaults),
		cmocka_unit_test(test_sample_in_the_repository),
		cmocka_unit_test(test_print_reports_a_full_disk),
		cmocka_unit_test(test_load),
		cmocka_unit_test(test_load_errors),
		cmocka_unit_test(test_file_size),
	};
	return cmocka_run_group_tests(tests, make_folder, remove_folder) != 0;
}
