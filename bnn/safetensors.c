/* SPDX-License-Identifier: Apache-2.0 */
#include "bnn/safetensors.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "common/file.h"
#include "common/json.h"

#define FILE_BYTES_MAX ((size_t)64 << 20)
#define LENGTH_BYTES 8
#define HEADER_BYTES_MAX (16u << 20)
#define TENSORS_MAX 4096

struct kws_safetensors {
	char *bytes; /* NULL: they belong to the caller */
	json_t *header;
	struct kws_tensor *tensors;
	size_t count;
};

static const struct {
	const char *name;
	enum kws_dtype dtype;
	size_t bytes;
} dtypes[] = {
	{"F32", KWS_DTYPE_F32, 4},
	{"U32", KWS_DTYPE_U32, 4},
	{"I32", KWS_DTYPE_I32, 4},
	{"U8", KWS_DTYPE_U8, 1},
};

/* Fills dtype, shape and count; *bytes gets the size that the data must have. */
static int parse_type(
	struct kws_tensor *tensor, const json_t *entry, size_t *bytes, struct kws_error *error)
{
	const char *dtype = json_string_value(json_object_get(entry, "dtype"));
	const json_t *shape = json_object_get(entry, "shape");
	bool too_large = false;
	if (dtype == NULL || !json_is_array(shape) ||
		json_array_size(shape) > KWS_TENSOR_DIMS_MAX) {
		return kws_fail(error, KWS_EFORMAT, "tensor '%.64s' has no usable dtype and shape",
			tensor->name);
	}
	*bytes = 0;
	for (size_t i = 0; i < sizeof(dtypes) / sizeof(dtypes[0]); i++) {
		if (strcmp(dtype, dtypes[i].name) == 0) {
			tensor->dtype = dtypes[i].dtype;
			*bytes = dtypes[i].bytes;
		}
	}
	if (*bytes == 0) {
		return kws_fail(error, KWS_EUNSUPPORTED,
			"tensor '%.64s' has the unsupported dtype '%.16s'", tensor->name, dtype);
	}
	tensor->dims = json_array_size(shape);
	tensor->count = 1;
	for (size_t i = 0; i < tensor->dims; i++) {
		const json_t *value = json_array_get(shape, i);
		json_int_t size = json_integer_value(value);
		if (!json_is_integer(value) || size < 0 || size > INT32_MAX) {
			return kws_fail(error, KWS_EFORMAT,
				"tensor '%.64s' has an impossible shape", tensor->name);
		}
		tensor->shape[i] = (size_t)size;
		too_large |= __builtin_mul_overflow(tensor->count, (size_t)size, &tensor->count);
	}
	too_large |= __builtin_mul_overflow(*bytes, tensor->count, bytes);
	if (too_large) {
		return kws_fail(error, KWS_EFORMAT, "tensor '%.64s' is too large", tensor->name);
	}
	return 0;
}

static int parse_tensor(struct kws_tensor *tensor, const json_t *entry, const uint8_t *data,
	size_t data_size, struct kws_error *error)
{
	size_t bytes = 0;
	int result = parse_type(tensor, entry, &bytes, error);
	if (result != 0) {
		return result;
	}
	const json_t *offsets = json_object_get(entry, "data_offsets");
	const json_t *first = json_array_get(offsets, 0);
	const json_t *last = json_array_get(offsets, 1);
	json_int_t begin = json_integer_value(first);
	json_int_t end = json_integer_value(last);
	if (!json_is_integer(first) || !json_is_integer(last) || json_array_size(offsets) != 2 ||
		begin < 0 || end < begin || (uint64_t)end > data_size) {
		return kws_fail(
			error, KWS_EFORMAT, "tensor '%.64s' lies outside the file", tensor->name);
	}
	if ((uint64_t)(end - begin) != bytes) {
		return kws_fail(error, KWS_EFORMAT,
			"tensor '%.64s' has %lld bytes, its shape needs %zu", tensor->name,
			(long long)(end - begin), bytes);
	}
	tensor->data = data + begin;
	if (tensor->dtype != KWS_DTYPE_U8 && (uintptr_t)tensor->data % 4 != 0) {
		return kws_fail(error, KWS_EFORMAT, "tensor '%.64s' is not aligned", tensor->name);
	}
	return 0;
}

