/* SPDX-License-Identifier: Apache-2.0 */
#include "config/parser.h"

#include <assert.h>
#include <ini.h>
#include <stdio.h>
#include <string.h>

#include "common/utf8.h"
#include "config/text.h"
#include "config/value.h"

/* inih gets one line at a time. Left to read the whole file, the usual build (Debian's among them)
 * tells no line number, takes an indented line for a second value of the key above, cuts section
 * names at 49 bytes without a word and keeps silent about a section without keys. */

/* inih's buffer holds so many bytes of a line, beside "\r\n" and the NUL. */
#define LINE_MAX_BYTES (INI_MAX_LINE - 3)

/* Longest override: a keyword's name, a key and a value. */
#define OVERRIDE_MAX_BYTES (KWS_CONFIG_KEY_TEXT_SIZE + KWS_CONFIG_VALUE_SIZE)

#define KEYS_MAX 128

/* The line number of everything that stands in no file. */
#define LINE_OVERRIDE (-1)

struct parser {
	struct kws_config *config;
	struct kws_config_errors *errors;
	const char *name;
	int line; /* from 1; LINE_OVERRIDE while the overrides are read */

	/* The section that is being read. */
	const char *title;   /* as it was written, cut to its text */
	const char *section; /* as the schema has it; NULL: unknown, its keys are passed over */
	void *object;        /* that the offsets of its keys count in */
	int *lines;          /* where each of its keys was set: 0 nowhere, else the line */

	int key_lines[KEYS_MAX];
	int keyword_lines[KWS_CONFIG_KEYWORDS_MAX][KEYS_MAX];
	char title_copy[LINE_MAX_BYTES + 1]; /* outlives the line of the section */
};

/* `key` is NULL for an error of the whole section, `value` where there is none to show. What an
 * override gives has no bound, so it is cut for the sake of what stands behind it. Whether it came
 * as --set, as another option or by the control protocol is not known here, and not told. */
static void report(
	const struct parser *parser, const char *key, const char *value, const char *problem)
{
	const char *dot = key != NULL ? "." : "";
	const char *name = key != NULL ? key : "";
	const char *before = value != NULL ? ": value '" : "";
	const char *after = value != NULL ? "'" : "";
	const char *shown = value != NULL ? value : "";
	if (parser->line == LINE_OVERRIDE) {
		kws_config_errors_add(parser->errors, "%.100s%s%.100s%s%.100s%s: %s", parser->title,
			dot, name, before, shown, after, problem);
	} else {
		kws_config_errors_add(parser->errors, "%s:%d: [%s]%s%s%s%.100s%s: %s", parser->name,
			parser->line, parser->title, dot, name, before, shown, after, problem);
	}
}

static void report_line(const struct parser *parser, const char *problem)
{
	kws_config_errors_add(parser->errors, "%s:%d: %s", parser->name, parser->line, problem);
}

const char *kws__parser_keyword_name(const char *section)
{
	size_t length = strlen(KWS_KEYWORD_SECTION);
	if (strncmp(section, KWS_KEYWORD_SECTION, length) != 0) {
		return NULL;
	}
	size_t spaces = strspn(section + length, " \t");
	bool bare = section[length] == '\0';
	return bare || spaces > 0 ? section + length + spaces : NULL;
}

/* Finds the keyword or adds it. NULL, or what is wrong with it. */
static const char *enter_keyword(struct parser *parser, const char *name)
{
	struct kws_config *config = parser->config;
	if (name[0] == '\0') {
		return "the keyword's name is missing";
	}
	if (strlen(name) >= KWS_KEYWORD_NAME_SIZE) {
		return "the keyword's name is longer than 63 bytes";
	}
	size_t index = 0;
	while (index < config->keyword_count && strcmp(config->keywords[index].name, name) != 0) {
		index++;
	}
	if (index == KWS_CONFIG_KEYWORDS_MAX) {
		return "there are more than 64 keywords";
	}
	if (index == config->keyword_count) {
		config->keywords[index] = config->keyword_default;
		strcpy(config->keywords[index].name, name);
		config->keyword_count++;
	}
	parser->section = KWS_KEYWORD_SECTION;
	parser->object = &config->keywords[index];
	parser->lines = parser->keyword_lines[index];
	return NULL;
}
static_assert(KWS_KEYWORD_NAME_SIZE == 64 && KWS_CONFIG_KEYWORDS_MAX == 64, "told in the errors");

