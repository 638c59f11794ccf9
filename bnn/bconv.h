/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KWS_BNN_BCONV_H
#define KWS_BNN_BCONV_H

#include <stddef.h>
#include <stdint.h>

#include "bnn/bconv-ops.h"
#include "bnn/op.h"

/* The integer part of a binary convolution, planned when the model is loaded.
 *
 * Padding costs nothing: positions that see the same part of the kernel form a segment of rows or
 * of bands, only the valid taps are counted, and what the taps outside the map add to the sum is a
 * constant for each output, known beforehand. */

/* Positions [begin, end) of an axis see the kernel's extent [first, last) inside the map. */
struct kws_bconv_segment {
	size_t begin;
	size_t end;
	size_t first;
	size_t last;
};

struct kws_bconv {
	const struct kws_bconv_ops *ops;
	struct kws_window window;
	struct kws_map_shape in;
	size_t outputs;
	size_t blocks;       /* of KWS_BCONV_BLOCK outputs, the last one filled up */
	size_t group_blocks; /* blocks whose weights stay in the first-level cache together */
	size_t taps;
	size_t words;
	int32_t length;                        /* of a dot product: taps * input channels */
	uint64_t *weights;                     /* see bnn/bconv-ops.h */
	struct kws_bconv_segment *segments[2]; /* of rows, of bands */
	size_t segment_counts[2];
	int32_t *base; /* [row segments][band segments][blocks * KWS_BCONV_BLOCK] */
};

/* The sums of `channels` outputs from `first` on at some positions of the output map. */
struct kws_bconv_sums {
	size_t first;
	size_t channels;
	size_t positions;
	size_t places[KWS_BCONV_POSITIONS_MAX]; /* row * bands + band of each */
	size_t step;                            /* from one position's sums to the next one's */
	const int32_t *sums;
};

/* Takes the sums; they are gone when it returns. RT-safe. */
typedef void kws_bconv_take(void *context, const struct kws_bconv_sums *sums);

/* Plans the convolution of op->in to op->out (shapes known) over `window` and packs `weight`, U32
 * [output channels][kernel rows][kernel bands][words of 32 input channels] without bits after the
 * last channel. `pad_value` 1 pads with +1, 0 leaves the taps outside out of the sum. Kernels are
 * chosen for kws_cpu_flags(). Errors: KWS_EUNSUPPORTED, KWS_ENOMEM with spec's sentence set; finish
 * is right then too. */
int kws_bconv_init(struct kws_bconv *conv, const struct kws_op *op, const struct kws_spec *spec,
	const struct kws_window *window, const uint32_t *weight, size_t pad_value);

/* Frees what init allocated; a zeroed one is fine. */
void kws_bconv_finish(struct kws_bconv *conv);

/* Bytes of scratch memory for run(), 64-byte aligned. */
size_t kws_bconv_scratch_bytes(const struct kws_bconv *conv);

/* Multiply-accumulates with taps inside the map, of all output rows. */
uint64_t kws_bconv_valid_macs(const struct kws_bconv *conv);

/* Computes the output rows [begin, end) and hands all of their sums to `take`. RT-safe. */
void kws_bconv_run(const struct kws_bconv *conv, const uint64_t *input, size_t begin, size_t end,
	void *scratch, kws_bconv_take *take, void *context);

#endif
