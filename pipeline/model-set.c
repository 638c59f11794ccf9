/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline/model-set.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "dsp/mel.h"
#include "pipeline/resolve.h"

#define PATH_SIZE 72 /* of a path in a sentence that has room for two and a name */

void kws_model_set_finish(struct kws_model_set *set)
{
	for (size_t i = 0; i < set->count; i++) {
		kws_model_destroy(set->models[i]);
	}
	*set = (struct kws_model_set){0};
}

int kws_model_set_check_input(const struct kws_model *model, struct kws_error *error)
{
	const struct kws_map_shape *input = &kws_model_graph(model)->maps[0];
	if (input->rows != KWS_WINDOW_FRAMES || input->bands != KWS_MEL_BANDS ||
		input->channels != 1) {
		return kws_fail(error, KWS_EMISMATCH,
			"the model's input is %zux%zux%zu, this program's window is %dx%dx1",
			input->rows, input->bands, input->channels, KWS_WINDOW_FRAMES,
			KWS_MEL_BANDS);
	}
	return 0;
}

/* The first keyword that both know, or NULL. */
static const char *find_common(const struct kws_model *one, const struct kws_model *other)
{
	for (size_t i = 0; i < kws_model_label_count(one); i++) {
		const char *label = kws_model_label(one, i);
		if (kws_resolve_keyword(one, label) != SIZE_MAX &&
			kws_resolve_keyword(other, label) != SIZE_MAX) {
			return label;
		}
	}
	return NULL;
}

/* The path or, in a text of PATH_SIZE bytes, the end of a long one, where two of a folder differ.
 */
static const char *shorten(const char *path, char *text)
{
	size_t length = strlen(path);
	if (length < PATH_SIZE) {
		return path;
	}
	const char *end = path + length + sizeof("...") - PATH_SIZE;
	while (((unsigned char)*end & 0xc0) == 0x80) { /* in the middle of a UTF-8 character */
		end++;
	}
	snprintf(text, PATH_SIZE, "...%s", end);
	return text;
}

static int check_pair(const struct kws_model_set *set, const struct kws_config *config, size_t a,
	size_t b, struct kws_error *error)
{
	char texts[2][PATH_SIZE];
	const char *first = shorten(config->model.path.items[a], texts[0]);
	const char *second = shorten(config->model.path.items[b], texts[1]);
	const char *name = kws_model_name(set->models[a]);
	const char *keyword = find_common(set->models[a], set->models[b]);
	if (strcmp(name, kws_model_name(set->models[b])) == 0) {
		return kws_fail(error, KWS_EMISMATCH,
			"%s and %s are both named '%.40s': models side by side need names of "
			"their own",
			first, second, name);
	}
	if (keyword != NULL) {
		return kws_fail(error, KWS_EMISMATCH, "both %s and %s know the keyword '%s'", first,
			second, keyword);
	}
	return 0;
}

static int check_pairs(
	const struct kws_model_set *set, const struct kws_config *config, struct kws_error *error)
{
	int result = 0;
	for (size_t a = 0; a < set->count && result == 0; a++) {
		for (size_t b = a + 1; b < set->count && result == 0; b++) {
			result = check_pair(set, config, a, b, error);
		}
	}
	return result;
}

bool kws_model_set_knows(const struct kws_model_set *set, const char *keyword)
{
	for (size_t i = 0; i < set->count; i++) {
		if (kws_resolve_keyword(set->models[i], keyword) != SIZE_MAX) {
			return true;
		}
	}
	return false;
}

/* Adds ", only a, b ..." with as many of the keywords as there is room for. */
static void add_known(struct kws_error *error, const struct kws_model *model)
{
	const char *before = ", only ";
	for (size_t i = 0; i < kws_model_label_count(model); i++) {
		const char *label = kws_model_label(model, i);
		size_t used = strlen(error->text);
		if (!kws_label_is_keyword(label)) {
			continue;
		}
		if (used + strlen(before) + strlen(label) + sizeof(" ...") > sizeof(error->text)) {
			snprintf(error->text + used, sizeof(error->text) - used, " ...");
			return;
		}
		snprintf(error->text + used, sizeof(error->text) - used, "%s%s", before, label);
		before = ", ";
	}
}

static int refuse_section(
	const struct kws_model_set *set, const char *name, struct kws_error *error)
{
	if (set->count > 1) {
		return kws_fail(error, KWS_EMISMATCH,
			"[keyword %s]: none of the models knows this keyword", name);
	}
	kws_fail(error, KWS_EMISMATCH, "[keyword %s]: the model '%s' does not know this keyword",
		name, kws_model_name(set->models[0]));
	if (error != NULL) {
		add_known(error, set->models[0]);
	}
	return KWS_EMISMATCH;
}

static int check_sections(
	const struct kws_model_set *set, const struct kws_config *config, struct kws_error *error)
{
	for (size_t i = 0; i < config->keyword_count; i++) {
		if (!kws_model_set_knows(set, config->keywords[i].name)) {
			return refuse_section(set, config->keywords[i].name, error);
		}
	}
	return 0;
}

int kws_model_set_check(
	const struct kws_model_set *set, const struct kws_config *config, struct kws_error *error)
{
	struct kws_policy_settings policy;
	struct kws_error reason;
	int result = check_pairs(set, config, error);
	if (result == 0) {
		result = check_sections(set, config, error);
	}
	for (size_t i = 0; i < set->count && result == 0; i++) {
		result = kws_resolve_policy(&policy, set->models[i], config, &reason);
		if (result != 0 && set->count == 1) {
			kws_fail(error, result, "%s", reason.text);
		} else if (result != 0) {
			kws_fail(error, result, "the model '%.40s': %.200s",
				kws_model_name(set->models[i]), reason.text);
		}
	}
	return result;
}
