/* SPDX-License-Identifier: Apache-2.0 */
#include <stddef.h>
#include <stdint.h>

/* What every compiler makes of 64-bit words: two of them in a register of 128 bits, or where there
 * are no such registers what a general one holds. */
#if defined(__ARM_NEON)
#define REGISTER "w"
#elif defined(__SSE2__)
#define REGISTER "x"
#endif
#ifdef REGISTER
typedef uint64_t word;
typedef word VECTOR __attribute__((vector_size(16)));
#else
#define REGISTER "r"
typedef size_t word;
typedef word VECTOR;
#endif

#define EVERY_SECOND_BIT ((word)-1 / 3) /* 0x5555... */
#define LOWER_PAIRS ((word)-1 / 5)      /* 0x3333... */
#define LOWER_NIBBLES ((word)-1 / 17)   /* 0x0f0f... */

static inline VECTOR add_differing(VECTOR sum, VECTOR x, VECTOR y)
{
	VECTOR v = x ^ y;
	v = v - ((v >> 1) & EVERY_SECOND_BIT);
	v = (v & LOWER_PAIRS) + ((v >> 2) & LOWER_PAIRS);
	return sum + ((v + (v >> 4)) & LOWER_NIBBLES);
}

#define SIDE 2
#define ADD_DIFFERING add_differing
#define PEAK bench_peak_c
#include "bench/peak-template.h"
