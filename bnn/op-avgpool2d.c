/* SPDX-License-Identifier: Apache-2.0 */
/* avgpool2d: the mean under a window of `kernel` [rows, bands] over a float map. Padding only moves
 * the window: the mean is taken over what lies inside (TensorFlow's SAME). A sum in the order of
 * (row, band), then one division. */
#include <stdlib.h>
#include <string.h>

#include "bnn/op.h"

static int avgpool2d_create(struct kws_op *op, struct kws_spec *spec)
{
	struct kws_window *window = kws_spec_alloc(1, sizeof(*window));
	op->state = window;
	if (window == NULL) {
		return kws_spec_fail(spec, KWS_ENOMEM, "out of memory");
	}
	size_t kernel[2];
	int result = kws_spec_sizes(spec, "kernel", 2, 1, kernel);
	if (result == 0) {
		result = kws_spec_window(spec, kernel[0], kernel[1], window);
	}
	if (result != 0) {
		return result;
	}
	if (op->in.type != KWS_MAP_FLOAT) {
		return kws_spec_fail(spec, KWS_EFORMAT, "needs a float input");
	}
	op->out = op->in;
	kws_op_slide(op, window);
	return 0;
}

static void avgpool2d_position(
	const struct kws_op *op, const float *input, size_t row, size_t band, float *restrict out)
{
	struct kws_window_span rows = kws_window_span(op->state, 0, row, op->in.rows);
	struct kws_window_span bands = kws_window_span(op->state, 1, band, op->in.bands);
	size_t channels = op->in.channels;
	float count = (float)((rows.end - rows.begin) * (bands.end - bands.begin));
	memset(out, 0, channels * sizeof(float));
	for (size_t r = rows.begin; r < rows.end; r++) {
		for (size_t b = bands.begin; b < bands.end; b++) {
			const float *x = input + (r * op->in.bands + b) * channels;
			for (size_t c = 0; c < channels; c++) {
				out[c] += x[c];
			}
		}
	}
	for (size_t c = 0; c < channels; c++) {
		out[c] /= count;
	}
}

static void avgpool2d_run(const struct kws_op *op, const struct kws_op_maps *maps, size_t begin,
	size_t end, void *scratch)
{
	(void)scratch;
	float *output = maps->output;
	for (size_t row = begin; row < end; row++) {
		for (size_t band = 0; band < op->out.bands; band++) {
			avgpool2d_position(op, maps->input, row, band,
				output + (row * op->out.bands + band) * op->out.channels);
		}
	}
}

const struct kws_op_class kws_op_avgpool2d = {
	.name = "avgpool2d",
	.create = avgpool2d_create,
	.destroy = free,
	.run = avgpool2d_run,
};
