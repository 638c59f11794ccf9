/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KWS_DAEMON_MODELS_H
#define KWS_DAEMON_MODELS_H

#include <jansson.h>
#include <stddef.h>

/* The models that could be loaded: the *.safetensors files in the folder of the current one, test
 * vectors apart. Thread: loop. Blocks on the file system. */

/* A list of {path, name, labels, exits, current} and, for what cannot be used, {path, error}, in
 * the order of their paths; new reference, NULL without memory. `current` is [model].path. */
json_t *kws_models_list(const char *current);

/* The path that is meant: `wanted` as it is if there is a '/' in it, else the file of that name,
 * with or without ".safetensors", in the folder of `current`. Cut to `size`. */
void kws_models_path(const char *current, const char *wanted, char *path, size_t size);

#endif
