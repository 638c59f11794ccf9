/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KWS_BNN_BCONV_KERNEL_H
#define KWS_BNN_BCONV_KERNEL_H

#include <stddef.h>
#include <stdint.h>

/* Output channels are computed in blocks, so that their counters stay in registers. */
#define KWS_BCONV_BLOCK 8

/* The weights of one binary convolution as the kernel reads them:
 * [blocks][taps][words][KWS_BCONV_BLOCK] words of 64 input channels. */
struct kws_bconv_weights {
	size_t blocks;
	size_t taps;
	size_t words;
	uint64_t *data;
};

/* At one position: counts[o] = the differing bits between the input and the weights of output o,
 * for blocks * KWS_BCONV_BLOCK outputs. `taps[t]` are the words of tap t, NULL leaves the tap out.
 * Plain C: XOR and a population count by shifts and masks, which every compiler turns into vector
 * code, also for machines without a popcount instruction. RT-safe. */
void kws_bconv_count(
	const struct kws_bconv_weights *weights, const uint64_t *const *taps, uint32_t *counts);

#endif
