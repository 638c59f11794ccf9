/* SPDX-License-Identifier: Apache-2.0 */
#include "bnn/keyword-defaults.h"

#include <math.h>
#include <stdint.h>
#include <string.h>

#include "common/json.h"

static size_t find_label(const json_t *labels, const char *name)
{
	size_t index;
	json_t *label;
	json_array_foreach (labels, index, label) {
		if (strcmp(json_string_value(label), name) == 0) {
			return index;
		}
	}
	return SIZE_MAX;
}

static int read_keyword(
	const char *name, json_t *settings, double *threshold, struct kws_error *error)
{
	const char *key;
	json_t *value;
	if (!json_is_object(settings)) {
		return kws_fail(
			error, KWS_EFORMAT, "kws.keywords: '%.64s' must be a JSON object", name);
	}
	json_object_foreach (settings, key, value) {
		if (strcmp(key, "threshold") != 0) {
			return kws_fail(error, KWS_EFORMAT,
				"kws.keywords: '%.64s' has a '%.64s', there is only 'threshold'",
				name, key);
		}
		*threshold = json_is_number(value) ? json_number_value(value) : -1.0;
		if (!(*threshold >= 0.0 && *threshold <= 1.0)) {
			return kws_fail(error, KWS_EFORMAT,
				"kws.keywords: the threshold of '%.64s' must be 0..1", name);
		}
	}
	return 0;
}

static int read_object(struct kws_keyword_defaults *defaults, json_t *object, const json_t *labels,
	struct kws_error *error)
{
	const char *name;
	json_t *settings;
	json_object_foreach (object, name, settings) {
		size_t label = kws_label_is_keyword(name) ? find_label(labels, name) : SIZE_MAX;
		if (label == SIZE_MAX) {
			return kws_fail(error, KWS_EFORMAT,
				"kws.keywords: '%.64s' is no keyword of kws.labels", name);
		}
		int result = read_keyword(name, settings, &defaults->threshold[label], error);
		if (result != 0) {
			return result;
		}
	}
	return 0;
}

int kws_keyword_defaults_parse(struct kws_keyword_defaults *defaults, const char *text,
	const json_t *labels, struct kws_error *error)
{
	for (size_t i = 0; i < KWS_CLASSES_MAX; i++) {
		defaults->threshold[i] = (double)NAN;
	}
	json_t *object = NULL;
	int result = kws_json_load_object(&object, "kws.keywords", text, error);
	if (result == 0) {
		result = read_object(defaults, object, labels, error);
	}
	json_decref(object);
	return result;
}
