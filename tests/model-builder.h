/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KWS_TESTS_MODEL_BUILDER_H
#define KWS_TESTS_MODEL_BUILDER_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

#include "bnn/model.h"
#include "bnn/safetensors.h"

/* Puts safetensors files together in memory, right or wrong ones. Running out of memory ends the
 * program. */
struct model_builder {
	json_t *header;
	json_t *metadata;
	uint8_t *data;
	size_t size;
};

/* The bytes of a file, aligned to 8 as kws_safetensors_open_bytes() wants them; free(data). */
struct model_bytes {
	uint8_t *data;
	size_t size;
};

/* Begins an empty file. */
void model_builder_init(struct model_builder *builder);
void model_builder_finish(struct model_builder *builder);

/* Sets a string of the metadata; NULL takes it away. */
void model_builder_metadata(struct model_builder *builder, const char *key, const char *value);

/* The same for JSON text, written with ' for ". */
void model_builder_json(struct model_builder *builder, const char *key, const char *text);

/* Everything that a model has beside its graph and its tensors: two labels, "go" and "_silence_",
 * features "test". */
void model_builder_describe(struct model_builder *builder);

/* A whole model of three exits, each a dense layer over the mean of the input: labels "go", "stop",
 * "_silence_". */
void model_builder_three_exits(struct model_builder *builder);

/* Appends a tensor of 4-byte elements (`dtype` F32, U32, I32) with as many as the shape says. Up to
 * four extents, 0 ends them. */
void model_builder_tensor(struct model_builder *builder, const char *name, enum kws_dtype dtype,
	const size_t shape[4], const void *values);

/* The same with the floats 1/8, 2/8, ... -1/8, ... of a short period: exact and of both signs. */
void model_builder_floats(struct model_builder *builder, const char *name, const size_t shape[4]);

/* The finished file. The builder may go on afterwards. */
struct model_bytes model_builder_bytes(const struct model_builder *builder);

/* Joins a length, a header as it is (with ' for ") and data. */
struct model_bytes model_bytes_join(const char *header, const void *data, size_t data_size);

/* Builds and parses, as kws_model_parse(). */
int model_builder_parse(const struct model_builder *builder, struct kws_model **out,
	const char *features, struct kws_error *error);

#endif
