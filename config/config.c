/* SPDX-License-Identifier: Apache-2.0 */
#include "config/config.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/error.h"
#include "config/file.h"
#include "config/parser.h"
#include "config/text.h"
#include "config/value.h"

int kws_config_parse(struct kws_config **out, const char *name, const char *text, size_t length,
	const char *const *overrides, size_t override_count, struct kws_config_errors *errors)
{
	*errors = (struct kws_config_errors){0};
	struct kws_config *config = calloc(1, sizeof(*config));
	if (config == NULL) {
		kws_config_errors_add(errors, "%s: %s", name, kws_strerror(KWS_ENOMEM));
		return KWS_ENOMEM;
	}
	kws__parser_run(config, name, text, length, overrides, override_count, errors);
	if (errors->total > 0) {
		kws_config_destroy(config);
		return KWS_EFORMAT;
	}
	*out = config;
	return 0;
}

int kws_config_load(struct kws_config **out, const char *path, const char *const *overrides,
	size_t override_count, struct kws_config_errors *errors)
{
	if (path == NULL) {
		return kws_config_parse(out, "", "", 0, overrides, override_count, errors);
	}
	*errors = (struct kws_config_errors){0};
	char *text;
	size_t length;
	struct kws_error error;
	int result = kws__file_read(path, &text, &length, &error);
	if (result < 0) {
		kws_config_errors_add(errors, "%s: %s", path, error.text);
		return result;
	}
	result = kws_config_parse(out, path, text, length, overrides, override_count, errors);
	free(text);
	return result;
}

void kws_config_destroy(struct kws_config *config)
{
	free(config);
}

/* The index of its section, keyword_count where it has none. */
static size_t find_keyword(const struct kws_config *config, const char *label)
{
	size_t i = 0;
	while (i < config->keyword_count && strcmp(config->keywords[i].name, label) != 0) {
		i++;
	}
	return i;
}

struct kws_keyword_config kws_config_keyword(const struct kws_config *config, const char *label)
{
	size_t i = find_keyword(config, label);
	if (i < config->keyword_count) {
		return config->keywords[i];
	}
	struct kws_keyword_config keyword = config->keyword_default;
	snprintf(keyword.name, sizeof(keyword.name), "%s", label);
	snprintf(keyword.phrase, sizeof(keyword.phrase), "%s", label);
	return keyword;
}

struct kws_keyword_config *kws_config_add_keyword(struct kws_config *config, const char *label)
{
	size_t i = find_keyword(config, label);
	if (i == KWS_CONFIG_KEYWORDS_MAX) {
		return NULL;
	}
	if (i == config->keyword_count) {
		config->keywords[i] = kws_config_keyword(config, label);
		config->keyword_count++;
	}
	return &config->keywords[i];
}

void kws_config_set_thresholds(struct kws_config *config, double threshold)
{
	config->keyword_default.threshold = threshold;
	for (size_t i = 0; i < config->keyword_count; i++) {
		config->keywords[i].threshold = threshold;
	}
}

static struct kws_config_floats *list_in(const void *of, const char *section, const char *name)
{
	const struct kws_key *key = kws_schema_find(section, name);
	assert(key != NULL && key->type == KWS_KEY_FLOATS);
	return (void *)((const char *)of + key->offset);
}

struct kws_config_floats *kws_config_exits_list(const struct kws_config *config, const char *name)
{
	return list_in(config, "exits", name);
}

struct kws_config_floats *kws_config_keyword_list(
	const struct kws_keyword_config *keyword, const char *name)
{
	return list_in(keyword, KWS_KEYWORD_SECTION, name);
}

const char *kws_config_policy_name(enum kws_config_policy policy)
{
	return kws_schema_find("exits", "policy")->choices[policy];
}

const char *kws_config_source_name(enum kws_config_source source)
{
	return kws_schema_find("audio", "source")->choices[source];
}

const char *kws_config_confirm_name(enum kws_config_confirm confirm)
{
	return kws_schema_find("exits", "confirm")->choices[confirm];
}

/* NULL when there is none. `section` gets what is before the dot; *name is the keyword's, in it, or
 * NULL for the keys of other sections. */
static const struct kws_key *find_key(
	const char *key, char section[KWS_CONFIG_KEY_TEXT_SIZE], const char **name)
{
	const char *dot = strrchr(key, '.');
	if (dot == NULL || dot - key >= KWS_CONFIG_KEY_TEXT_SIZE) {
		return NULL;
	}
	snprintf(section, KWS_CONFIG_KEY_TEXT_SIZE, "%.*s", (int)(dot - key), key);
	*name = kws__parser_keyword_name(section);
	if (*name != NULL && (*name)[0] == '\0') {
		return NULL;
	}
	return kws_schema_find(*name != NULL ? KWS_KEYWORD_SECTION : section, dot + 1);
}

enum kws_apply kws_config_apply(const char *key)
{
	char section[KWS_CONFIG_KEY_TEXT_SIZE];
	const char *name;
	const struct kws_key *found = find_key(key, section, &name);
	return found != NULL ? found->apply : KWS_APPLY_NONE;
}

