/* SPDX-License-Identifier: Apache-2.0 */
#include "tune/fragment.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SECTION_SIZE (sizeof(KWS_KEYWORD_SECTION) + KWS_KEYWORD_NAME_SIZE + 1)

struct writer {
	FILE *file;
	const struct kws_config *config;
	const struct kws_config *defaults;
	char section[SECTION_SIZE]; /* whose heading was written last */
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
	if (strcmp(value, otherwise) != 0) {
		write_value(writer, section, key->name, value);
	}
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

/* Whether the text means the configuration that it was made of. */
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
	struct writer writer = {.config = config};
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
	result = check(config, text, length, error);
	if (result != 0) {
		free(text);
		return result;
	}
	*out = text;
	return 0;
}
