/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KWS_BNN_FLOAT_RUN_H
#define KWS_BNN_FLOAT_RUN_H

#include "bnn/float-ops.h"
#include "bnn/op.h"

/* Some neighbouring positions of one output row whose window meets the same taps: those that see
 * all of the kernel's bands, or a single one at the edge. Kernels then need not look at edges. */
struct kws_float_run {
	struct kws_float_taps taps;
	size_t kernel_row; /* the first tap of the kernel that is inside the map */
	size_t kernel_band;
};

/* The run that begins at `band` of output `row`; `input` is row 0 of the map. The next run begins
 * taps.positions later. RT-safe. */
struct kws_float_run kws_float_run_at(const struct kws_op *op, const struct kws_window *window,
	const float *input, size_t row, size_t band);

#endif
