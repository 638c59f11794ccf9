/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KWS_PIPELINE_MODEL_SET_H
#define KWS_PIPELINE_MODEL_SET_H

#include <stdbool.h>
#include <stddef.h>

#include "bnn/model.h"
#include "common/error.h"
#include "config/config.h"

/* The models that listen side by side to one stream, in the order of [model].path. All zero is
 * empty. Thread: any. */
struct kws_model_set {
	size_t count;
	struct kws_model *models[KWS_CONFIG_MODELS_MAX];
};

/* Destroys the models, for who owns them. */
void kws_model_set_finish(struct kws_model_set *set);

/* Whether a model takes a window of our features. Errors: KWS_EMISMATCH with a sentence. */
int kws_model_set_check_input(const struct kws_model *model, struct kws_error *error);

/* Whether one of the models has that keyword. */
bool kws_model_set_knows(const struct kws_model_set *set, const char *keyword);

/* Whether the models, which are those of [model].path, can work together under `config`: no two
 * have the same name or a keyword in common, so that an event says which one heard it; every
 * keyword that has a section is known to one of them; the exits of each suit [exits]. Errors:
 * KWS_EMISMATCH, KWS_EINVAL with a sentence that names the files or the section. */
int kws_model_set_check(
	const struct kws_model_set *set, const struct kws_config *config, struct kws_error *error);

#endif