/* The text that kws_config_get() takes; `keyword` is NULL for the keys of other sections. */
static void key_text(char *text, size_t size, const struct kws_key *key, const char *keyword)
{
	snprintf(text, size, "%s%s%s.%s", key->section, keyword != NULL ? " " : "",
		keyword != NULL ? keyword : "", key->name);
}

bool kws_config_override_sets(const char *override, const char *key)
{
	char text[KWS_CONFIG_KEY_TEXT_SIZE];
	char exact[KWS_CONFIG_KEY_TEXT_SIZE];
	size_t length = strcspn(override, "=");
	if (length >= sizeof(text)) {
		return false;
	}
	memcpy(text, override, length);
	text[length] = '\0';
	char *dot = strrchr(text, '.');
	if (dot == NULL) {
		return false;
	}
	*dot = '\0';
	const char *section = kws__text_trim(text);
	const char *name = kws__parser_keyword_name(section);
	if (name != NULL && name[0] == '\0') {
		return false;
	}
	const struct kws_key *found = kws_schema_find(
		name != NULL ? KWS_KEYWORD_SECTION : section, kws__text_trim(dot + 1));
	if (found == NULL) {
		return false;
	}
	key_text(exact, sizeof(exact), found, name);
	return strcmp(exact, key) == 0;
}

bool kws_config_key_is_exact(const char *key)
{
	return strchr(key, '=') == NULL && kws_config_override_sets(key, key);
}

bool kws_config_key_keyword(const char *key, char name[KWS_CONFIG_KEY_TEXT_SIZE])
{
	char section[KWS_CONFIG_KEY_TEXT_SIZE];
	const char *found = NULL;
	bool exists = find_key(key, section, &found) != NULL;
	snprintf(name, KWS_CONFIG_KEY_TEXT_SIZE, "%s", found != NULL ? found : "");
	return exists && found != NULL;
}

int kws_config_get(const struct kws_config *config, const char *key, char *text, size_t size)
{
	char section[KWS_CONFIG_KEY_TEXT_SIZE];
	const char *name;
	const struct kws_key *found = find_key(key, section, &name);
	if (found == NULL) {
		return KWS_ENOENT;
	}
	if (name == NULL) {
		return kws__value_format(found, config, text, size);
	}
	struct kws_keyword_config keyword = kws_config_keyword(config, name);
	return kws__value_format(found, &keyword, text, size);
}

static bool is_keyword_key(const struct kws_key *key)
{
	return strcmp(key->section, KWS_KEYWORD_SECTION) == 0;
}

/* Visits one key if it differs from the same key of `from`, or always where `from` is NULL. */
static enum kws_apply visit_key(const struct kws_key *key, const void *from, const void *to,
	const char *keyword, kws_config_visit_fn *visit, void *user)
{
	char name[KWS_CONFIG_KEY_TEXT_SIZE];
	char value[KWS_CONFIG_VALUE_SIZE];
	char old[KWS_CONFIG_VALUE_SIZE];
	/* Equal texts are equal values, so that one comparison serves every type. */
	kws__value_format(key, to, value, sizeof(value));
	if (from != NULL) {
		kws__value_format(key, from, old, sizeof(old));
		if (strcmp(old, value) == 0) {
			return KWS_APPLY_NONE;
		}
	}
	if (visit != NULL) {
		key_text(name, sizeof(name), key, keyword);
		visit(user, name, value, key->apply);
	}
	return key->apply;
}

/* All keys of `keyword`, or those that no keyword has where it is NULL; the strongest class. */
static enum kws_apply visit_keys(const void *from, const void *to, const char *keyword,
	kws_config_visit_fn *visit, void *user)
{
	size_t count;
	const struct kws_key *keys = kws_schema_keys(&count);
	enum kws_apply strongest = KWS_APPLY_NONE;
	for (size_t i = 0; i < count; i++) {
		if (is_keyword_key(&keys[i]) != (keyword != NULL)) {
			continue;
		}
		enum kws_apply apply = visit_key(&keys[i], from, to, keyword, visit, user);
		strongest = apply > strongest ? apply : strongest;
	}
	return strongest;
}

void kws_config_each(const struct kws_config *config, kws_config_visit_fn *visit, void *user)
{
	visit_keys(NULL, config, NULL, visit, user);
	for (size_t i = 0; i < config->keyword_count; i++) {
		const struct kws_keyword_config *keyword = &config->keywords[i];
		visit_keys(NULL, keyword, keyword->name, visit, user);
	}
}

enum kws_apply kws_config_diff(const struct kws_config *from, const struct kws_config *to,
	kws_config_visit_fn *visit, void *user)
{
	enum kws_apply strongest = visit_keys(from, to, NULL, visit, user);
	/* The sections of `to`, then those that are only in `from`. */
	for (size_t i = 0; i < to->keyword_count + from->keyword_count; i++) {
		const char *name = i < to->keyword_count
					   ? to->keywords[i].name
					   : from->keywords[i - to->keyword_count].name;
		if (i >= to->keyword_count && find_keyword(to, name) < to->keyword_count) {
			continue;
		}
		struct kws_keyword_config old = kws_config_keyword(from, name);
		struct kws_keyword_config new = kws_config_keyword(to, name);
		enum kws_apply apply = visit_keys(&old, &new, name, visit, user);
		strongest = apply > strongest ? apply : strongest;
	}
	return strongest;
}
