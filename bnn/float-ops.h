/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KWS_BNN_FLOAT_OPS_H
#define KWS_BNN_FLOAT_OPS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The float kernels of the network, once for each instruction set.
 *
 * Every one of them gives the same bits: vector lanes are output channels, which do not meet, each
 * sum runs in the order given below, and every multiplication and addition is rounded once, never
 * fused. Of a result that is not a number only that it is none is promised. All kernels are RT-safe
 * and may be called from any thread; none needs its pointers aligned, though aligned is faster. */

/* Output channels of a dense convolution come in blocks of this many; packed weights are padded. */
#define KWS_FLOAT_BLOCK 16

/* The taps of a row of positions, all of which exist: what lies in the padding is left out before.
 * Extents count floats of the map, pitches are the distance between two neighbours in floats. */
struct kws_float_taps {
	const float *input; /* the first position's first tap */
	size_t positions;
	size_t position_pitch;
	size_t rows; /* of taps */
	size_t row_pitch;
	size_t taps; /* of a row */
	size_t tap_pitch;
	size_t channels; /* of a tap */
};

/* output = bias + sum over (row, tap, channel), in this order; then the ReLU, if any, which makes
 * -0.0 and what is not a number 0.0. */
struct kws_float_conv {
	struct kws_float_taps taps;
	const float *weight; /* of the first tap, see the kernels */
	size_t weight_row_pitch;
	size_t weight_block_pitch;
	/* 0, or conv() computes one block whose second half of outputs sums over the channels that
	 * lie so many floats behind those of the first: two groups side by side */
	size_t half_pitch;
	const float *bias;
	bool relu;
	float *output;
	size_t output_pitch; /* from one position to the next */
	size_t outputs;      /* channels */
};

/* Bits of a run of positions: bit c is x[c] < threshold[c], 0 if either is not a number; -0.0 is
 * not below 0.0. They lie behind the first `shift` bits of each position's first word, which are
 * kept unless there are none, and are followed by zeros. */
struct kws_float_pack {
	const void *input;     /* [positions][channels] float or int16_t */
	const void *threshold; /* [channels] of the same type */
	size_t positions;
	size_t channels;
	uint64_t *output;
	size_t output_pitch; /* words from one position to the next */
	unsigned shift;      /* below 64 */
};

/* output = x * scale + bias for each channel, then the ReLU, if any. */
struct kws_float_affine {
	const void *input; /* [positions][channels] float or int16_t */
	size_t positions;
	size_t channels;
	const float *scale; /* [channels] */
	const float *bias;
	bool relu;
	float *output;
	size_t output_pitch;
};

/* output[f] = the sum over the rows of input[row][f], or of its ReLU, in the order of the rows and
 * begun at 0, divided by `divisor`. */
struct kws_float_rows {
	const float *input;
	size_t rows;
	size_t row_pitch; /* floats from one row to the next */
	size_t features;
	bool relu;
	float divisor; /* 1: a sum, else a mean */
	float *output; /* [features] */
};

struct kws_float_ops {
	const char *name;
	uint32_t cpu_flags; /* all of them are needed */
	/* Each output sums over all channels of the taps. weight: [blocks][rows][taps][channels]
	 * [KWS_FLOAT_BLOCK], bias: [blocks][KWS_FLOAT_BLOCK]. */
	void (*conv)(const struct kws_float_conv *conv);
	/* Each output sums over its own channel only. weight: [rows][taps][channels], bias:
	 * [channels]; weight_block_pitch is unused, outputs = taps.channels. */
	void (*depthwise)(const struct kws_float_conv *conv);
	/* The largest of the taps for each channel, or its ReLU: the first, unless a later one
	 * compares greater. So 0.0 and -0.0 do not replace each other, and what is not a number
	 * stays only if it comes first. output: [positions][channels]. */
	void (*max)(const struct kws_float_taps *taps, bool relu, float *output);
	/* The sum of the taps for each channel, in their order and begun at 0, divided by their
	 * number. output: [positions][channels]. */
	void (*mean)(const struct kws_float_taps *taps, float *output);
	void (*pack)(const struct kws_float_pack *pack);
	void (*pack_int16)(const struct kws_float_pack *pack);
	void (*affine)(const struct kws_float_affine *affine);
	void (*affine_int16)(const struct kws_float_affine *affine);
	void (*sum_rows)(const struct kws_float_rows *rows);
};

/* The sets that this program was built with, fastest first and plain C last; NULL ends them. */
extern const struct kws_float_ops *const kws_float_sets[];

/* The fastest set for a CPU with these flags (common/cpu.h). Thread: any. */
const struct kws_float_ops *kws_float_ops_find(uint32_t cpu_flags);

extern const struct kws_float_ops kws_float_ops_avx512; /* x86-64 */
extern const struct kws_float_ops kws_float_ops_avx2;   /* x86-64 */
extern const struct kws_float_ops kws_float_ops_c;

#endif