/* Reports a section that does not exist once, not for each of its keys. `title` is kept. */
static void enter_section(struct parser *parser, const char *title)
{
	const char *name = kws__parser_keyword_name(title);
	const char *problem = NULL;
	parser->title = title;
	parser->section = NULL;
	if (name != NULL) {
		problem = enter_keyword(parser, name);
	} else if (kws_schema_has_section(title)) {
		parser->section = title;
		parser->object = parser->config;
		parser->lines = parser->key_lines;
	} else if (strncmp(title, KWS_KEYWORD_SECTION ".", sizeof(KWS_KEYWORD_SECTION)) == 0) {
		problem = "there is no such section: that of a keyword is 'keyword NAME'";
	} else {
		problem = "there is no such section";
	}
	if (problem != NULL) {
		report(parser, NULL, NULL, problem);
	}
}

static void set_key(struct parser *parser, const char *name, const char *value)
{
	if (parser->section == NULL) {
		return;
	}
	const struct kws_key *key = kws_schema_find(parser->section, name);
	if (key == NULL) {
		report(parser, name, NULL, "there is no such key");
		return;
	}
	size_t count;
	int *line = &parser->lines[key - kws_schema_keys(&count)];
	if (*line > 0 && parser->line != LINE_OVERRIDE) {
		char problem[64];
		snprintf(problem, sizeof(problem), "is already set in line %d", *line);
		report(parser, name, NULL, problem);
		return;
	}
	*line = parser->line;
	struct kws_error error;
	if (kws__value_parse(key, parser->object, value, &error) < 0) {
		report(parser, name, value[0] != '\0' ? value : NULL, error.text);
	}
}

static int on_pair(void *user, const char *section, const char *name, const char *value)
{
	struct parser *parser = user;
	(void)section; /* inih sees no section line */
	if (name[0] == '\0') {
		return 0;
	}
	if (parser->title == NULL) {
		report_line(parser, "a key stands before the first [section]");
	} else {
		set_key(parser, name, value);
	}
	return 1;
}

/* "[section]", perhaps with a comment behind it. */
static void parse_header(struct parser *parser, char *line)
{
	char *end = strchr(line, ']');
	const char *rest = end != NULL ? end + 1 : "";
	rest += strspn(rest, " \t");
	if (end == NULL || (rest[0] != '\0' && rest[0] != ';' && rest[0] != '#')) {
		report_line(parser, "a section is one [name] on a line of its own");
		parser->title = "";
		parser->section = NULL;
		return;
	}
	*end = '\0';
	strcpy(parser->title_copy, kws__text_trim(line + 1));
	enter_section(parser, parser->title_copy);
}

static void parse_line(struct parser *parser, const char *bytes, size_t length)
{
	char line[LINE_MAX_BYTES + 1];
	const char *problem = kws__text_problem(bytes, length);
	if (problem != NULL) {
		kws_config_errors_add(
			parser->errors, "%s:%d: the line %s", parser->name, parser->line, problem);
		return;
	}
	bool is_comment = length > 0 && (bytes[0] == '#' || bytes[0] == ';');
	if (is_comment) {
		return; /* also one that is too long for inih */
	}
	if (length > LINE_MAX_BYTES) {
		kws_config_errors_add(parser->errors, "%s:%d: the line is longer than %d bytes",
			parser->name, parser->line, LINE_MAX_BYTES);
		return;
	}
	memcpy(line, bytes, length);
	line[length] = '\0';
	char *start = kws__text_trim(line);
	if (kws_utf8_mark_bytes(start, strlen(start)) > 0) {
		/* inih, for which each line is the first, would take a [section] behind it away */
		report_line(parser, "the line begins with a byte order mark");
	} else if (start[0] == '[') {
		parse_header(parser, start);
	} else if (ini_parse_string(start, on_pair, parser) != 0) {
		report_line(parser, "expected [section] or key = value");
	}
}

