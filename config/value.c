/* SPDX-License-Identifier: Apache-2.0 */
#include "config/value.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "config/config.h"
#include "config/text.h"

/* What a number or a list says that leaves the choice to the model. */
#define MODEL_WORD "model"

#define PATHS_BETWEEN ", "

static const char *const yes_words[] = {"yes", "true", "on", "1", NULL};
static const char *const no_words[] = {"no", "false", "off", "0", NULL};

/* Index of `text` in the NULL-terminated list, or -1. Taken in any case: "Yes" and "Info" are as
 * clear as "yes" and "info". */
static int index_of(const char *const *words, const char *text)
{
	for (int i = 0; words[i] != NULL; i++) {
		if (strcasecmp(words[i], text) == 0) {
			return i;
		}
	}
	return -1;
}

static int fail_range(const struct kws_key *key, struct kws_error *error)
{
	char range[128];
	kws__value_describe(key, range, sizeof(range));
	return kws_fail(error, KWS_EINVAL, "must be %s", range);
}

static bool in_range(const struct kws_key *key, double value)
{
	return (value >= key->min && value <= key->max) || (key->zero_allowed && value == 0.0);
}

static int parse_bool(
	const struct kws_key *key, bool *field, const char *text, struct kws_error *error)
{
	bool yes = index_of(yes_words, text) >= 0;
	if (!yes && index_of(no_words, text) < 0) {
		return fail_range(key, error);
	}
	*field = yes;
	return 0;
}

static int parse_int(
	const struct kws_key *key, int *field, const char *text, struct kws_error *error)
{
	char *end;
	/* strtol() would skip white space and take a part or nothing as a number. */
	long value = strtol(text, &end, 10);
	if (strspn(text, "+-0123456789") != strlen(text) || end == text || *end != '\0') {
		return kws_fail(error, KWS_EINVAL, "is not a whole number");
	}
	/* Out of long's range it is LONG_MIN or LONG_MAX, which no key allows. */
	if (!in_range(key, (double)value)) {
		return fail_range(key, error);
	}
	*field = (int)value;
	return 0;
}

static int parse_float(
	const struct kws_key *key, double *field, const char *text, struct kws_error *error)
{
	char *end;
	if (key->model_allowed && strcmp(text, MODEL_WORD) == 0) {
		*field = (double)NAN;
		return 0;
	}
	/* The set of characters shuts out what strtod() takes besides: "nan", "inf", hexadecimal.
	 */
	double value = strtod(text, &end);
	if (strspn(text, "+-.eE0123456789") != strlen(text) || end == text || *end != '\0') {
		return kws_fail(error, KWS_EINVAL, "is not a number");
	}
	if (!in_range(key, value)) {
		return fail_range(key, error);
	}
	*field = value;
	return 0;
}

/* Cuts the first item off a list with commas between; *rest is NULL after the last. */
static char *take_item(char **rest)
{
	char *item = *rest;
	char *comma = strchr(item, ',');
	*rest = comma != NULL ? comma + 1 : NULL;
	if (comma != NULL) {
		*comma = '\0';
	}
	return kws__text_trim(item);
}

/* "0.5" or "0.5, 0.4, 0.4". */
static int parse_floats(const struct kws_key *key, struct kws_config_floats *field,
	const char *text, struct kws_error *error)
{
	struct kws_config_floats list = {0};
	char copy[KWS_CONFIG_VALUE_SIZE];
	if (strlen(text) >= sizeof(copy)) {
		return fail_range(key, error);
	}
	strcpy(copy, text);
	char *next = strcmp(text, MODEL_WORD) != 0 ? copy : NULL;
	while (next != NULL) {
		if (list.count == KWS_CONFIG_FLOATS_MAX) {
			return kws_fail(error, KWS_EINVAL, "has more than %d numbers",
				KWS_CONFIG_FLOATS_MAX);
		}
		int result = parse_float(key, &list.values[list.count++], take_item(&next), error);
		if (result != 0) {
			return result;
		}
	}
	*field = list;
	return 0;
}

