/* SPDX-License-Identifier: Apache-2.0 */
#include "config/edit.h"

#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "common/file.h"
#include "common/utf8.h"
#include "config/config.h"
#include "config/file.h"

/* A key, split, and where it stands in a text. */
struct place {
	const char *key; /* behind the last dot */
	const char *section;
	size_t section_length;
	bool in_section;
	bool found;         /* [begin, end) is its line, up to its comment or its line end */
	bool shown;         /* [begin, begin) is below the line that shows it */
	bool section_known; /* [begin, begin) is the end of its section */
	size_t begin;
	size_t end;
};

static size_t skip_blanks(const char *line, size_t at, size_t length)
{
	while (at < length && (line[at] == ' ' || line[at] == '\t')) {
		at++;
	}
	return at;
}

/* Compares names as the parser sees them: runs of blanks inside count as one. */
static bool same_name(const char *a, size_t a_length, const char *b, size_t b_length)
{
	size_t i = 0;
	size_t k = 0;
	while (i < a_length && k < b_length) {
		bool blank = a[i] == ' ' || a[i] == '\t';
		if (blank != (b[k] == ' ' || b[k] == '\t') || (!blank && a[i] != b[k])) {
			return false;
		}
		i = blank ? skip_blanks(a, i, a_length) : i + 1;
		k = blank ? skip_blanks(b, k, b_length) : k + 1;
	}
	return skip_blanks(a, i, a_length) == a_length && skip_blanks(b, k, b_length) == b_length;
}

static bool is_header_of(const struct place *place, const char *line, size_t length)
{
	const char *close = memchr(line, ']', length);
	size_t from = skip_blanks(line, 1, length);
	return close != NULL && same_name(line + from, (size_t)(close - line) - from,
					place->section, place->section_length);
}

/* Whether the line gives a value to the key. */
static bool is_key(const struct place *place, const char *line, size_t length)
{
	size_t name_length = strlen(place->key);
	if (length < name_length || memcmp(line, place->key, name_length) != 0) {
		return false;
	}
	size_t at = skip_blanks(line, name_length, length);
	return at < length && (line[at] == '=' || line[at] == ':');
}

/* Where the value of the line from `begin` ends: before the blanks of the comment that the parser
 * sees, a ';' behind a blank, else at the line's end. */
static size_t find_value_end(const char *text, size_t begin)
{
	size_t end = begin + strcspn(text + begin, "\r\n");
	size_t at = begin + strcspn(text + begin, "=:") + 1;
	while (at < end) {
		size_t behind = skip_blanks(text, at, end);
		if (behind > at && behind < end && text[behind] == ';') {
			return at;
		}
		at = behind > at ? behind : at + 1;
	}
	return end;
}

static void look_at_line(struct place *place, const char *text, size_t begin, size_t end)
{
	size_t length = strcspn(text + begin, "\r\n");
	size_t indent = skip_blanks(text + begin, 0, length);
	const char *line = text + begin + indent;
	length -= indent;
	if (length > 0 && line[0] == '[') {
		place->in_section = is_header_of(place, line, length);
	}
	if (!place->in_section || length == 0) {
		return;
	}
	if (is_key(place, line, length)) {
		place->found = true;
		place->begin = begin;
		place->end = find_value_end(text, begin);
	} else if (!place->shown || is_key(place, line + 1, length - 1)) {
		place->section_known = true;
		place->shown = line[0] == '#' && is_key(place, line + 1, length - 1);
		place->begin = end;
		place->end = end;
	}
}

static int find_place(struct place *place, const char *text, const char *key)
{
	const char *dot = strrchr(key, '.');
	if (dot == NULL) {
		return KWS_EINVAL;
	}
	*place = (struct place){
		.key = dot + 1, .section = key, .section_length = (size_t)(dot - key)};
	size_t begin = kws_utf8_mark_bytes(text, strlen(text));
	while (text[begin] != '\0' && !place->found) {
		size_t end = begin + strcspn(text + begin, "\n");
		end += text[end] == '\n';
		look_at_line(place, text, begin, end);
		begin = end;
	}
	if (!place->found && !place->section_known) {
		place->begin = place->end = begin;
	}
	return 0;
}

/* That of the text's first line, which is the one of its editor. */
static const char *line_end(const char *text)
{
	size_t length = strcspn(text, "\n");
	return length > 0 && text[length] != '\0' && text[length - 1] == '\r' ? "\r\n" : "\n";
}