static void parse_text(struct parser *parser, const char *text, size_t length)
{
	size_t at = kws_utf8_mark_bytes(text, length);
	while (at < length) {
		const char *end = memchr(text + at, '\n', length - at);
		size_t bytes = end != NULL ? (size_t)(end - (text + at)) : length - at;
		bool dos = bytes > 0 && text[at + bytes - 1] == '\r';
		parser->line++;
		parse_line(parser, text + at, dos ? bytes - 1 : bytes);
		at += bytes + 1;
	}
}

/* "section.key=value": the section ends at the last dot, a keyword's name may have dots. */
static void parse_override(struct parser *parser, const char *override)
{
	char text[OVERRIDE_MAX_BYTES];
	size_t length = strlen(override);
	const char *problem = kws__text_problem(override, length);
	if (problem == NULL && length >= sizeof(text)) {
		problem = "is too long";
	}
	if (problem != NULL) {
		kws_config_errors_add(parser->errors, "setting '%.64s': %s", override, problem);
		return;
	}
	memcpy(text, override, length + 1);
	char *equals = strchr(text, '=');
	if (equals != NULL) {
		*equals = '\0';
	}
	char *dot = strrchr(text, '.');
	if (equals == NULL || dot == NULL) {
		kws_config_errors_add(
			parser->errors, "setting '%.64s': expected section.key=value", override);
		return;
	}
	*dot = '\0';
	enter_section(parser, kws__text_trim(text));
	set_key(parser, kws__text_trim(dot + 1), kws__text_trim(equals + 1));
}

/* The table's own texts pass through the parser that files pass through. */
static void set_defaults(struct kws_config *config)
{
	size_t count;
	const struct kws_key *keys = kws_schema_keys(&count);
	assert(count <= KEYS_MAX);
	for (size_t i = 0; i < count; i++) {
		bool is_keyword = strcmp(keys[i].section, KWS_KEYWORD_SECTION) == 0;
		void *object = config;
		if (is_keyword) {
			object = &config->keyword_default;
		}
		struct kws_error error;
		int result = kws__value_parse(&keys[i], object, keys[i].default_text, &error);
		assert(result == 0);
		(void)result;
	}
}

static void inherit(struct parser *parser)
{
	struct kws_config *config = parser->config;
	size_t count;
	const struct kws_key *keys = kws_schema_keys(&count);
	for (size_t i = 0; i < count; i++) {
		if (keys[i].inherits == NULL) {
			continue;
		}
		const struct kws_key *from = kws_schema_find(keys[i].inherits, keys[i].name);
		kws__value_copy(&keys[i], &config->keyword_default, from, config);
		for (size_t k = 0; k < config->keyword_count; k++) {
			if (parser->keyword_lines[k][i] == 0) {
				kws__value_copy(&keys[i], &config->keywords[k], from, config);
			}
		}
	}
	for (size_t k = 0; k < config->keyword_count; k++) {
		struct kws_keyword_config *keyword = &config->keywords[k];
		if (keyword->phrase[0] == '\0') {
			strcpy(keyword->phrase, keyword->name);
		}
	}
}

void kws__parser_run(struct kws_config *config, const char *name, const char *text, size_t length,
	const char *const *overrides, size_t override_count, struct kws_config_errors *errors)
{
	struct parser parser = {.config = config, .errors = errors, .name = name};
	set_defaults(config);
	parse_text(&parser, text, length);
	parser.line = LINE_OVERRIDE;
	for (size_t i = 0; i < override_count; i++) {
		parse_override(&parser, overrides[i]);
	}
	inherit(&parser);
}
