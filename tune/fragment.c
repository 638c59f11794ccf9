/* SPDX-License-Identifier: Apache-2.0 */
#include "tune/fragment.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tune/search.h"

/* Of a keyword that is only tried: as long as a number gets, and nobody's default. */
#define THRESHOLD (1.0 / 3.0)

#define SECTION_SIZE (sizeof(KWS_KEYWORD_SECTION) + KWS_KEYWORD_NAME_SIZE + 1)

struct writer {
	FILE *file;
	const struct kws_config *config;
	const struct kws_config *defaults;
	char section[SECTION_SIZE]; /* whose heading was written last */
	int result;                 /* of the first value that cannot stand in a file */
	struct kws_error *error;
};

static void write_value(
	struct writer *writer, const char *section, const char *name, const char *value)
{
	if (strcmp(writer->section, section) != 0) {
		snprintf(writer->section, sizeof(writer->section), "%s", section);
		fprintf(writer->file, "\n[%s]\n", section);
	}
	fprintf(writer->file, "%s = %s\n", name, value);
}

static void get_value(const struct kws_config *config, const char *section, const char *name,
	char value[KWS_CONFIG_VALUE_SIZE])
{
	char key[KWS_CONFIG_KEY_TEXT_SIZE];
	snprintf(key, sizeof(key), "%s.%s", section, name);
	if (kws_config_get(config, key, value, KWS_CONFIG_VALUE_SIZE) != 0) {
		value[0] = '\0';
	}
}

/* What the parser has against the text of one value, ":2: the line is too long" without its place.
 */
static const char *reason_of(const struct kws_config_errors *errors)
{
	const char *blank = strchr(errors->text[0], ' ');
	return blank != NULL ? blank + 1 : errors->text[0];
}

/* Each value alone, so that the one that cannot stand in a file can be named. */
static int check_value(
	const char *section, const char *name, const char *value, struct kws_error *error)
{
	char text[SECTION_SIZE + KWS_CONFIG_KEY_TEXT_SIZE + KWS_CONFIG_VALUE_SIZE];
	char read[KWS_CONFIG_VALUE_SIZE];
	struct kws_config *parsed;
	struct kws_config_errors errors;
	snprintf(text, sizeof(text), "[%s]\n%s = %s\n", section, name, value);
	int result = kws_config_parse(&parsed, "", text, strlen(text), NULL, 0, &errors);
	if (result == KWS_ENOMEM) {
		return kws_fail(error, result, "%s", kws_strerror(result));
	}
	if (result != 0) {
		return kws_fail(error, KWS_EINVAL, "[%s].%s: '%.60s' cannot stand in a file: %s",
			section, name, value, reason_of(&errors));
	}
	get_value(parsed, section, name, read);
	kws_config_destroy(parsed);
	if (strcmp(read, value) != 0) {
		return kws_fail(error, KWS_EINVAL,
			"[%s].%s: '%.60s' cannot stand in a file: it is read as '%.40s'", section,
			name, value, read);
	}
	return 0;
}

/* A key is left out where it has the value that it would have without being there. */
static void write_key(struct writer *writer, const struct kws_key *key, const char *section)
{
	char value[KWS_CONFIG_VALUE_SIZE];
	char otherwise[KWS_CONFIG_VALUE_SIZE];
	get_value(writer->config, section, key->name, value);
	if (key->inherits != NULL) {
		get_value(writer->config, key->inherits, key->name, otherwise);
	} else {
		get_value(writer->defaults, section, key->name, otherwise);
	}
	if (strcmp(value, otherwise) == 0) {
		return;
	}
	if (writer->result == 0) {
		writer->result = check_value(section, key->name, value, writer->error);
	}
	write_value(writer, section, key->name, value);
}

static void write_keyword(struct writer *writer, const char *name)
{
	char section[SECTION_SIZE];
	size_t count;
	const struct kws_key *keys = kws_schema_keys(&count);
	snprintf(section, sizeof(section), KWS_KEYWORD_SECTION " %s", name);
	for (size_t i = 0; i < count; i++) {
		if (strcmp(keys[i].section, KWS_KEYWORD_SECTION) == 0) {
			write_key(writer, &keys[i], section);
		}
	}
}

static void write_config(struct writer *writer)
{
	size_t count;
	const struct kws_key *keys = kws_schema_keys(&count);
	for (size_t i = 0; i < count; i++) {
		if (strcmp(keys[i].section, KWS_KEYWORD_SECTION) != 0) {
			write_key(writer, &keys[i], keys[i].section);
		}
	}
	for (size_t i = 0; i < writer->config->keyword_count; i++) {
		write_keyword(writer, writer->config->keywords[i].name);
	}
}

static int render(struct writer *writer, const char *comment, char **text, size_t *length)
{
	writer->file = open_memstream(text, length);
	if (writer->file == NULL) {
		return KWS_ENOMEM;
	}
	fputs(comment, writer->file);
	write_config(writer);
	return fclose(writer->file) == 0 ? 0 : KWS_ENOMEM;
}

/* Whether the text means the configuration that it was made of, as its values do one by one. */
static int check(
	const struct kws_config *config, const char *text, size_t length, struct kws_error *error)
{
	struct kws_config *parsed;
	struct kws_config_errors errors;
	int result =
		kws_config_parse(&parsed, "the new configuration", text, length, NULL, 0, &errors);
	if (result != 0) {
		return kws_fail(
			error, result == KWS_ENOMEM ? result : KWS_EINVAL, "%s", errors.text[0]);
	}
	bool same = kws_config_diff(config, parsed, NULL, NULL) == KWS_APPLY_NONE;
	kws_config_destroy(parsed);
	return same ? 0
		    : kws_fail(error, KWS_EINVAL,
			      "a value of the configuration cannot be written into a file");
}

int kws_fragment_render(
	char **out, const struct kws_config *config, const char *comment, struct kws_error *error)
{
	struct writer writer = {.config = config, .error = error};
	struct kws_config *defaults = NULL;
	struct kws_config_errors errors;
	char *text = NULL;
	size_t length = 0;
	int result = kws_config_load(&defaults, NULL, NULL, 0, &errors);
	writer.defaults = defaults;
	if (result == 0) {
		result = render(&writer, comment, &text, &length);
	}
	kws_config_destroy(defaults);
	if (result != 0) {
		free(text);
		return kws_fail(error, result, "%s", kws_strerror(result));
	}
	result = writer.result != 0 ? writer.result : check(config, text, length, error);
	if (result != 0) {
		free(text);
		return result;
	}
	*out = text;
	return 0;
}

int kws_fragment_check(
	const struct kws_config *config, const struct kws_model *model, struct kws_error *error)
{
	char *text = NULL;
	struct kws_config *copy = malloc(sizeof(*copy));
	if (copy == NULL) {
		return kws_fail(error, KWS_ENOMEM, "%s", kws_strerror(KWS_ENOMEM));
	}
	*copy = *config;
	int result = kws_search_add_keywords(model, copy, error);
	if (result == 0) {
		kws_config_set_thresholds(copy, THRESHOLD);
		result = kws_fragment_render(&text, copy, "", error);
	}
	free(text);
	kws_config_destroy(copy);
	return result;
}
