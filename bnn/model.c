/* SPDX-License-Identifier: Apache-2.0 */
#include "bnn/model.h"

#include <stdlib.h>
#include <string.h>

#include "common/json.h"

#define FORMAT "1"
#define WORD_BYTES 64 /* of a file's text, that are shown */

struct kws_model {
	json_t *metadata; /* owns every string */
	json_t *labels;
	struct kws_graph graph;
	struct kws_exit_defaults exit_defaults;
	struct kws_keyword_defaults keyword_defaults;
};

static int copy_metadata(
	struct kws_model *model, const struct kws_safetensors *file, struct kws_error *error)
{
	static const char *const keys[] = {
		"kws.format", "kws.name", "kws.labels", "kws.features", "kws.card"};
	model->metadata = json_object();
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		const char *value = kws_safetensors_metadata(file, keys[i]);
		if (value == NULL) {
			return kws_fail(error, KWS_EFORMAT,
				"the file has no %s: not a model of kwsd", keys[i]);
		}
		if (json_object_set_new(model->metadata, keys[i], json_string(value)) != 0) {
			return kws_fail(error, KWS_ENOMEM, "out of memory");
		}
	}
	return 0;
}

/* Word by word, to show the first that differs. */
static int check_features(const char *made_for, const char *own, struct kws_error *error)
{
	if (strcmp(made_for, own) == 0) {
		return 0;
	}
	while (*made_for != '\0' || *own != '\0') {
		int made_for_bytes = (int)strcspn(made_for, " ");
		int own_bytes = (int)strcspn(own, " ");
		if (made_for_bytes != own_bytes || memcmp(made_for, own, (size_t)own_bytes) != 0) {
			return kws_fail(error, KWS_EMISMATCH,
				"the model was trained on other features: '%.*s', this program has "
				"'%.*s'",
				made_for_bytes < WORD_BYTES ? made_for_bytes : WORD_BYTES, made_for,
				own_bytes, own);
		}
		made_for += made_for_bytes + (made_for[made_for_bytes] == ' ');
		own += own_bytes + (own[own_bytes] == ' ');
	}
	return kws_fail(error, KWS_EMISMATCH,
		"the model was trained on other features: blanks at the end of their text");
}

static int check_versions(
	const struct kws_model *model, const char *features, struct kws_error *error)
{
	const char *format = kws_model_metadata(model, "kws.format");
	const char *made_for = kws_model_metadata(model, "kws.features");
	if (strcmp(format, FORMAT) != 0) {
		return kws_fail(error, KWS_EUNSUPPORTED,
			"model format '%.16s', this program reads " FORMAT, format);
	}
	/* The whole text rather than a hash of it: a mismatch can then be shown and understood. */
	return features != NULL ? check_features(made_for, features, error) : 0;
}

static int parse_labels(struct kws_model *model, struct kws_error *error)
{
	const char *text = kws_model_metadata(model, "kws.labels");
	if (kws_json_load(&model->labels, NULL, text, strlen(text), 0, error) == KWS_ENOMEM) {
		return KWS_ENOMEM;
	}
	if (!json_is_array(model->labels) ||
		json_array_size(model->labels) != model->graph.classes) {
		return kws_fail(error, KWS_EFORMAT, "kws.labels must be a list of %zu names",
			model->graph.classes);
	}
	for (size_t i = 0; i < model->graph.classes; i++) {
		const char *name = json_string_value(json_array_get(model->labels, i));
		if (name == NULL || name[0] == '\0') {
			return kws_fail(
				error, KWS_EFORMAT, "kws.labels holds something that is no name");
		}
		if (strlen(name) >= KWS_LABEL_SIZE) {
			return kws_fail(error, KWS_EFORMAT,
				"name %zu of kws.labels is longer than %d bytes", i + 1,
				KWS_LABEL_SIZE - 1);
		}
		for (size_t j = 0; j < i; j++) {
			if (strcmp(name, kws_model_label(model, j)) == 0) {
				return kws_fail(
					error, KWS_EFORMAT, "kws.labels names '%.64s' twice", name);
			}
		}
	}
	return 0;
}

static int build(struct kws_model *model, const struct kws_safetensors *file, const char *features,
	struct kws_error *error)
{
	int result = copy_metadata(model, file, error);
	if (result == 0) {
		result = check_versions(model, features, error);
	}
	if (result == 0) {
		result = kws_graph_build(&model->graph, file, error);
	}
	if (result == 0) {
		result = parse_labels(model, error);
	}
	if (result == 0) {
		result = kws_exit_defaults_parse(&model->exit_defaults,
			kws_safetensors_metadata(file, "kws.exits"), &model->graph, error);
	}
	if (result == 0) {
		result = kws_keyword_defaults_parse(&model->keyword_defaults,
			kws_safetensors_metadata(file, "kws.keywords"), model->labels, error);
	}
	return result;
}

/* Takes the file over and closes it. */
static int create_from(struct kws_model **out, struct kws_safetensors *file, const char *features,
	struct kws_error *error)
{
	struct kws_model *model = calloc(1, sizeof(*model));
	int result = model != NULL ? build(model, file, features, error)
				   : kws_fail(error, KWS_ENOMEM, "out of memory");
	kws_safetensors_close(file);
	if (result != 0) {
		kws_model_destroy(model);
		return result;
	}
	*out = model;
	return 0;
}

int kws_model_load(
	struct kws_model **out, const char *path, const char *features, struct kws_error *error)
{
	struct kws_safetensors *file;
	int result = kws_safetensors_open(&file, path, error);
	return result == 0 ? create_from(out, file, features, error) : result;
}

int kws_model_parse(struct kws_model **out, const void *data, size_t size, const char *features,
	struct kws_error *error)
{
	struct kws_safetensors *file;
	int result = kws_safetensors_open_bytes(&file, data, size, error);
	return result == 0 ? create_from(out, file, features, error) : result;
}

void kws_model_destroy(struct kws_model *model)
{
	if (model == NULL) {
		return;
	}
	kws_exit_defaults_finish(&model->exit_defaults);
	kws_graph_finish(&model->graph);
	json_decref(model->labels);
	json_decref(model->metadata);
	free(model);
}

const struct kws_graph *kws_model_graph(const struct kws_model *model)
{
	return &model->graph;
}

const struct kws_exit_defaults *kws_model_exit_defaults(const struct kws_model *model)
{
	return &model->exit_defaults;
}

const struct kws_keyword_defaults *kws_model_keyword_defaults(const struct kws_model *model)
{
	return &model->keyword_defaults;
}

const char *kws_model_name(const struct kws_model *model)
{
	return kws_model_metadata(model, "kws.name");
}

size_t kws_model_label_count(const struct kws_model *model)
{
	return json_array_size(model->labels);
}

const char *kws_model_label(const struct kws_model *model, size_t index)
{
	return json_string_value(json_array_get(model->labels, index));
}

const char *kws_model_metadata(const struct kws_model *model, const char *key)
{
	return json_string_value(json_object_get(model->metadata, key));
}
