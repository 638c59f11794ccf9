/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KWS_BNN_BCONV_OPS_H
#define KWS_BNN_BCONV_OPS_H

#include <stddef.h>
#include <stdint.h>

/* The kernels of the binary convolution, one set for each instruction set. Every set gives the same
 * bits as the plain C one.
 *
 * Weights have one layout for all of them: [blocks][taps][words][KWS_BCONV_BLOCK] uint64_t, 64-byte
 * aligned, where a word holds 64 input channels of one output and a tap is (kernel row, kernel
 * band). The last block is filled up with outputs of zero bits. */

/* Outputs of a block: their words lie side by side, so that lanes are outputs and no kernel ever
 * adds across lanes. */
#define KWS_BCONV_BLOCK 8

/* Positions that a set's sums() may take at once, at most. */
#define KWS_BCONV_POSITIONS_MAX 8

/* What sums() computes for a few positions that see the same part of the kernel: `rows` runs of
 * `words` words each. A run is the valid taps of one kernel row: side by side in the map and in the
 * weights. */
struct kws_bconv_tile {
	size_t rows;
	size_t words;
	size_t input_step;  /* words from one run to the next in the map */
	size_t weight_step; /* the same within a block of weights */
	size_t block_step;  /* words from one block of weights to the next */
	size_t blocks;
	size_t positions;                                /* 1 to the set's `positions` */
	const uint64_t *weights;                         /* of the first run of the first block */
	const int32_t *base;                             /* [blocks * KWS_BCONV_BLOCK] */
	const uint64_t *inputs[KWS_BCONV_POSITIONS_MAX]; /* each position's first run */
};

/* What transform() computes from the sums of a tile, for a run of its outputs. */
struct kws_bconv_transform {
	size_t channels;
	size_t positions;
	size_t sums_step;   /* from one position's sums to the next one's; they can be read up to a
			       multiple of KWS_BCONV_BLOCK channels */
	const float *slope; /* [channels], as the others */
	const float *scale;
	const float *bias;
	const float *residuals[KWS_BCONV_POSITIONS_MAX]; /* of each position, or all NULL */
	float *outputs[KWS_BCONV_POSITIONS_MAX];
};

struct kws_bconv_ops {
	const char *name;
	uint32_t cpu_flags; /* all of them are needed */
	size_t positions;   /* of a tile, at most */
	size_t blocks;      /* that sums() goes through together if there are as many; 0 is 1 */

	/* sums[p][o] = base[o] - 2 * (bits that differ between position p and output o), with
	 * blocks * KWS_BCONV_BLOCK sums a position. RT-safe. */
	void (*sums)(const struct kws_bconv_tile *tile, int32_t *sums);

	/* outputs[p][c] = (a >= 0 ? a : a * slope[c]) * scale[c] + bias[c] [+ residuals[p][c]]
	 * with a = (float)sums[p * sums_step + c]. Each operation rounds once, in this order,
	 * without fused multiply-add, and subnormal numbers count as what they are: no set may
	 * flush them to zero (32-bit NEON does, so its floats are VFP's). RT-safe. */
	void (*transform)(const struct kws_bconv_transform *transform, const int32_t *sums);
};

/* The sets that this program was built with, fastest first and plain C last; NULL ends them. */
extern const struct kws_bconv_ops *const kws_bconv_sets[];

/* The fastest set for a CPU with these flags (common/cpu.h). Thread: any. */
const struct kws_bconv_ops *kws_bconv_ops_find(uint32_t cpu_flags);

extern const struct kws_bconv_ops kws_bconv_ops_avx512;
extern const struct kws_bconv_ops kws_bconv_ops_avx2;
extern const struct kws_bconv_ops kws_bconv_ops_neon;
extern const struct kws_bconv_ops kws_bconv_ops_c;

#endif
