/* SPDX-License-Identifier: Apache-2.0 */
/* avgpool2d: the mean under a window of `kernel` [rows, bands] over a float map. Padding only moves
 * the window: the mean is taken over what lies inside (TensorFlow's SAME). A sum in the order of
 * (row, band), then one division. */
#include <stdlib.h>

#include "bnn/float-run.h"
#include "common/cpu.h"

struct avgpool2d {
	const struct kws_float_ops *ops;
	struct kws_window window;
};

static int avgpool2d_create(struct kws_op *op, struct kws_spec *spec)
{
	struct avgpool2d *pool = kws_spec_alloc(1, sizeof(*pool));
	op->state = pool;
	if (pool == NULL) {
		return kws_spec_fail(spec, KWS_ENOMEM, "out of memory");
	}
	size_t kernel[2];
	int result = kws_spec_sizes(spec, "kernel", 2, 1, kernel);
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

static void avgpool2d_run(const struct kws_op *op, const struct kws_op_maps *maps, size_t begin,
	size_t end, void *scratch)
{
	(void)scratch;
	const struct avgpool2d *pool = op->state;
	float *output = (float *)maps->output + begin * kws_map_row_elements(&op->out);
	for (size_t row = begin; row < end; row++) {
		for (size_t band = 0; band < op->out.bands;) {
			struct kws_float_run run =
				kws_float_run_at(op, &pool->window, maps->input, row, band);
			pool->ops->mean(&run.taps, output);
			output += run.taps.positions * op->out.channels;
			band += run.taps.positions;
		}
	}
}

const struct kws_op_class kws_op_avgpool2d = {
	.name = "avgpool2d",
	.create = avgpool2d_create,
	.destroy = free,
	.run = avgpool2d_run,
};
