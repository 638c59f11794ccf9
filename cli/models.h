/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KWS_CLI_MODELS_H
#define KWS_CLI_MODELS_H

#include "config/config.h"
#include "pipeline/model-set.h"

/* The models of [model].path, for the offline tools. They complain on the standard error and
 * return the exit status: KWS_EXIT_USAGE where the settings do not suit the models, which are
 * themselves fit for use. If it is not 0 there is nothing to finish. */

/* Complains about a model's file, in words that may be the file's own. */
void kws_cli_models_complain(const char *path, const struct kws_error *error);

/* All of them, which suit each other and the configuration. */
int kws_cli_models_load(struct kws_model_set *set, const struct kws_config *config);

/* The one model of a tool that works on one at a time; a list is refused. The caller destroys it.
 * Whether the settings suit it remains to be checked. */
int kws_cli_model_load(struct kws_model **out, const struct kws_config *config);

#endif
