/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KWS_BENCH_LEVEL_H
#define KWS_BENCH_LEVEL_H

#include <stddef.h>
#include <stdint.h>

#include "bnn/bconv-ops.h"

#define BENCH_LEVELS_MAX 4

/* Kernels up to one instruction set: what a program has under that CPU mask (common/cpu.h). */
struct bench_level {
	const char *name; /* of the mask: "c", "avx2", ... */
	uint32_t mask;
	const struct kws_bconv_ops *bconv;
};

/* Fills `levels` with those that this processor and the mask of the environment allow, the fastest
 * first and plain C last, and returns how many. */
size_t bench_levels_find(struct bench_level levels[BENCH_LEVELS_MAX]);

/* What is created until bench_level_leave() gets the kernels of this level. */
void bench_level_enter(const struct bench_level *level);
void bench_level_leave(void);

#endif
