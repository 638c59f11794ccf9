/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KWS_DAEMON_MODELS_H
#define KWS_DAEMON_MODELS_H

#include <jansson.h>

#include "common/error.h"
#include "config/config.h"

/* The models that could be loaded: the *.safetensors files in the folders of the current ones, test
 * vectors apart. `current` is [model].path. Thread: loop. */

/* A list of {path, name, labels, exits, current} and, for what cannot be used, {path, error}, in
 * the order of their paths within each folder; new reference, NULL without memory. Blocks on the
 * file system. */
json_t *kws_models_list(const struct kws_config_paths *current);

/* Writes the value of [model].path for `wanted`, a string or a list of strings. Each is a path if
 * there is a '/' in it, else the file of that name, with or without ".safetensors", in the folder
 * of the first current one. Errors: KWS_EINVAL for anything else, with a sentence. */
int kws_models_resolve(const struct kws_config_paths *current, const json_t *wanted,
	char value[KWS_CONFIG_VALUE_SIZE], struct kws_error *error);

/* `changes`, an object of "section.key": "value", without those of keywords that none of the models
 * at `paths` knows; new reference. All of them where a model cannot be loaded, for who loads it for
 * good says why. Blocks on the file system. */
json_t *kws_models_fit(const struct kws_config_paths *paths, json_t *changes);

#endif
