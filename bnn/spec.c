/* SPDX-License-Identifier: Apache-2.0 */
#include "bnn/spec.h"

#include <math.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ALIGNMENT 64

int kws_spec_fail(const struct kws_spec *spec, int code, const char *format, ...)
{
	char text[192];
	va_list args;
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	const char *op = json_string_value(json_object_get(spec->json, "op"));
	return kws_fail(spec->error, code, "graph operation %zu (%.24s): %s", spec->index,
		op != NULL ? op : "?", text);
}

int kws_spec_string(
	const struct kws_spec *spec, const char *key, const char *fallback, const char **out)
{
	const json_t *value = json_object_get(spec->json, key);
	if (value == NULL && fallback != NULL) {
		*out = fallback;
		return 0;
	}
	*out = json_string_value(value);
	if (*out == NULL) {
		return kws_spec_fail(spec, KWS_EFORMAT, "'%s' must be a string", key);
	}
	return 0;
}

int kws_spec_relu(const struct kws_spec *spec, bool *out)
{
	const char *act;
	int result = kws_spec_string(spec, "act", "none", &act);
	if (result != 0) {
		return result;
	}
	*out = strcmp(act, "relu") == 0;
	return *out || strcmp(act, "none") == 0
		       ? 0
		       : kws_spec_fail(spec, KWS_EFORMAT, "'act' must be none or relu");
}

static int size_of_json(
	const struct kws_spec *spec, const char *key, const json_t *json, size_t *out)
{
	json_int_t value = json_integer_value(json);
	if (!json_is_integer(json) || value < 0 || value >= KWS_EXTENT_MAX) {
		return kws_spec_fail(spec, KWS_EFORMAT, "'%s' must hold integers from 0 to %d", key,
			KWS_EXTENT_MAX - 1);
	}
	*out = (size_t)value;
	return 0;
}

int kws_spec_size(const struct kws_spec *spec, const char *key, size_t fallback, size_t *out)
{
	const json_t *json = json_object_get(spec->json, key);
	*out = fallback;
	return json != NULL ? size_of_json(spec, key, json, out) : 0;
}

int kws_spec_sizes(
	const struct kws_spec *spec, const char *key, size_t count, size_t fallback, size_t *out)
{
	const json_t *list = json_object_get(spec->json, key);
	if (list != NULL && json_array_size(list) != count) {
		return kws_spec_fail(
			spec, KWS_EFORMAT, "'%s' must be a list of %zu integers", key, count);
	}
	for (size_t i = 0; i < count; i++) {
		out[i] = fallback;
		int result = list != NULL
				     ? size_of_json(spec, key, json_array_get(list, i), &out[i])
				     : 0;
		if (result != 0) {
			return result;
		}
	}
	return 0;
}

int kws_spec_window(const struct kws_spec *spec, size_t kernel_rows, size_t kernel_bands,
	struct kws_window *out)
{
	out->kernel[0] = kernel_rows;
	out->kernel[1] = kernel_bands;
	int result = kws_spec_sizes(spec, "stride", 2, 1, out->stride);
	if (result == 0) {
		result = kws_spec_sizes(spec, "pad", 4, 0, out->pad);
	}
	if (result != 0) {
		return result;
	}
	for (size_t axis = 0; axis < 2; axis++) {
		if (out->stride[axis] == 0 || out->kernel[axis] == 0) {
			return kws_spec_fail(
				spec, KWS_EFORMAT, "stride and kernel must be at least 1");
		}
		if (out->pad[2 * axis] >= out->kernel[axis] ||
			out->pad[2 * axis + 1] >= out->kernel[axis]) {
			return kws_spec_fail(
				spec, KWS_EFORMAT, "padding must be smaller than the kernel");
		}
	}
	return 0;
}

size_t kws_window_positions(const struct kws_window *window, size_t axis, size_t extent)
{
	size_t padded = extent + window->pad[2 * axis] + window->pad[2 * axis + 1];
	if (padded < window->kernel[axis]) {
		return 0;
	}
	return (padded - window->kernel[axis]) / window->stride[axis] + 1;
}

static int check_finite(
	const struct kws_spec *spec, const char *key, const struct kws_tensor *tensor)
{
	const float *values = tensor->data;
	for (size_t i = 0; i < tensor->count; i++) {
		if (!isfinite(values[i])) {
			return kws_spec_fail(
				spec, KWS_EFORMAT, "'%s' holds a number that is not finite", key);
		}
	}
	return 0;
}

