/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KWS_BNN_SAFETENSORS_H
#define KWS_BNN_SAFETENSORS_H

#include <stddef.h>
#include <stdint.h>

#include "common/error.h"

/* A safetensors file: 8 bytes little-endian length, a JSON header, raw little-endian tensors
 * (https://github.com/huggingface/safetensors#format). The file is untrusted: opening checks the
 * header whole, so that every tensor handed out lies inside the file, has the size that its shape
 * says and is aligned for its type. */

#define KWS_TENSOR_DIMS_MAX 6

enum kws_dtype {
	KWS_DTYPE_F32,
	KWS_DTYPE_U32,
	KWS_DTYPE_I32,
	KWS_DTYPE_U8,
};

struct kws_tensor {
	const char *name;
	enum kws_dtype dtype;
	size_t dims;
	size_t shape[KWS_TENSOR_DIMS_MAX];
	size_t count;     /* elements: the product of the shape */
	const void *data; /* in the file's bytes */
};

struct kws_safetensors;

/* Reads the file, of at most 64 MiB, whole and checks it: what becomes of it later does no harm.
 * Names and data live until kws_safetensors_close(). Errors: those of kws_file_read(), KWS_EFORMAT,
 * KWS_EUNSUPPORTED (dtype, big-endian machine), each with a sentence. Thread: any. */
int kws_safetensors_open(struct kws_safetensors **out, const char *path, struct kws_error *error);

/* The same over bytes in memory, which must stay valid and unchanged until close and be aligned
 * to 8.
 */
int kws_safetensors_open_bytes(
	struct kws_safetensors **out, const void *data, size_t size, struct kws_error *error);

/* Accepts NULL. */
void kws_safetensors_close(struct kws_safetensors *file);

/* The tensor of that name, or NULL. Thread: any. */
const struct kws_tensor *kws_safetensors_find(const struct kws_safetensors *file, const char *name);

/* A string of the header's `__metadata__`, or NULL. */
const char *kws_safetensors_metadata(const struct kws_safetensors *file, const char *key);

#endif