int kws_edit_text(const char *text, const struct kws_edit *edit, char **out)
{
	const char *newline = line_end(text);
	struct place place;
	size_t size;
	int result = find_place(&place, text, edit->key);
	if (result != 0) {
		return result;
	}
	FILE *stream = open_memstream(out, &size);
	if (stream == NULL) {
		return KWS_ENOMEM;
	}
	fwrite(text, 1, place.begin, stream);
	if (place.begin > 0 && text[place.begin - 1] != '\n') {
		fputs(newline, stream);
	}
	if (!place.found && !place.section_known) {
		fprintf(stream, "%s[%.*s]%s", place.begin > 0 ? newline : "",
			(int)place.section_length, place.section, newline);
	}
	fprintf(stream, "%s = %s%s%s", place.key, edit->value, place.found ? "" : newline,
		text + place.end);
	if (fclose(stream) != 0) {
		free(*out);
		return KWS_ENOMEM;
	}
	return 0;
}

static int edit_all(char **text, const struct kws_edit *edits, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		char *edited;
		int result = kws_edit_text(*text, &edits[i], &edited);
		if (result != 0) {
			return result;
		}
		free(*text);
		*text = edited;
	}
	return 0;
}

/* The text must mean the same whether the values stand in it or are set over it. */
static int check(const char *path, const char *text, const struct kws_edit *edits, size_t count,
	struct kws_error *error)
{
	struct kws_config *config;
	struct kws_config_errors errors;
	int result = kws_config_parse(&config, path, text, strlen(text), NULL, 0, &errors);
	if (result != 0) {
		return kws_fail(error, result, "%.240s", errors.text[0]);
	}
	for (size_t i = 0; i < count && result == 0; i++) {
		char override[KWS_CONFIG_KEY_TEXT_SIZE + KWS_CONFIG_VALUE_SIZE];
		const char *overrides[] = {override};
		struct kws_config *wanted;
		snprintf(override, sizeof(override), "%s=%s", edits[i].key, edits[i].value);
		result = kws_config_parse(&wanted, path, text, strlen(text), overrides, 1, &errors);
		if (result != 0) {
			kws_fail(error, result, "%.240s", errors.text[0]);
			break;
		}
		if (kws_config_diff(config, wanted, NULL, NULL) != KWS_APPLY_NONE) {
			result = kws_fail(error, KWS_EINVAL, "'%.64s' cannot stand in a file",
				edits[i].value);
		}
		kws_config_destroy(wanted);
	}
	kws_config_destroy(config);
	return result;
}

/* In one step, with its owner, group and mode. */
static int replace(const char *target, const char *text, struct kws_error *error)
{
	struct stat old;
	struct kws_error reason;
	if (stat(target, &old) != 0) {
		return kws_fail(error, KWS_EIO, "cannot write %.160s: %s", target, strerror(errno));
	}
	struct kws_file_new how = {.mode = old.st_mode & 07777, .owner = &old, .lasting = true};
	int result = kws_file_replace(target, &how, text, strlen(text), &reason);
	return result == 0 ? 0
			   : kws_fail(error, result, "cannot write %.120s: %.120s", target,
				     reason.text);
}

/* The file as a string. */
static int read_text(const char *path, char **text, struct kws_error *error)
{
	char *bytes;
	size_t length;
	int result = kws__file_read(path, &bytes, &length, error);
	if (result < 0) {
		return result;
	}
	*text = strndup(bytes, length);
	free(bytes);
	if (*text == NULL) {
		return kws_fail(error, KWS_ENOMEM, "out of memory");
	}
	if (strlen(*text) != length) {
		free(*text);
		return kws_fail(error, KWS_EFORMAT, "there is a NUL in it");
	}
	return 0;
}

int kws_edit_file(
	const char *path, const struct kws_edit *edits, size_t count, struct kws_error *error)
{
	char target[PATH_MAX];
	char *text;
	if (realpath(path, target) == NULL) {
		return kws_fail(error, KWS_ENOENT, "%.160s: %s", path, strerror(errno));
	}
	int result = read_text(target, &text, error);
	if (result != 0) {
		return result;
	}
	result = edit_all(&text, edits, count);
	if (result != 0) {
		kws_fail(error, result, "cannot change it: %s", kws_strerror(result));
	} else {
		result = check(path, text, edits, count, error);
	}
	if (result == 0) {
		result = replace(target, text, error);
	}
	free(text);
	return result;
}