static int parse_string(
	const struct kws_key *key, char *field, const char *text, struct kws_error *error)
{
	size_t length = strlen(text);
	if (length >= key->size) {
		return kws_fail(error, KWS_EINVAL, "is longer than %zu bytes", key->size - 1);
	}
	memcpy(field, text, length + 1);
	return 0;
}

static int parse_enum(
	const struct kws_key *key, int *field, const char *text, struct kws_error *error)
{
	int index = index_of(key->choices, text);
	if (index < 0) {
		return fail_range(key, error);
	}
	*field = index;
	return 0;
}

static size_t paths_length(const struct kws_config_paths *list)
{
	size_t length = 0;
	for (size_t i = 0; i < list->count; i++) {
		length += strlen(list->items[i]) + (i > 0 ? strlen(PATHS_BETWEEN) : 0);
	}
	return length;
}

/* "a.safetensors" or "a.safetensors, b.safetensors". A path with a comma cannot be told. */
static int parse_paths(struct kws_config_paths *field, const char *text, struct kws_error *error)
{
	struct kws_config_paths list = {0};
	char copy[KWS_CONFIG_VALUE_SIZE];
	if (strlen(text) >= sizeof(copy)) {
		return kws_fail(error, KWS_EINVAL, "is longer than %zu bytes", sizeof(copy) - 1);
	}
	strcpy(copy, text);
	char *next = copy;
	while (next != NULL) {
		const char *item = take_item(&next);
		if (item[0] == '\0') {
			return kws_fail(
				error, KWS_EINVAL, "has an empty path before or after a comma");
		}
		if (list.count == KWS_CONFIG_MODELS_MAX) {
			return kws_fail(
				error, KWS_EINVAL, "has more than %d paths", KWS_CONFIG_MODELS_MAX);
		}
		strcpy(list.items[list.count++], item);
	}
	/* as kws__value_format() writes it */
	if (paths_length(&list) >= sizeof(copy)) {
		return kws_fail(error, KWS_EINVAL, "is longer than %zu bytes", sizeof(copy) - 1);
	}
	*field = list;
	return 0;
}

int kws__value_parse(
	const struct kws_key *key, void *object, const char *text, struct kws_error *error)
{
	void *field = (char *)object + key->offset;
	if (text[0] == '\0' && key->type != KWS_KEY_STRING) {
		return kws_fail(error, KWS_EINVAL, "has no value");
	}
	switch (key->type) {
	case KWS_KEY_BOOL:
		return parse_bool(key, field, text, error);
	case KWS_KEY_INT:
		return parse_int(key, field, text, error);
	case KWS_KEY_FLOAT:
		return parse_float(key, field, text, error);
	case KWS_KEY_STRING:
		return parse_string(key, field, text, error);
	case KWS_KEY_ENUM:
		return parse_enum(key, field, text, error);
	case KWS_KEY_FLOATS:
		return parse_floats(key, field, text, error);
	case KWS_KEY_PATHS:
		return parse_paths(field, text, error);
	}
	return KWS_EINVAL;
}

/* The fewest digits that read back as the same number: 0.8, not 0.80000000000000004. NaN is the
 * model's. */
static int format_float(double value, char *text, size_t size)
{
	char shortest[32] = MODEL_WORD;
	for (int digits = 1; digits <= 17 && !isnan(value); digits++) {
		snprintf(shortest, sizeof(shortest), "%.*g", digits, value);
		if (strtod(shortest, NULL) == value) {
			break;
		}
	}
	return snprintf(text, size, "%s", shortest);
}

