/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/network.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "common/trust.h"
#include "daemon/log.h"
#include "dsp/mel.h"

/* Whether another file stands in the model's place, or the same was written anew. One that is gone
 * is no reason to give up the model in memory. */
static bool is_outdated(const struct kws_network_model *model)
{
	const struct stat *old = &model->file;
	struct stat now;
	if (stat(model->path, &now) != 0) {
		return false;
	}
	return now.st_dev != old->st_dev || now.st_ino != old->st_ino ||
	       now.st_size != old->st_size || now.st_mtim.tv_sec != old->st_mtim.tv_sec ||
	       now.st_mtim.tv_nsec != old->st_mtim.tv_nsec;
}

static const struct kws_network empty;

static int load_model(struct kws_network_model *model, const char *path, struct kws_error *error)
{
	struct kws_error reason;
	snprintf(model->path, sizeof(model->path), "%s", path);
	stat(path, &model->file); /* without the file the load says so */
	int result = kws_trust_check_privileged(path, &reason);
	if (result == 0) {
		result = kws_model_load(&model->model, path, kws_mel_describe(), &reason);
	}
	return result == 0 ? 0 : kws_fail(error, result, "%.120s: %s", path, reason.text);
}

static const struct kws_network_model *find_model(
	const struct kws_network *network, const char *path)
{
	for (size_t i = 0; i < network->count; i++) {
		if (strcmp(network->models[i].path, path) == 0) {
			return &network->models[i];
		}
	}
	return NULL;
}

static bool has_model(const struct kws_network *network, const struct kws_model *model)
{
	for (size_t i = 0; i < network->count; i++) {
		if (network->models[i].model == model) {
			return true;
		}
	}
	return false;
}

/* Destroys the models that `kept` does not have as well. */
static void drop_models(struct kws_network *network, const struct kws_network *kept)
{
	for (size_t i = 0; i < network->count; i++) {
		if (!has_model(kept, network->models[i].model)) {
			kws_model_destroy(network->models[i].model);
		}
	}
	network->count = 0;
}

/* Fills the models of `next`: those of `present` that are still good, the others from their files.
 */
static int gather_models(struct kws_network *next, const struct kws_network *present,
	const struct kws_config_paths *paths, struct kws_error *error)
{
	for (size_t i = 0; i < paths->count; i++) {
		const char *path = paths->items[i];
		const struct kws_network_model *old = find_model(present, path);
		struct kws_network_model *new = &next->models[i];
		if (old != NULL && !is_outdated(old) && !has_model(next, old->model)) {
			*new = *old;
		} else {
			int result = load_model(new, path, error);
			if (result != 0) {
				return result;
			}
		}
		next->count++;
	}
	return 0;
}

static void log_new(const struct kws_network *network, const struct kws_network *old)
{
	for (size_t i = 0; i < network->count; i++) {
		const struct kws_network_model *model = &network->models[i];
		if (!has_model(old, model->model)) {
			kws_log_info("model '%s' loaded from %s", kws_model_name(model->model),
				model->path);
		}
	}
}

static struct kws_model_set set_of(const struct kws_network *network)
{
	struct kws_model_set set = {.count = network->count};
	for (size_t i = 0; i < network->count; i++) {
		set.models[i] = network->models[i].model;
	}
	return set;
}

void kws_network_finish(struct kws_network *network)
{
	kws_pipeline_destroy(network->pipeline);
	network->pipeline = NULL;
	drop_models(network, &empty);
}

int kws_network_init(struct kws_network *network, const struct kws_config *config,
	const struct kws_pipeline_sink *sink, struct kws_error *error)
{
	struct kws_network made = {0};
	int result = gather_models(&made, &empty, &config->model.path, error);
	if (result == 0) {
		const struct kws_model_set set = set_of(&made);
		result = kws_model_set_check(&set, config, error);
		if (result == 0) {
			result = kws_pipeline_create(&made.pipeline, &set, config, sink, error);
		}
	}
	if (result != 0) {
		kws_network_finish(&made);
		return result;
	}
	log_new(&made, &empty);
	*network = made;
	return 0;
}

int kws_network_update(
	struct kws_network *network, const struct kws_config *config, struct kws_error *error)
{
	struct kws_network next = {.pipeline = network->pipeline};
	int result = gather_models(&next, network, &config->model.path, error);
	if (result == 0) {
		const struct kws_model_set set = set_of(&next);
		result = kws_model_set_check(&set, config, error);
		if (result == 0) {
			result = kws_pipeline_exchange(network->pipeline, &set, config, error);
		}
	}
	if (result != 0) {
		drop_models(&next, network);
		return result;
	}
	log_new(&next, network);
	drop_models(network, &next);
	*network = next;
	return 0;
}
