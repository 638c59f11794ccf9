/* SPDX-License-Identifier: Apache-2.0 */
/* maxpool2d: the maximum under a window of `kernel` [rows, bands] over a float map, then an
 * optional ReLU. Padding only moves the window: what lies outside is no candidate (TensorFlow's
 * SAME). */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "bnn/op.h"

struct maxpool2d {
	struct kws_window window;
	bool relu;
};

static int maxpool2d_create(struct kws_op *op, struct kws_spec *spec)
{
	struct maxpool2d *pool = kws_spec_alloc(1, sizeof(*pool));
	op->state = pool;
	if (pool == NULL) {
		return kws_spec_fail(spec, KWS_ENOMEM, "out of memory");
	}
	const char *act;
	size_t kernel[2];
	int result = kws_spec_string(spec, "act", "none", &act);
	if (result == 0) {
		result = kws_spec_sizes(spec, "kernel", 2, 1, kernel);
	}
	if (result == 0) {
		result = kws_spec_window(spec, kernel[0], kernel[1], &pool->window);
	}
	if (result != 0) {
		return result;
	}
	pool->relu = strcmp(act, "relu") == 0;
	if ((!pool->relu && strcmp(act, "none") != 0) || op->in.type != KWS_MAP_FLOAT) {
		return kws_spec_fail(spec, KWS_EFORMAT, "needs a float input and act none or relu");
	}
	op->out = op->in;
	kws_op_slide(op, &pool->window);
	return 0;
}

static void maxpool2d_position(
	const struct kws_op *op, const float *input, size_t row, size_t band, float *restrict out)
{
	const struct maxpool2d *pool = op->state;
	struct kws_window_span rows = kws_window_span(&pool->window, 0, row, op->in.rows);
	struct kws_window_span bands = kws_window_span(&pool->window, 1, band, op->in.bands);
	size_t channels = op->in.channels;
	memcpy(out, input + (rows.begin * op->in.bands + bands.begin) * channels,
		channels * sizeof(float));
	for (size_t r = rows.begin; r < rows.end; r++) {
		for (size_t b = bands.begin; b < bands.end; b++) {
			const float *x = input + (r * op->in.bands + b) * channels;
			for (size_t c = 0; c < channels; c++) {
				out[c] = x[c] > out[c] ? x[c] : out[c];
			}
		}
	}
	for (size_t c = 0; pool->relu && c < channels; c++) {
		out[c] = out[c] > 0.0f ? out[c] : 0.0f;
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
