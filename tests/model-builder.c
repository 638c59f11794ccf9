/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/model-builder.h"

#include <stdlib.h>
#include <string.h>

#define LENGTH_BYTES 8
#define ELEMENT_BYTES 4
#define DIMS_MAX 4

static const char *const dtype_names[] = {
	[KWS_DTYPE_F32] = "F32",
	[KWS_DTYPE_U32] = "U32",
	[KWS_DTYPE_I32] = "I32",
};

static void *checked(void *memory)
{
	if (memory == NULL) {
		abort();
	}
	return memory;
}

/* A copy with every ' turned into a ". */
static char *unquote(const char *text)
{
	char *copy = checked(strdup(text));
	for (char *c = copy; *c != '\0'; c++) {
		*c = *c == '\'' ? '"' : *c;
	}
	return copy;
}

void model_builder_init(struct model_builder *builder)
{
	*builder = (struct model_builder){
		.header = checked(json_object()),
		.metadata = checked(json_object()),
	};
}

void model_builder_finish(struct model_builder *builder)
{
	json_decref(builder->header);
	json_decref(builder->metadata);
	free(builder->data);
}

void model_builder_metadata(struct model_builder *builder, const char *key, const char *value)
{
	if (value == NULL) {
		json_object_del(builder->metadata, key);
	} else {
		json_object_set_new(builder->metadata, key, checked(json_string(value)));
	}
}

void model_builder_json(struct model_builder *builder, const char *key, const char *text)
{
	char *json = unquote(text);
	model_builder_metadata(builder, key, json);
	free(json);
}

void model_builder_describe(struct model_builder *builder)
{
	model_builder_metadata(builder, "kws.format", "1");
	model_builder_metadata(builder, "kws.name", "built");
	model_builder_metadata(builder, "kws.features", "test");
	model_builder_metadata(builder, "kws.card", "Made for a test.");
	model_builder_json(builder, "kws.labels", "['go','_silence_']");
}

static size_t count_elements(const size_t shape[DIMS_MAX], json_t *extents)
{
	size_t count = 1;
	for (size_t i = 0; i < DIMS_MAX && shape[i] != 0; i++) {
		count *= shape[i];
		json_array_append_new(extents, json_integer((json_int_t)shape[i]));
	}
	return count;
}

void model_builder_tensor(struct model_builder *builder, const char *name, enum kws_dtype dtype,
	const size_t shape[DIMS_MAX], const void *values)
{
	json_t *extents = checked(json_array());
	size_t bytes = count_elements(shape, extents) * ELEMENT_BYTES;
	builder->data = checked(realloc(builder->data, builder->size + bytes));
	memcpy(builder->data + builder->size, values, bytes);
	json_t *entry = json_pack("{s:s, s:o, s:[I, I]}", "dtype", dtype_names[dtype], "shape",
		extents, "data_offsets", (json_int_t)builder->size,
		(json_int_t)(builder->size + bytes));
	json_object_set_new(builder->header, name, checked(entry));
	builder->size += bytes;
}

void model_builder_floats(
	struct model_builder *builder, const char *name, const size_t shape[DIMS_MAX])
{
	json_t *extents = checked(json_array());
	size_t count = count_elements(shape, extents);
	json_decref(extents);
	float *values = checked(calloc(count, sizeof(*values)));
	for (size_t i = 0; i < count; i++) {
		values[i] = (float)((int)(i % 7) - 3) / 8.0f;
	}
	model_builder_tensor(builder, name, KWS_DTYPE_F32, shape, values);
	free(values);
}

struct model_bytes model_bytes_join(const char *header, const void *data, size_t data_size)
{
	char *text = unquote(header);
	size_t length = strlen(text);
	struct model_bytes bytes = {.size = LENGTH_BYTES + length + data_size};
	bytes.data = checked(malloc(bytes.size));
	for (size_t i = 0; i < LENGTH_BYTES; i++) {
		bytes.data[i] = (uint8_t)((uint64_t)length >> 8 * i);
	}
	memcpy(bytes.data + LENGTH_BYTES, text, length);
	if (data_size > 0) {
		memcpy(bytes.data + LENGTH_BYTES + length, data, data_size);
	}
	free(text);
	return bytes;
}

void model_builder_three_exits(struct model_builder *builder)
{
	model_builder_describe(builder);
	model_builder_json(builder, "kws.labels", "['go','stop','_silence_']");
	model_builder_json(builder, "kws.graph",
		"[{'op':'input','out':'x','shape':[98,64,1]},"
		"{'op':'exit','in':'x','out':'e1','pool':'all','weight':'w'},"
		"{'op':'exit','in':'x','out':'e2','pool':'all','weight':'w'},"
		"{'op':'exit','in':'x','out':'e3','pool':'all','weight':'w'}]");
	model_builder_floats(builder, "w", (const size_t[4]){3, 1, 0, 0});
}

/* The header without any ' of its own to turn, padded so that the data is aligned. */
struct model_bytes model_builder_bytes(const struct model_builder *builder)
{
	json_t *header = checked(json_copy(builder->header));
	json_object_set(header, "__metadata__", builder->metadata);
	char *text = checked(json_dumps(header, JSON_COMPACT));
	size_t length = strlen(text);
	size_t padded = (length + LENGTH_BYTES - 1) / LENGTH_BYTES * LENGTH_BYTES;
	text = checked(realloc(text, padded + 1));
	memset(text + length, ' ', padded - length);
	text[padded] = '\0';
	struct model_bytes bytes = model_bytes_join(text, builder->data, builder->size);
	free(text);
	json_decref(header);
	return bytes;
}

int model_builder_parse(const struct model_builder *builder, struct kws_model **out,
	const char *features, struct kws_error *error)
{
	struct model_bytes bytes = model_builder_bytes(builder);
	int result = kws_model_parse(out, bytes.data, bytes.size, features, error);
	free(bytes.data);
	return result;
}
