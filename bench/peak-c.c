/* SPDX-License-Identifier: Apache-2.0 */
#include <stdint.h>

/* What every compiler makes of 64-bit words: two of them in a register of 128 bits. */
typedef uint64_t pair __attribute__((vector_size(16)));

static inline pair add_differing(pair sum, pair x, pair y)
{
	pair v = x ^ y;
	v = v - ((v >> 1) & 0x5555555555555555u);
	v = (v & 0x3333333333333333u) + ((v >> 2) & 0x3333333333333333u);
	return sum + ((v + (v >> 4)) & 0x0f0f0f0f0f0f0f0fu);
}

#define VECTOR pair
#if defined(__ARM_NEON)
#define REGISTER "w"
#elif defined(__SSE2__)
#define REGISTER "x"
#else
#define REGISTER "m"
#endif
#define SIDE 2
#define ADD_DIFFERING add_differing
#define PEAK bench_peak_c
#include "bench/peak-template.h"
