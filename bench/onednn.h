/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KWS_BENCH_ONEDNN_H
#define KWS_BENCH_ONEDNN_H

#include "bench/layer.h"

/* The convolution of a layer's shape as oneDNN does it: float32, or 8 bits (u8 x s8 to u8), on one
 * thread. oneDNN chooses the memory layouts, which is not part of the time. It has no residual and
 * no activation. */
struct bench_onednn;

enum bench_onednn_type { BENCH_ONEDNN_F32, BENCH_ONEDNN_INT8 };

/* Prepares to run on one thread. Returns a sentence when this build has no oneDNN that can, or
 * NULL. */
const char *bench_onednn_init(void);

/* NULL if oneDNN cannot do it. */
struct bench_onednn *bench_onednn_create(
	const struct bench_layer *layer, enum bench_onednn_type type);

/* Accepts NULL. */
void bench_onednn_destroy(struct bench_onednn *conv);

/* An entry's run (bench/race.h); `user` is the convolution. */
void bench_onednn_run(void *user, size_t times);

/* The name of oneDNN's kernel, "jit:avx512_core" for instance. */
const char *bench_onednn_kernel(const struct bench_onednn *conv);

#endif
