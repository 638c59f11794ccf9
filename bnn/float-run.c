/* SPDX-License-Identifier: Apache-2.0 */
#include "bnn/float-run.h"

/* How many positions from `band` on see all of the kernel's bands; 1 if this one does not. */
static size_t count_alike(
	const struct kws_op *op, const struct kws_window *window, size_t band, size_t taps)
{
	if (taps < window->kernel[1]) {
		return 1;
	}
	/* the last start, counted from the first padded band, at which the kernel fits */
	size_t last_start = op->in.bands + window->pad[2] - window->kernel[1];
	size_t end = last_start / window->stride[1] + 1;
	return (end < op->out.bands ? end : op->out.bands) - band;
}

struct kws_float_run kws_float_run_at(const struct kws_op *op, const struct kws_window *window,
	const float *input, size_t row, size_t band)
{
	struct kws_window_span rows = kws_window_span(window, 0, row, op->in.rows);
	struct kws_window_span bands = kws_window_span(window, 1, band, op->in.bands);
	size_t channels = op->in.channels;
	size_t taps = bands.end - bands.begin;
	return (struct kws_float_run){
		.taps =
			{
				.input = input +
					 (rows.begin * op->in.bands + bands.begin) * channels,
				.positions = count_alike(op, window, band, taps),
				.position_pitch = window->stride[1] * channels,
				.rows = rows.end - rows.begin,
				.row_pitch = op->in.bands * channels,
				.taps = taps,
				.tap_pitch = channels,
				.channels = channels,
			},
		.kernel_row = rows.begin + window->pad[0] - row * window->stride[0],
		.kernel_band = bands.begin + window->pad[2] - band * window->stride[1],
	};
}
