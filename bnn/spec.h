/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KWS_BNN_SPEC_H
#define KWS_BNN_SPEC_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bnn/safetensors.h"
#include "common/error.h"

/* Every extent of an axis is below. With it no product of three extents overflows 64 bits and none
 * of two overflows a size_t of 32; a third factor may. */
#define KWS_EXTENT_MAX 65536

/* Of all that the operations of a model keep: four times the largest file. What fills up the blocks
 * of a kernel may be 15 times its tensor, and every operation may name the same one. */
#define KWS_WEIGHT_BYTES_MAX (256u << 20)

/* One entry of `kws.graph` while it is read: the JSON object, the tensors, and the place for the
 * sentence when something is wrong. A kws_spec_ function that gives a code has then set that
 * sentence, which names the operation. */
struct kws_spec {
	const json_t *json;
	size_t index; /* position in the list, for error texts */
	const struct kws_safetensors *file;
	struct kws_error *error;
	size_t *weight_bytes; /* what kws_spec_keep() gave so far, to all operations */
};

/* The geometry of a window that moves over rows and bands. */
struct kws_window {
	size_t kernel[2]; /* rows, bands */
	size_t stride[2];
	size_t pad[4]; /* rows before, rows after, bands before, bands after */
};

/* Formats "graph operation 3 (conv2d): ..." and returns `code`. */
int kws_spec_fail(const struct kws_spec *spec, int code, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* A required string, or `fallback` if that is not NULL. */
int kws_spec_string(
	const struct kws_spec *spec, const char *key, const char *fallback, const char **out);

/* Whether `act` is relu; it may be none, too, and is when absent. */
int kws_spec_relu(const struct kws_spec *spec, bool *out);

/* A list of `count` unsigned integers below KWS_EXTENT_MAX; when absent, all are `fallback`. */
int kws_spec_sizes(
	const struct kws_spec *spec, const char *key, size_t count, size_t fallback, size_t *out);

/* One unsigned integer below KWS_EXTENT_MAX. */
int kws_spec_size(const struct kws_spec *spec, const char *key, size_t fallback, size_t *out);

/* stride and pad of the entry around a kernel of the given extents, checked; no kernel may lie
 * wholly in the padding. */
int kws_spec_window(const struct kws_spec *spec, size_t kernel_rows, size_t kernel_bands,
	struct kws_window *out);

/* Positions of the window over `extent` on the axis (0 rows, 1 bands); 0 if it does not fit. */
size_t kws_window_positions(const struct kws_window *window, size_t axis, size_t extent);

/* Where the window at `position` meets the extent: the inputs [begin, end), at least one. */
struct kws_window_span {
	size_t begin;
	size_t end;
};

static inline struct kws_window_span kws_window_span(
	const struct kws_window *window, size_t axis, size_t position, size_t extent)
{
	size_t start = position * window->stride[axis]; /* counted from the first padded one */
	size_t pad = window->pad[2 * axis];
	size_t end = start + window->kernel[axis] - pad;
	return (struct kws_window_span){start > pad ? start - pad : 0, end < extent ? end : extent};
}

/* The tensor that the attribute names, which must have this type and shape; an extent of 0 in
 * `shape` accepts any size above 0. Floats must be finite. `dims` <= KWS_TENSOR_DIMS_MAX. */
int kws_spec_tensor(const struct kws_spec *spec, const char *key, enum kws_dtype dtype, size_t dims,
	const size_t *shape, const struct kws_tensor **out);

/* The same for bits of `channels` channels along the last axis: U32, whose shape[dims - 1] this
 * fills in, without bits after the last channel. */
int kws_spec_bits(const struct kws_spec *spec, const char *key, size_t channels, size_t dims,
	size_t *shape, const struct kws_tensor **out);

/* The 64-bit word `word` of one position of such a tensor, the channels from 64 * word on. */
static inline uint64_t kws_spec_word(const uint32_t *position, size_t channels, size_t word)
{
	uint64_t low = position[2 * word];
	bool has_high = channels > 64 * word + 32;
	return has_high ? low | (uint64_t)position[2 * word + 1] << 32 : low;
}

/* A copy of a float vector of `count` elements, or `count` times `fallback` when the attribute is
 * absent. The caller frees it; it counts as kept (kws_spec_keep()), though some only copy it. */
int kws_spec_vector(
	const struct kws_spec *spec, const char *key, size_t count, float fallback, float **out);

/* kws_spec_alloc() for what an operation keeps as long as the model is loaded. NULL, with *result
 * set, where there is no memory or all operations would have more than KWS_WEIGHT_BYTES_MAX; does
 * nothing where *result is an error already. */
void *kws_spec_keep(const struct kws_spec *spec, size_t count, size_t size, int *result);

/* Zeroed memory aligned to 64 bytes, to be freed with free(); NULL when there is none. */
void *kws_spec_alloc(size_t count, size_t size);

#endif
