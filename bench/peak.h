/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KWS_BENCH_PEAK_H
#define KWS_BENCH_PEAK_H

#include <stddef.h>

/* The register peak: how many binary multiply-accumulates an instruction set can do when no operand
 * comes from memory, only exclusive or, population count and addition in registers. No kernel can
 * be faster; its share of this is how much of the machine it uses. */
struct bench_peak {
	void (*run)(void *user, size_t times); /* an entry's run (bench/race.h) */
	size_t macs;                           /* of one time */
};

extern const struct bench_peak bench_peak_c;      /* shifts and masks on 128 bits */
extern const struct bench_peak bench_peak_avx2;   /* vpshufb: 8 instructions for 256 bits */
extern const struct bench_peak bench_peak_neon;   /* vcnt: 3 instructions for 128 bits */
extern const struct bench_peak bench_peak_avx512; /* vpopcntq: 3 instructions for 512 bits */

#endif