int kws_spec_tensor(const struct kws_spec *spec, const char *key, enum kws_dtype dtype, size_t dims,
	const size_t *shape, const struct kws_tensor **out)
{
	const char *name;
	int result = kws_spec_string(spec, key, NULL, &name);
	if (result != 0) {
		return result;
	}
	const struct kws_tensor *tensor = kws_safetensors_find(spec->file, name);
	if (tensor == NULL) {
		return kws_spec_fail(spec, KWS_EFORMAT, "there is no tensor '%.64s'", name);
	}
	if (tensor->dtype != dtype || tensor->dims != dims) {
		return kws_spec_fail(spec, KWS_EFORMAT,
			"tensor '%.64s' does not have the type and %zu axes that '%s' needs", name,
			dims, key);
	}
	for (size_t i = 0; i < dims; i++) {
		size_t extent = tensor->shape[i];
		if (extent == 0 || extent >= KWS_EXTENT_MAX) {
			return kws_spec_fail(spec, KWS_EFORMAT,
				"axis %zu of tensor '%.64s' is %zu, must be from 1 to %d", i, name,
				extent, KWS_EXTENT_MAX - 1);
		}
		if (shape[i] != 0 && extent != shape[i]) {
			return kws_spec_fail(spec, KWS_EFORMAT,
				"axis %zu of tensor '%.64s' is %zu, '%s' needs %zu", i, name,
				extent, key, shape[i]);
		}
	}
	*out = tensor;
	return dtype == KWS_DTYPE_F32 ? check_finite(spec, key, tensor) : 0;
}

int kws_spec_bits(const struct kws_spec *spec, const char *key, size_t channels, size_t dims,
	size_t *shape, const struct kws_tensor **out)
{
	size_t words = (channels + 31) / 32;
	shape[dims - 1] = words;
	int result = kws_spec_tensor(spec, key, KWS_DTYPE_U32, dims, shape, out);
	if (result != 0 || channels % 32 == 0) {
		return result;
	}
	const uint32_t *bits = (*out)->data;
	for (size_t i = words - 1; i < (*out)->count; i += words) {
		if (bits[i] >> channels % 32 != 0) {
			return kws_spec_fail(
				spec, KWS_EFORMAT, "'%s' has bits after the last channel", key);
		}
	}
	return 0;
}

int kws_spec_vector(
	const struct kws_spec *spec, const char *key, size_t count, float fallback, float **out)
{
	const struct kws_tensor *tensor = NULL;
	if (json_object_get(spec->json, key) != NULL) {
		int result = kws_spec_tensor(spec, key, KWS_DTYPE_F32, 1, &count, &tensor);
		if (result != 0) {
			return result;
		}
	}
	int result = 0;
	*out = kws_spec_keep(spec, count, sizeof(**out), &result);
	for (size_t i = 0; result == 0 && i < count; i++) {
		(*out)[i] = tensor != NULL ? ((const float *)tensor->data)[i] : fallback;
	}
	return result;
}

void *kws_spec_keep(const struct kws_spec *spec, size_t count, size_t size, int *result)
{
	size_t bytes;
	if (*result != 0) {
		return NULL;
	}
	if (__builtin_mul_overflow(count, size, &bytes) ||
		bytes > KWS_WEIGHT_BYTES_MAX - *spec->weight_bytes) {
		*result = kws_spec_fail(spec, KWS_EUNSUPPORTED,
			"the weights are too large: more than %u MiB as the kernels need them",
			KWS_WEIGHT_BYTES_MAX >> 20);
		return NULL;
	}
	void *memory = kws_spec_alloc(count, size);
	if (memory == NULL) {
		*result = kws_spec_fail(spec, KWS_ENOMEM, "out of memory");
	} else {
		*spec->weight_bytes += bytes;
	}
	return memory;
}

void *kws_spec_alloc(size_t count, size_t size)
{
	size_t bytes;
	if (__builtin_mul_overflow(count, size, &bytes) || bytes > SIZE_MAX - ALIGNMENT) {
		return NULL;
	}
	bytes = (bytes + ALIGNMENT) / ALIGNMENT * ALIGNMENT; /* never 0 */
	void *memory = aligned_alloc(ALIGNMENT, bytes);
	if (memory != NULL) {
		memset(memory, 0, bytes);
	}
	return memory;
}
