/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/values.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/config.h"
#include "config/edit.h"

#define NUMBER_BYTES 64

/* Without an exponent, which a whole number of a setting may not have, where there is room. */
static void print_real(double number, char text[NUMBER_BYTES])
{
	bool same = false;
	for (int decimals = 0; decimals <= 20 && fabs(number) < 1e20 && !same; decimals++) {
		snprintf(text, NUMBER_BYTES, "%.*f", decimals, number);
		same = strtod(text, NULL) == number;
	}
	for (int digits = 1; digits <= 17 && !same; digits++) {
		snprintf(text, NUMBER_BYTES, "%.*g", digits, number);
		same = strtod(text, NULL) == number;
	}
}

/* New reference; NULL without memory. */
static json_t *number_text(const json_t *value)
{
	char text[NUMBER_BYTES];
	if (json_is_integer(value)) {
		snprintf(text, sizeof(text), "%" JSON_INTEGER_FORMAT, json_integer_value(value));
	} else {
		print_real(json_real_value(value), text);
	}
	return json_string(text);
}

static int read_value(json_t *values, const char *key, json_t *value, struct kws_error *error)
{
	json_t *text = NULL;
	if (json_is_string(value)) {
		text = json_incref(value);
	} else if (json_is_number(value)) {
		text = number_text(value);
	} else if (json_is_boolean(value)) {
		text = json_string(json_is_true(value) ? "yes" : "no");
	} else {
		return kws_fail(error, KWS_EINVAL,
			"set: '%.64s' must be a string, a number or a boolean", key);
	}
	return json_object_set_new(values, key, text) == 0
		       ? 0
		       : kws_fail(error, KWS_ENOMEM, "out of memory");
}

int kws_values_read(const json_t *written, json_t **out, struct kws_error *error)
{
	const char *key;
	json_t *value;
	json_t *values = json_object();
	json_object_foreach ((json_t *)written, key, value) {
		int result = read_value(values, key, value, error);
		if (result != 0) {
			json_decref(values);
			return result;
		}
	}
	*out = values;
	return values != NULL ? 0 : kws_fail(error, KWS_ENOMEM, "out of memory");
}

json_t *kws_values_combine(const json_t *before, const json_t *values)
{
	json_t *changes = json_object();
	if ((before != NULL && json_object_update(changes, (json_t *)before) != 0) ||
		(values != NULL && json_object_update(changes, (json_t *)values) != 0)) {
		json_decref(changes);
		changes = NULL;
	}
	return changes;
}

const char *kws_values_unknown(const json_t *values)
{
	const char *key;
	json_t *value;
	json_object_foreach ((json_t *)values, key, value) {
		if (!kws_config_key_is_exact(key)) {
			return key;
		}
	}
	return NULL;
}

const char *kws_values_futile(const json_t *values)
{
	const char *key;
	json_t *value;
	json_object_foreach ((json_t *)values, key, value) {
		if (kws_config_apply(key) == KWS_APPLY_RESTART) {
			return key;
		}
	}
	return NULL;
}

/* The first key that the command line sets, or NULL. */
static const char *find_fixed(const struct kws_options *options, const json_t *values)
{
	const char *key;
	json_t *value;
	json_object_foreach ((json_t *)values, key, value) {
		for (size_t i = 0; i < options->setting_count; i++) {
			if (kws_config_override_sets(options->settings[i], key)) {
				return key;
			}
		}
	}
	return NULL;
}

static int write_edits(const char *path, const json_t *values, struct kws_error *error)
{
	struct kws_edit *edits = calloc(json_object_size(values), sizeof(*edits));
	size_t count = 0;
	const char *key;
	json_t *value;
	if (edits == NULL) {
		return kws_fail(error, KWS_ENOMEM, "out of memory");
	}
	json_object_foreach ((json_t *)values, key, value) {
		edits[count++] = (struct kws_edit){key, json_string_value(value)};
	}
	int result = kws_edit_file(path, edits, count, error);
	free(edits);
	return result;
}

int kws_values_write(
	const struct kws_options *options, const json_t *values, struct kws_error *error)
{
	const char *fixed = find_fixed(options, values);
	if (options->config_path == NULL) {
		return kws_fail(error, KWS_EUNSUPPORTED, "kwsd runs without one");
	}
	if (fixed != NULL) {
		return kws_fail(error, KWS_EPERM,
			"kwsd's command line sets '%.64s' and wins over it", fixed);
	}
	return write_edits(options->config_path, values, error);
}
