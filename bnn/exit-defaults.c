/* SPDX-License-Identifier: Apache-2.0 */
#include "bnn/exit-defaults.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "common/json.h"

const char *const kws_threshold_keys[KWS_THRESHOLD_KEYS] = {"delta", "score", "margin", "distance"};

static size_t find_key(const char *key)
{
	size_t index = 0;
	while (index < KWS_THRESHOLD_KEYS && strcmp(kws_threshold_keys[index], key) != 0) {
		index++;
	}
	return index;
}

/* From `least` to the largest float. */
static int read_number(
	const char *key, const json_t *json, double least, float *out, struct kws_error *error)
{
	double value = json_number_value(json);
	if (!json_is_number(json) || !(value >= least) || !isfinite((float)value)) {
		return kws_fail(error, KWS_EFORMAT, "kws.exits: '%s' must hold numbers from %g",
			key, least);
	}
	*out = (float)value;
	return 0;
}

static int check_list(
	const char *key, const json_t *list, size_t count, const char *of, struct kws_error *error)
{
	if (!json_is_array(list) || json_array_size(list) != count) {
		return kws_fail(error, KWS_EFORMAT,
			"kws.exits: '%s' must be a list with one entry for each of %zu %s", key,
			count, of);
	}
	return 0;
}

static int read_temperatures(struct kws_exit_defaults *defaults, const json_t *list,
	const struct kws_graph *graph, struct kws_error *error)
{
	int result = check_list("temperature", list, graph->exit_count, "exits", error);
	for (size_t i = 0; i < graph->exit_count && result == 0; i++) {
		result = read_number("temperature", json_array_get(list, i), 0.01,
			&defaults->temperature[i], error);
	}
	return result;
}

/* One exit: a number for all classes, or one for each. */
static int read_row(
	const char *key, const json_t *json, float *row, size_t classes, struct kws_error *error)
{
	bool one = json_is_number(json);
	int result = one ? 0 : check_list(key, json, classes, "classes", error);
	for (size_t c = 0; c < classes && result == 0; c++) {
		result =
			read_number(key, one ? json : json_array_get(json, c), 0.0, &row[c], error);
	}
	return result;
}

static int read_thresholds(float **out, const char *key, const json_t *list,
	const struct kws_graph *graph, struct kws_error *error)
{
	int result = check_list(key, list, graph->exit_count, "exits", error);
	if (result != 0) {
		return result;
	}
	*out = calloc(graph->exit_count * graph->classes, sizeof(**out));
	if (*out == NULL) {
		return kws_fail(error, KWS_ENOMEM, "out of memory");
	}
	for (size_t i = 0; i < graph->exit_count && result == 0; i++) {
		result = read_row(key, json_array_get(list, i), *out + i * graph->classes,
			graph->classes, error);
	}
	return result;
}

static int read_object(struct kws_exit_defaults *defaults, json_t *object,
	const struct kws_graph *graph, struct kws_error *error)
{
	const char *key;
	json_t *value;
	int result = 0;
	json_object_foreach (object, key, value) {
		size_t index = find_key(key);
		if (strcmp(key, "temperature") == 0) {
			result = read_temperatures(defaults, value, graph, error);
		} else if (index < KWS_THRESHOLD_KEYS) {
			result = read_thresholds(
				&defaults->thresholds[index], key, value, graph, error);
		} else {
			result =
				kws_fail(error, KWS_EFORMAT, "kws.exits: there is no '%.64s'", key);
		}
		if (result != 0) {
			return result;
		}
	}
	return 0;
}

int kws_exit_defaults_parse(struct kws_exit_defaults *defaults, const char *text,
	const struct kws_graph *graph, struct kws_error *error)
{
	*defaults = (struct kws_exit_defaults){{0}, {NULL}};
	for (size_t i = 0; i < KWS_EXITS_MAX; i++) {
		defaults->temperature[i] = 1.0f;
	}
	json_t *object = NULL;
	int result = kws_json_load_object(&object, "kws.exits", text, error);
	if (result == 0) {
		result = read_object(defaults, object, graph, error);
	}
	json_decref(object);
	return result;
}

void kws_exit_defaults_finish(struct kws_exit_defaults *defaults)
{
	for (size_t i = 0; i < KWS_THRESHOLD_KEYS; i++) {
		free(defaults->thresholds[i]);
	}
}

const float *kws_exit_defaults_thresholds(const struct kws_exit_defaults *defaults, const char *key)
{
	size_t index = find_key(key);
	return index < KWS_THRESHOLD_KEYS ? defaults->thresholds[index] : NULL;
}
