/* SPDX-License-Identifier: Apache-2.0 */
/* What a configuration means: values, inheritance, differences. */
#include "tests/config-text.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void test_defaults(void **state)
{
	(void)state;
	struct kws_config *config = parse("");
	assert_int_equal(config->audio.source, KWS_CONFIG_SOURCE_PORTAUDIO);
	assert_int_equal(config->audio.buffer_ms, 2000);
	assert_int_equal(config->dsp.denoise_db, -15);
	assert_false(config->dsp.vad);
	assert_int_equal(config->exits.delta.count, 0);
	assert_true(isnan(config->detector.threshold));
	assert_int_equal(config->log.level, KWS_CONFIG_LEVEL_INFO);
	assert_string_equal(config->ipc.events, "");
	assert_int_equal(config->keyword_count, 0);
	assert_value(config, "audio.pace", "realtime");
	assert_value(config, "detector.threshold", "model");
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

static void test_inherited_keys_are_those_of_their_section(void **state)
{
	(void)state;
	size_t count;
	size_t inherited = 0;
	const struct kws_key *keys = kws_schema_keys(&count);
	for (size_t i = 0; i < count; i++) {
		if (keys[i].inherits == NULL) {
			continue;
		}
		const struct kws_key *from = kws_schema_find(keys[i].inherits, keys[i].name);
		assert_non_null(from);
		assert_int_equal(keys[i].type, from->type);
		assert_int_equal(keys[i].apply, from->apply);
		assert_true(keys[i].min == from->min && keys[i].max == from->max);
		assert_string_equal(keys[i].default_text, from->default_text);
		inherited++;
	}
	assert_int_equal(inherited, 9);
}

static void test_types(void **state)
{
	(void)state;
	struct kws_config *config = parse("[audio]\nsource=null\ndevice = USB  Audio #1\n"
					  "rate_hz = 0\nchannel=+3\n"
					  "[dsp]\ndenoise=on\ndenoise_db=-60\nagc=1\nvad=True\n"
					  "[detector]\nthreshold = 1e-1\nrearm=.5\n"
					  "[ipc]\nlevel_ms=100\nscores=No\nsite=K\xc3\xbc"
					  "che\n[log]\nlevel=Debug\n");
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

static void test_lists(void **state)
{
	(void)state;
	struct kws_config *config = parse("[exits]\ndelta = 0.5\nscore = .9 ,1e0,\t0.75\n"
					  "margin=model\nconfirm=3\n"
					  "[keyword yes]\ndelta=0.25, 1, 1, 1, 1\nconfirm=off\n"
					  "[keyword no]\nscore=model\n");
	assert_int_equal(config->exits.delta.count, 1);
	assert_true(config->exits.delta.values[0] == 0.5);
	assert_int_equal(config->exits.score.count, 3);
	assert_true(config->exits.score.values[1] == 1.0);
	assert_value(config, "exits.score", "0.9, 1, 0.75");
	assert_value(config, "exits.margin", "model");
	assert_value(config, "exits.distance", "model");
	/* inherited, unless given: "model" is given, too */
	assert_value(config, "keyword yes.delta", "0.25, 1, 1, 1, 1");
	assert_value(config, "keyword yes.score", "0.9, 1, 0.75");
	assert_value(config, "keyword yes.confirm", "off");
	assert_value(config, "keyword no.delta", "0.5");
	assert_value(config, "keyword no.score", "model");
	assert_value(config, "keyword no.confirm", "3");
	assert_value(config, "keyword other.delta", "0.5");
	kws_config_destroy(config);
}

static void test_models(void **state)
{
	(void)state;
	struct kws_config *config = parse("[model]\npath = /m/one model.x ,two.x,\t./three\n");
	const struct kws_config_paths *paths = &config->model.path;
	assert_int_equal(paths->count, 3);
	assert_string_equal(paths->items[0], "/m/one model.x");
	assert_string_equal(paths->items[1], "two.x");
	assert_string_equal(paths->items[2], "./three");
	assert_value(config, "model.path", "/m/one model.x, two.x, ./three");
	struct kws_config *same = parse("[model]\npath=/m/one model.x,two.x,./three\n");
	struct kws_config *other = parse("[model]\npath=two.x,/m/one model.x,./three\n");
	assert_int_equal(kws_config_diff(config, same, NULL, NULL), KWS_APPLY_NONE);
	assert_int_equal(kws_config_diff(config, other, NULL, NULL), KWS_APPLY_LIVE);
	kws_config_destroy(other);
	kws_config_destroy(same);
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

/* As `kws tune` makes a configuration of another. */
static void test_keywords_are_added(void **state)
{
	(void)state;
	struct kws_config *config =
		parse("[detector]\nthreshold = 0.7\n[keyword yes]\nphrase = y\n");
	assert_ptr_equal(kws_config_add_keyword(config, "yes"), &config->keywords[0]);
	struct kws_keyword_config *added = kws_config_add_keyword(config, "no");
	assert_int_equal(config->keyword_count, 2);
	assert_string_equal(added->name, "no");
	assert_true(added->threshold == 0.7);
	kws_config_set_thresholds(config, 0.2);
	assert_true(kws_config_keyword(config, "yes").threshold == 0.2);
	assert_true(kws_config_keyword(config, "no").threshold == 0.2);
	assert_true(kws_config_keyword(config, "other").threshold == 0.2);
	for (char name[] = "A0"; config->keyword_count < KWS_CONFIG_KEYWORDS_MAX; name[1]++) {
		assert_non_null(kws_config_add_keyword(config, name));
	}
	assert_null(kws_config_add_keyword(config, "another"));
	assert_non_null(kws_config_add_keyword(config, "no"));
	kws_config_destroy(config);
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

static void test_keys_have_one_spelling(void **state)
{
	(void)state;
	static const struct {
		const char *key;
		bool exact;
	} cases[] = {
		{"detector.threshold", true},
		{"keyword yes.threshold", true},
		{"keyword new  one.phrase", true},
		{"keyword v1.0.threshold", true},
		{"detector.threshold ", false},
		{" detector.threshold", false},
		{"detector .threshold", false},
		{"detector. threshold", false},
		{"Detector.threshold", false},
		{"detector.Threshold", false},
		{"keyword  yes.threshold", false},
		{"keyword\tyes.threshold", false},
		{"keyword yes .threshold", false},
		{"keyword yes\v.threshold", false},
		{"keyword .threshold", false},
		{"keyword.threshold", false},
		{"keyword yes.phrase=a.phrase", false},
		{"detector.threshold=0.5", false},
		{"threshold", false},
		{"", false},
	};
	for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
		assert_int_equal(kws_config_key_is_exact(cases[i].key), cases[i].exact);
	}
}

static void test_an_override_is_of_its_key_with_any_blanks(void **state)
{
	(void)state;
	static const struct {
		const char *override;
		const char *key;
		bool sets;
	} cases[] = {
		{"detector.threshold=0.5", "detector.threshold", true},
		{" detector . threshold = a=b", "detector.threshold", true},
		{"keyword \t v1.0 .threshold=0.5", "keyword v1.0.threshold", true},
		{"keyword a  b.threshold=0.5", "keyword a b.threshold", false},
		{"detector.rearm=0.5", "detector.threshold", false},
		{"detector.thresholds=0.5", "detector.threshold", false},
		{"threshold=detector.threshold", "detector.threshold", false},
		{"", "detector.threshold", false},
	};
	for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
		assert_int_equal(
			kws_config_override_sets(cases[i].override, cases[i].key), cases[i].sets);
	}
}

static void check_exact(void *user, const char *key, const char *value, enum kws_apply apply)
{
	(void)user;
	(void)value;
	(void)apply;
	assert_true(kws_config_key_is_exact(key));
}

static void test_every_key_told_is_in_its_spelling(void **state)
{
	(void)state;
	struct kws_config *config = parse("[keyword yes]\n[keyword  two \t words ]\n");
	kws_config_each(config, check_exact, NULL);
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
		{"[keyword a]\nthreshold=0.2\n", "", KWS_APPLY_LIVE,
			"keyword a.threshold=model 1\n"},
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
			"1", "0", "5000", "-1", "fast", "file", "score", "error", "2"};
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
		assert_int_equal(seen.count, 1);
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
	/* 11 keys of a keyword stand in the schema once, here twice */
	assert_int_equal(seen.count, count + 11);
	assert_non_null(strstr(seen.text, "\nkeyword a.threshold=0.123456789 1\n"));
	assert_non_null(strstr(seen.text, "\nkeyword b c.phrase=b c 1\n"));
	kws_config_each(config, get_same, config);
	kws_config_destroy(config);
}

static void test_key_of_a_keyword(void **state)
{
	(void)state;
	char name[KWS_CONFIG_KEY_TEXT_SIZE];
	assert_true(kws_config_key_keyword("keyword view glass.threshold", name));
	assert_string_equal(name, "view glass");
	static const char *const others[] = {"detector.threshold", "keyword yes.nonsense",
		"keyword.threshold", "keywords yes.threshold", "keyword yes", ""};
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		assert_false(kws_config_key_keyword(others[i], name));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_defaults),
		cmocka_unit_test(test_each_default_is_valid),
		cmocka_unit_test(test_inherited_keys_are_those_of_their_section),
		cmocka_unit_test(test_types),
		cmocka_unit_test(test_lists),
		cmocka_unit_test(test_models),
		cmocka_unit_test(test_layout),
		cmocka_unit_test(test_byte_order_mark),
		cmocka_unit_test(test_long_comment),
		cmocka_unit_test(test_keywords_inherit),
		cmocka_unit_test(test_keyword_names),
		cmocka_unit_test(test_keywords_are_added),
		cmocka_unit_test(test_overrides),
		cmocka_unit_test(test_keys_have_one_spelling),
		cmocka_unit_test(test_an_override_is_of_its_key_with_any_blanks),
		cmocka_unit_test(test_every_key_told_is_in_its_spelling),
		cmocka_unit_test(test_diff),
		cmocka_unit_test(test_diff_sees_each_key),
		cmocka_unit_test(test_each),
		cmocka_unit_test(test_key_of_a_keyword),
	};
	return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
