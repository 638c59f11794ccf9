/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/models.h"

#include <dirent.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bnn/model.h"
#include "common/trust.h"
#include "dsp/mel.h"
#include "ipc/text.h"
#include "pipeline/model-set.h"

#define SUFFIX ".safetensors"
#define VECTORS_SUFFIX ".vectors" SUFFIX

static bool ends_with(const char *text, const char *end)
{
	size_t length = strlen(text);
	return length >= strlen(end) && strcmp(text + length - strlen(end), end) == 0;
}

/* The folder of `path` with its slash, as a length of it; 0: the current one. */
static int folder_length(const char *path)
{
	const char *slash = strrchr(path, '/');
	return slash != NULL ? (int)(slash - path + 1) : 0;
}

/* Returns the length that there ought to be, as snprintf(). */
static int print_path(const char *current, const char *wanted, char *path, size_t size)
{
	if (strchr(wanted, '/') != NULL) {
		return snprintf(path, size, "%s", wanted);
	}
	return snprintf(path, size, "%.*s%s%s", folder_length(current), current, wanted,
		ends_with(wanted, SUFFIX) ? "" : SUFFIX);
}

/* Appends one to the list in `value`, of `length`; the new length or an error. */
static int append_path(const char *current, const char *wanted, char value[KWS_CONFIG_VALUE_SIZE],
	int length, struct kws_error *error)
{
	size_t room = KWS_CONFIG_VALUE_SIZE - (size_t)length;
	const char *between = length > 0 ? ", " : "";
	if (wanted == NULL || wanted[0] == '\0') {
		return kws_fail(error, KWS_EINVAL, "load-model needs model: names or paths");
	}
	if (strchr(wanted, ',') != NULL) {
		return kws_fail(error, KWS_EINVAL,
			"'%.120s': a comma stands between two models, so none can have one in its "
			"path",
			wanted);
	}
	size_t used = (size_t)snprintf(value + length, room, "%s", between);
	if (used < room) {
		used += (size_t)print_path(current, wanted, value + length + used, room - used);
	}
	if (used >= room) {
		return kws_fail(error, KWS_EINVAL,
			"the paths of the models are longer than %d bytes",
			KWS_CONFIG_VALUE_SIZE - 1);
	}
	return length + (int)used;
}

int kws_models_resolve(const struct kws_config_paths *current, const json_t *wanted,
	char value[KWS_CONFIG_VALUE_SIZE], struct kws_error *error)
{
	const char *first = current->items[0];
	if (!json_is_array(wanted)) {
		int length = append_path(first, json_string_value(wanted), value, 0, error);
		return length < 0 ? length : 0;
	}
	size_t i;
	json_t *item;
	int length = 0;
	json_array_foreach (wanted, i, item) {
		length = append_path(first, json_string_value(item), value, length, error);
		if (length < 0) {
			return length;
		}
	}
	return length > 0 ? 0 : append_path(first, NULL, value, 0, error);
}

static json_t *describe(const struct kws_model *model, const char *path, bool current)
{
	json_t *labels = json_array();
	for (size_t i = 0; i < kws_model_label_count(model); i++) {
		json_array_append_new(labels, json_string(kws_model_label(model, i)));
	}
	return json_pack("{s:o, s:s, s:o, s:I, s:b}", "path", kws_text_json(path), "name",
		kws_model_name(model), "labels", labels, "exits",
		(json_int_t)kws_model_graph(model)->exit_count, "current", current);
}

static int load(struct kws_model **model, const char *path, struct kws_error *error)
{
	int result = kws_trust_check_privileged(path, error);
	if (result == 0) {
		result = kws_model_load(model, path, kws_mel_describe(), error);
	}
	return result == 0 ? kws_model_set_check_input(*model, error) : result;
}

static json_t *probe(const char *path, bool current)
{
	struct kws_error error;
	struct kws_model *model = NULL;
	json_t *entry = load(&model, path, &error) == 0
				? describe(model, path, current)
				: json_pack("{s:o, s:o}", "path", kws_text_json(path), "error",
					  kws_text_json(error.text));
	kws_model_destroy(model);
	return entry;
}

static int is_model(const struct dirent *entry)
{
	return ends_with(entry->d_name, SUFFIX) && !ends_with(entry->d_name, VECTORS_SUFFIX);
}

static bool is_current(const struct kws_config_paths *current, const char *path)
{
	for (size_t i = 0; i < current->count; i++) {
		if (strcmp(current->items[i], path) == 0) {
			return true;
		}
	}
	return false;
}

/* Whether one before current model `index` lies in the same folder. */
static bool is_listed(const struct kws_config_paths *current, size_t index)
{
	const char *path = current->items[index];
	int length = folder_length(path);
	for (size_t i = 0; i < index; i++) {
		if (folder_length(current->items[i]) == length &&
			strncmp(current->items[i], path, (size_t)length) == 0) {
			return true;
		}
	}
	return false;
}

/* Appends what lies in the folder of current model `index`. */
static void list_folder(json_t *list, const struct kws_config_paths *current, size_t index)
{
	char folder[PATH_MAX];
	struct dirent **entries;
	const char *beside = current->items[index];
	snprintf(folder, sizeof(folder), "%.*s.", folder_length(beside), beside);
	int count = scandir(folder, &entries, is_model, alphasort);
	for (int i = 0; i < count; i++) {
		char path[PATH_MAX];
		print_path(beside, entries[i]->d_name, path, sizeof(path));
		json_array_append_new(list, probe(path, is_current(current, path)));
		free(entries[i]);
	}
	if (count >= 0) {
		free(entries);
	}
}

json_t *kws_models_list(const struct kws_config_paths *current)
{
	json_t *list = json_array();
	for (size_t i = 0; i < current->count; i++) {
		if (!is_listed(current, i)) {
			list_folder(list, current, i);
		}
	}
	return list;
}

static bool has_keywords(const json_t *changes)
{
	const char *key;
	json_t *value;
	char name[KWS_CONFIG_KEY_TEXT_SIZE];
	json_object_foreach ((json_t *)changes, key, value) {
		if (kws_config_key_keyword(key, name)) {
			return true;
		}
	}
	return false;
}

/* Those of `changes` that suit the models; NULL without memory. */
static json_t *pick(const json_t *changes, const struct kws_model_set *set)
{
	const char *key;
	json_t *value;
	char name[KWS_CONFIG_KEY_TEXT_SIZE];
	json_t *picked = json_object();
	json_object_foreach ((json_t *)changes, key, value) {
		bool fits = !kws_config_key_keyword(key, name) || kws_model_set_knows(set, name);
		if (fits && json_object_set(picked, key, value) != 0) {
			json_decref(picked);
			return NULL;
		}
	}
	return picked;
}

json_t *kws_models_fit(const struct kws_config_paths *paths, json_t *changes)
{
	struct kws_model_set set = {0};
	struct kws_error error;
	json_t *fitting = NULL;
	int result = has_keywords(changes) ? 0 : KWS_ENOENT;
	for (size_t i = 0; i < paths->count && result == 0; i++) {
		result = load(&set.models[i], paths->items[i], &error);
		set.count++;
	}
	if (result == 0) {
		fitting = pick(changes, &set);
	}
	kws_model_set_finish(&set);
	return fitting != NULL ? fitting : json_incref(changes);
}