static int check_metadata(const json_t *metadata, struct kws_error *error)
{
	const char *key;
	json_t *value;
	if (metadata != NULL && !json_is_object(metadata)) {
		return kws_fail(error, KWS_EFORMAT, "__metadata__ is not an object");
	}
	json_object_foreach ((json_t *)metadata, key, value) {
		if (!json_is_string(value)) {
			return kws_fail(
				error, KWS_EFORMAT, "__metadata__ '%.64s' is not a string", key);
		}
	}
	return 0;
}

static int parse_tensors(
	struct kws_safetensors *file, const uint8_t *data, size_t size, struct kws_error *error)
{
	const char *key;
	json_t *entry;
	size_t entries = json_object_size(file->header);
	if (entries > TENSORS_MAX) {
		return kws_fail(error, KWS_EFORMAT, "more than %d tensors", TENSORS_MAX);
	}
	file->tensors = calloc(entries + 1, sizeof(*file->tensors));
	if (file->tensors == NULL) {
		return kws_fail(error, KWS_ENOMEM, "out of memory");
	}
	json_object_foreach (file->header, key, entry) {
		if (strcmp(key, "__metadata__") == 0) {
			continue;
		}
		struct kws_tensor *tensor = &file->tensors[file->count++];
		tensor->name = key;
		int result = parse_tensor(tensor, entry, data, size, error);
		if (result != 0) {
			return result;
		}
	}
	return check_metadata(json_object_get(file->header, "__metadata__"), error);
}

static int parse_file(
	struct kws_safetensors *file, const uint8_t *data, size_t size, struct kws_error *error)
{
	uint64_t header_size = 0;
	if (size < LENGTH_BYTES) {
		return kws_fail(
			error, KWS_EFORMAT, "too short for a safetensors file (%zu bytes)", size);
	}
	for (int i = LENGTH_BYTES - 1; i >= 0; i--) {
		header_size = header_size << 8 | data[i];
	}
	if (header_size > HEADER_BYTES_MAX || header_size > size - LENGTH_BYTES) {
		return kws_fail(error, KWS_EFORMAT,
			"not a safetensors file, or cut short: header of %llu bytes in a file of "
			"%zu",
			(unsigned long long)header_size, size);
	}
	int result = kws_json_load(&file->header, "the header", data + LENGTH_BYTES,
		(size_t)header_size, JSON_REJECT_DUPLICATES, error);
	if (result != 0) {
		return result;
	}
	if (!json_is_object(file->header)) {
		return kws_fail(error, KWS_EFORMAT, "the header is not JSON: not an object");
	}
	size_t begin = LENGTH_BYTES + (size_t)header_size;
	return parse_tensors(file, data + begin, size - begin, error);
}

int kws_safetensors_open_bytes(
	struct kws_safetensors **out, const void *data, size_t size, struct kws_error *error)
{
#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
	return kws_fail(error, KWS_EUNSUPPORTED, "models are little-endian, this machine is not");
#endif
	struct kws_safetensors *file = calloc(1, sizeof(*file));
	if (file == NULL) {
		return kws_fail(error, KWS_ENOMEM, "out of memory");
	}
	int result = parse_file(file, data, size, error);
	if (result != 0) {
		kws_safetensors_close(file);
		return result;
	}
	*out = file;
	return 0;
}

/* Read, not mapped: whoever cuts a mapped file short ends the process with a signal. */
int kws_safetensors_open(struct kws_safetensors **out, const char *path, struct kws_error *error)
{
	char *bytes;
	size_t size;
	int result = kws_file_read(path, FILE_BYTES_MAX, &bytes, &size, error);
	if (result != 0) {
		return result;
	}
	result = kws_safetensors_open_bytes(out, bytes, size, error);
	if (result != 0) {
		free(bytes);
		return result;
	}
	(*out)->bytes = bytes;
	return 0;
}

void kws_safetensors_close(struct kws_safetensors *file)
{
	if (file == NULL) {
		return;
	}
	json_decref(file->header);
	free(file->tensors);
	free(file->bytes);
	free(file);
}

const struct kws_tensor *kws_safetensors_find(const struct kws_safetensors *file, const char *name)
{
	for (size_t i = 0; i < file->count; i++) {
		if (strcmp(file->tensors[i].name, name) == 0) {
			return &file->tensors[i];
		}
	}
	return NULL;
}

const char *kws_safetensors_metadata(const struct kws_safetensors *file, const char *key)
{
	const json_t *metadata = json_object_get(file->header, "__metadata__");
	return json_string_value(json_object_get(metadata, key));
}
