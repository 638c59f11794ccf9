/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KWS_BNN_BCONV_NEON_H
#define KWS_BNN_BCONV_NEON_H

#include <arm_neon.h>
#include <stddef.h>
#include <stdint.h>

#include "bnn/bconv-ops.h"

/* The inner tiles of bconv-ops-neon.c: the bits that differ between a few positions and the eight
 * outputs of a block. A vector holds a word of two outputs, so four hold a block, and their bytes
 * count: eor, cnt and add, 3 operations for 128 multiply-accumulates or 96 for 4096. */

/* A byte grows by at most 8 a word. */
#define KWS_NEON_WORDS_MAX 31

#ifdef __aarch64__
#define KWS_NEON_POSITIONS 4 /* 16 of 32 registers are counters */
#else
#define KWS_NEON_POSITIONS 2 /* 8 of 16 */
#endif

#define KWS_NEON_VECTORS (KWS_BCONV_BLOCK / 2)
#define KWS_NEON_INLINE static inline __attribute__((always_inline))

/* A part of a tile that the byte counters can hold: rows * words <= KWS_NEON_WORDS_MAX, neither is
 * 0. Steps in words, as in struct kws_bconv_tile. */
struct kws_neon_part {
	size_t rows;
	size_t words;
	size_t input_step;
	size_t weight_step;
	const uint64_t *weights;
	const uint64_t *inputs[KWS_NEON_POSITIONS];
};

/* The byte counters of one position's four vectors to its eight counts. */
#ifdef __aarch64__

KWS_NEON_INLINE uint16x8_t kws_neon_counts(const uint8x16_t *bytes)
{
	uint16x8_t low = vpaddq_u16(vpaddlq_u8(bytes[0]), vpaddlq_u8(bytes[1]));
	uint16x8_t high = vpaddq_u16(vpaddlq_u8(bytes[2]), vpaddlq_u8(bytes[3]));
	return vpaddq_u16(low, high);
}

#else

KWS_NEON_INLINE uint16x8_t kws_neon_counts(const uint8x16_t *bytes)
{
	uint16x4_t pairs[KWS_NEON_VECTORS];
	for (size_t v = 0; v < KWS_NEON_VECTORS; v++) {
		uint16x8_t wide = vpaddlq_u8(bytes[v]);
		pairs[v] = vpadd_u16(vget_low_u16(wide), vget_high_u16(wide));
	}
	return vcombine_u16(vpadd_u16(pairs[0], pairs[1]), vpadd_u16(pairs[2], pairs[3]));
}

#endif

/* counts[p][o] for some positions, a constant where this is inlined, so that the loops over
 * positions and vectors unroll and the counters are registers. */
KWS_NEON_INLINE void kws_neon_count(
	const struct kws_neon_part *part, size_t positions, uint16x8_t *counts)
{
	uint8x16_t bytes[KWS_NEON_POSITIONS][KWS_NEON_VECTORS];
	for (size_t p = 0; p < positions; p++) {
		for (size_t v = 0; v < KWS_NEON_VECTORS; v++) {
			bytes[p][v] = vdupq_n_u8(0);
		}
	}
	for (size_t r = 0; r < part->rows; r++) {
		const uint64_t *weights = part->weights + r * part->weight_step;
		for (size_t w = 0; w < part->words; w++, weights += KWS_BCONV_BLOCK) {
			uint64x2_t x[KWS_NEON_POSITIONS];
			for (size_t p = 0; p < positions; p++) {
				x[p] = vld1q_dup_u64(part->inputs[p] + r * part->input_step + w);
			}
			for (size_t v = 0; v < KWS_NEON_VECTORS; v++) {
				uint64x2_t weight = vld1q_u64(weights + 2 * v);
				for (size_t p = 0; p < positions; p++) {
					uint8x16_t differ =
						vreinterpretq_u8_u64(veorq_u64(weight, x[p]));
					bytes[p][v] = vaddq_u8(bytes[p][v], vcntq_u8(differ));
				}
			}
		}
	}
	for (size_t p = 0; p < positions; p++) {
		counts[p] = kws_neon_counts(bytes[p]);
	}
}

#endif
