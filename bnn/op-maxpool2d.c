/* SPDX-License-Identifier: Apache-2.0 */
/* maxpool2d: `kernel` and `stride` [rows, bands] over a float map, no padding. */
#include <stdlib.h>
#include <string.h>

#include "bnn/op.h"

static int maxpool2d_create(struct kws_op *op, struct kws_spec *spec)
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
	for (size_t i = 0; i < 4; i++) {
		if (window->pad[i] != 0) {
			return kws_spec_fail(spec, KWS_EUNSUPPORTED, "padding is not supported");
		}
	}
	if (op->in.type != KWS_MAP_FLOAT) {
		return kws_spec_fail(spec, KWS_EFORMAT, "needs a float input");
	}
	op->out = op->in;
	kws_op_slide(op, window);
	return 0;
}

static void maxpool2d_position(
	const struct kws_op *op, const float *input, size_t row, size_t band, float *restrict out)
{
	const struct kws_window *window = op->state;
	size_t channels = op->in.channels;
	size_t first = row * window->stride[0] * op->in.bands + band * window->stride[1];
	memcpy(out, input + first * channels, channels * sizeof(float));
	for (size_t kr = 0; kr < window->kernel[0]; kr++) {
		for (size_t kb = 0; kb < window->kernel[1]; kb++) {
			const float *x = input + (first + kr * op->in.bands + kb) * channels;
			for (size_t c = 0; c < channels; c++) {
				out[c] = x[c] > out[c] ? x[c] : out[c];
			}
		}
	}
}

static void maxpool2d_run(const struct kws_op *op, const struct kws_op_maps *maps, size_t begin,
	size_t end, void *scratch)
{
	(void)scratch;
	float *output = maps->output;
	for (size_t row = begin; row < end; row++) {
		for (size_t band = 0; band < op->out.bands; band++) {
			maxpool2d_position(op, maps->input, row, band,
				output + (row * op->out.bands + band) * op->out.channels);
		}
	}
}

const struct kws_op_class kws_op_maxpool2d = {
	.name = "maxpool2d",
	.create = maxpool2d_create,
	.destroy = free,
	.run = maxpool2d_run,
};
