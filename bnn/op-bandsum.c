/* SPDX-License-Identifier: Apache-2.0 */
/* bandsum: each row's sum over its bands, for each channel, of the input or of its ReLU: what a row
 * adds to a mean over time and frequency. No file names it; the graph puts it before an exit that
 * pools all. */
#include <stdbool.h>
#include <stdlib.h>

#include "bnn/float-ops.h"
#include "bnn/op.h"
#include "common/cpu.h"

struct bandsum {
	const struct kws_float_ops *ops;
	bool relu;
};

static int bandsum_create(struct kws_op *op, struct kws_spec *spec)
{
	struct bandsum *bandsum = kws_spec_alloc(1, sizeof(*bandsum));
	op->state = bandsum;
	if (bandsum == NULL) {
		return kws_spec_fail(spec, KWS_ENOMEM, "out of memory");
	}
	int result = kws_spec_relu(spec, &bandsum->relu);
	if (result != 0) {
		return result;
	}
	bandsum->ops = kws_float_ops_find(kws_cpu_flags());
	op->out = (struct kws_map_shape){KWS_MAP_FLOAT, op->in.rows, 1, op->in.channels};
	op->reach = (struct kws_op_reach){1, 1, 0};
	return 0;
}

static void bandsum_run(const struct kws_op *op, const struct kws_op_maps *maps, size_t begin,
	size_t end, void *scratch)
{
	(void)scratch;
	const struct bandsum *bandsum = op->state;
	size_t channels = op->in.channels;
	for (size_t row = begin; row < end; row++) {
		bandsum->ops->sum_rows(&(struct kws_float_rows){
			.input = (const float *)maps->input + row * op->in.bands * channels,
			.rows = op->in.bands,
			.row_pitch = channels,
			.features = channels,
			.relu = bandsum->relu,
			.divisor = 1.0f,
			.output = (float *)maps->output + row * channels,
		});
	}
}

const struct kws_op_class kws_op_bandsum = {
	.name = "bandsum",
	.create = bandsum_create,
	.destroy = free,
	.run = bandsum_run,
};
