/* SPDX-License-Identifier: Apache-2.0 */
#include <arm_neon.h>

/* The byte counters are left to overflow. */
static inline uint8x16_t add_differing(uint8x16_t sum, uint8x16_t x, uint8x16_t y)
{
	return vaddq_u8(sum, vcntq_u8(veorq_u8(x, y)));
}

#define VECTOR uint8x16_t
#define REGISTER "w"
#define SIDE 3 /* with 4 the compiler runs out of registers */
#define ADD_DIFFERING add_differing
#define PEAK bench_peak_neon
#include "bench/peak-template.h"
