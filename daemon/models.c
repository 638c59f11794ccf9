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
#include "pipeline/pipeline.h"

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

void kws_models_path(const char *current, const char *wanted, char *path, size_t size)
{
	if (strchr(wanted, '/') != NULL) {
		snprintf(path, size, "%s", wanted);
	} else {
		snprintf(path, size, "%.*s%s%s", folder_length(current), current, wanted,
			ends_with(wanted, SUFFIX) ? "" : SUFFIX);
	}
}

static json_t *describe(const struct kws_model *model, const char *path, bool current)
{
	json_t *labels = json_array();
	for (size_t i = 0; i < kws_model_label_count(model); i++) {
		json_array_append_new(labels, json_string(kws_model_label(model, i)));
	}
	return json_pack("{s:s, s:s, s:o, s:I, s:b}", "path", path, "name", kws_model_name(model),
		"labels", labels, "exits", (json_int_t)kws_model_graph(model)->exit_count,
		"current", current);
}

static json_t *probe(const char *path, bool current)
{
	struct kws_error error;
	struct kws_model *model = NULL;
	int result = kws_trust_check_privileged(path, &error);
	if (result == 0) {
		result = kws_model_load(&model, path, kws_mel_describe(), &error);
	}
	if (result == 0) {
		result = kws_pipeline_check_input(model, &error);
	}
	json_t *entry = result == 0 ? describe(model, path, current)
				    : json_pack("{s:s, s:s}", "path", path, "error", error.text);
	kws_model_destroy(model);
	return entry;
}

static int is_model(const struct dirent *entry)
{
	return ends_with(entry->d_name, SUFFIX) && !ends_with(entry->d_name, VECTORS_SUFFIX);
}

json_t *kws_models_list(const char *current)
{
	char folder[PATH_MAX];
	struct dirent **entries;
	json_t *list = json_array();
	snprintf(folder, sizeof(folder), "%.*s.", folder_length(current), current);
	int count = scandir(folder, &entries, is_model, alphasort);
	for (int i = 0; i < count; i++) {
		char path[PATH_MAX];
		kws_models_path(current, entries[i]->d_name, path, sizeof(path));
		json_array_append_new(list, probe(path, strcmp(path, current) == 0));
		free(entries[i]);
	}
	if (count >= 0) {
		free(entries);
	}
	return list;
}
