/* SPDX-License-Identifier: Apache-2.0 */
/* The loop of a register peak. The file that includes it defines for its instruction set: VECTOR, a
 * type of vectors; REGISTER, the asm constraint of their registers; SIDE, inputs and weights of the
 * square tile; ADD_DIFFERING(sum, x, y), which counts the bits that differ; PEAK, the object. */
#include "bench/peak.h"

static void peak_run(void *user, size_t times)
{
	VECTOR input[SIDE] = {0};
	VECTOR weight[SIDE] = {0};
	VECTOR sum[SIDE * SIDE] = {0};
	(void)user;
	for (size_t i = 0; i < times; i++) {
		/* values that the compiler cannot know, or it would count once for all */
		for (size_t k = 0; k < SIDE; k++) {
			__asm__ volatile("" : "+" REGISTER(input[k]), "+" REGISTER(weight[k]));
		}
		for (size_t k = 0; k < SIDE * SIDE; k++) {
			sum[k] = ADD_DIFFERING(sum[k], input[k / SIDE], weight[k % SIDE]);
		}
	}
	for (size_t k = 0; k < SIDE * SIDE; k++) {
		__asm__ volatile("" : : REGISTER(sum[k]));
	}
}

const struct bench_peak PEAK = {
	.run = peak_run,
	.macs = SIDE * SIDE * sizeof(VECTOR) * 8,
};