static int format_floats(const struct kws_config_floats *list, char *text, size_t size)
{
	int length = list->count == 0 ? snprintf(text, size, "%s", MODEL_WORD) : 0;
	for (size_t i = 0; i < list->count && (size_t)length < size; i++) {
		length += snprintf(text + length, size - (size_t)length, "%s", i > 0 ? ", " : "");
		if ((size_t)length < size) {
			length +=
				format_float(list->values[i], text + length, size - (size_t)length);
		}
	}
	return length;
}

static int format_paths(const struct kws_config_paths *list, char *text, size_t size)
{
	int length = 0;
	for (size_t i = 0; i < list->count && (size_t)length < size; i++) {
		length += snprintf(text + length, size - (size_t)length, "%s%s",
			i > 0 ? PATHS_BETWEEN : "", list->items[i]);
	}
	return length;
}

int kws__value_format(const struct kws_key *key, const void *object, char *text, size_t size)
{
	const void *field = (const char *)object + key->offset;
	int length = 0;
	switch (key->type) {
	case KWS_KEY_BOOL:
		length = snprintf(text, size, "%s", *(const bool *)field ? "yes" : "no");
		break;
	case KWS_KEY_INT:
		length = snprintf(text, size, "%d", *(const int *)field);
		break;
	case KWS_KEY_FLOAT:
		length = format_float(*(const double *)field, text, size);
		break;
	case KWS_KEY_STRING:
		length = snprintf(text, size, "%s", (const char *)field);
		break;
	case KWS_KEY_ENUM:
		length = snprintf(text, size, "%s", key->choices[*(const int *)field]);
		break;
	case KWS_KEY_FLOATS:
		length = format_floats(field, text, size);
		break;
	case KWS_KEY_PATHS:
		length = format_paths(field, text, size);
		break;
	}
	return length >= 0 && (size_t)length < size ? 0 : KWS_EINVAL;
}

void kws__value_copy(
	const struct kws_key *key, void *to, const struct kws_key *from_key, const void *from)
{
	static const size_t sizes[] = {
		[KWS_KEY_BOOL] = sizeof(bool),
		[KWS_KEY_INT] = sizeof(int),
		[KWS_KEY_FLOAT] = sizeof(double),
		[KWS_KEY_STRING] = 0,
		[KWS_KEY_ENUM] = sizeof(int),
		[KWS_KEY_FLOATS] = sizeof(struct kws_config_floats),
		[KWS_KEY_PATHS] = sizeof(struct kws_config_paths),
	};
	memcpy((char *)to + key->offset, (const char *)from + from_key->offset, sizes[key->type]);
}

static void describe_choices(const struct kws_key *key, char *text, size_t size)
{
	size_t used = 0;
	for (int i = 0; key->choices[i] != NULL && used < size; i++) {
		const char *separator = i == 0 ? "" : key->choices[i + 1] != NULL ? ", " : " or ";
		used += (size_t)snprintf(
			text + used, size - used, "%s%s", separator, key->choices[i]);
	}
}

void kws__value_describe(const struct kws_key *key, char *text, size_t size)
{
	switch (key->type) {
	case KWS_KEY_BOOL:
		snprintf(text, size, "yes or no");
		break;
	case KWS_KEY_INT:
	case KWS_KEY_FLOAT:
		snprintf(text, size, "%s%.15g..%.15g%s", key->zero_allowed ? "0 or " : "", key->min,
			key->max, key->model_allowed ? " or " MODEL_WORD : "");
		break;
	case KWS_KEY_FLOATS:
		snprintf(text, size,
			"%.15g..%.15g for all exits, a list with one for each, or " MODEL_WORD,
			key->min, key->max);
		break;
	case KWS_KEY_PATHS:
		snprintf(text, size, "a path, or up to %d with commas between",
			KWS_CONFIG_MODELS_MAX);
		break;
	case KWS_KEY_STRING:
		snprintf(text, size, "at most %zu bytes", key->size - 1);
		break;
	case KWS_KEY_ENUM:
		describe_choices(key, text, size);
		break;
	}
}
