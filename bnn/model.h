/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KWS_BNN_MODEL_H
#define KWS_BNN_MODEL_H

#include <stddef.h>

#include "bnn/exit-defaults.h"
#include "bnn/graph.h"
#include "bnn/keyword-defaults.h"
#include "common/error.h"

#define KWS_LABEL_SIZE 64 /* bytes of UTF-8, with the NUL */

/* A model file (docs/model-format.md): the graph with its weights, the labels and the card.
 * Immutable after loading, so that several nets on several threads can share it. */
struct kws_model;

/* Loads and checks the file. `features` is the running front end's description
 * (kws_mel_describe()); a model made for another one is refused with KWS_EMISMATCH. NULL accepts
 * any. The file is read whole, so that it may be replaced or cut short at any time. Errors: those
 * of kws_safetensors_open() and kws_graph_build(), KWS_EMISMATCH. Thread: any; not RT-safe. The
 * caller owns the model and destroys it after every net made of it.
 */
int kws_model_load(
	struct kws_model **out, const char *path, const char *features, struct kws_error *error);

/* The same over the bytes of a file, aligned to 8, which are not used after the return. */
int kws_model_parse(struct kws_model **out, const void *data, size_t size, const char *features,
	struct kws_error *error);

/* Accepts NULL. */
void kws_model_destroy(struct kws_model *model);

const struct kws_graph *kws_model_graph(const struct kws_model *model);

/* What the file says of its exits; where it says nothing, as kws_exit_defaults_parse() has it. */
const struct kws_exit_defaults *kws_model_exit_defaults(const struct kws_model *model);

/* What the file says of its keywords; where it says nothing, as kws_keyword_defaults_parse() has
 * it.
 */
const struct kws_keyword_defaults *kws_model_keyword_defaults(const struct kws_model *model);

/* The model's name, "commands" for instance; never NULL. */
const char *kws_model_name(const struct kws_model *model);

/* Class `index` of every exit; names that begin with '_' are not keywords (_unknown_, _silence_).
 */
size_t kws_model_label_count(const struct kws_model *model);
const char *kws_model_label(const struct kws_model *model, size_t index);

/* A string of the file's metadata, such as "kws.card", or NULL. */
const char *kws_model_metadata(const struct kws_model *model, const char *key);

#endif
