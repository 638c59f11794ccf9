/* SPDX-License-Identifier: Apache-2.0 */
/* maxpool2d: the maximum under a window of `kernel` [rows, bands] over a float map, then an
 * optional ReLU. Padding only moves the window: what lies outside is no candidate (TensorFlow's
 * SAME). */
#include <stdbool.h>
#include <stdlib.h>

#include "bnn/float-run.h"
#include "common/cpu.h"

struct maxpool2d {
	const struct kws_float_ops *ops;
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
	size_t kernel[2];
	int result = kws_spec_relu(spec, &pool->relu);
	if (result == 0) {
		result = kws_spec_sizes(spec, "kernel", 2, 1, kernel);
	}
	if (result == 0) {
		result = kws_spec_window(spec, kernel[0], kernel[1], &pool->window);
	}
	if (result != 0) {
		return result;
	}
	if (op->in.type != KWS_MAP_FLOAT) {
		return kws_spec_fail(spec, KWS_EFORMAT, "needs a float input");
	}
	pool->ops = kws_float_ops_find(kws_cpu_flags());
	op->out = op->in;
	kws_op_slide(op, &pool->window);
	return 0;
}

static void maxpool2d_run(const struct kws_op *op, const struct kws_op_maps *maps, size_t begin,
	size_t end, void *scratch)
{
	(void)scratch;
	const struct maxpool2d *pool = op->state;
	float *output = (float *)maps->output + begin * kws_map_row_elements(&op->out);
	for (size_t row = begin; row < end; row++) {
		for (size_t band = 0; band < op->out.bands;) {
			struct kws_float_run run =
				kws_float_run_at(op, &pool->window, maps->input, row, band);
			pool->ops->max(&run.taps, pool->relu, output);
			output += run.taps.positions * op->out.channels;
			band += run.taps.positions;
		}
	}
}

const struct kws_op_class kws_op_maxpool2d = {
	.name = "maxpool2d",
	.create = maxpool2d_create,
	.destroy = free,
	.run = maxpool2d_run,
};
