/* SPDX-License-Identifier: Apache-2.0 */
/* concat: float and int16 maps side by side as one float map, out = x * scale + bias, then an
 * optional ReLU; each operation rounded once. scale and bias are F32 [channels of all inputs] and
 * default to 1 and 0: a batch norm over the slices of a dense block. */
#include <stdbool.h>
#include <stdlib.h>

#include "bnn/float-ops.h"
#include "bnn/op.h"
#include "common/cpu.h"

struct concat {
	const struct kws_float_ops *ops;
	bool relu;
	float *scale;
	float *bias;
};

static void concat_destroy(void *state)
{
	struct concat *concat = state;
	if (concat != NULL) {
		free(concat->scale);
		free(concat->bias);
		free(concat);
	}
}

static int concat_create(struct kws_op *op, struct kws_spec *spec)
{
	struct concat *concat = kws_spec_alloc(1, sizeof(*concat));
	op->state = concat;
	if (concat == NULL) {
		return kws_spec_fail(spec, KWS_ENOMEM, "out of memory");
	}
	int result = kws_spec_relu(spec, &concat->relu);
	if (result == 0) {
		result = kws_op_vector(op, spec, "scale", op->in.channels, 1.0f, &concat->scale);
	}
	if (result == 0) {
		result = kws_op_vector(op, spec, "bias", op->in.channels, 0.0f, &concat->bias);
	}
	if (result != 0) {
		return result;
	}
	concat->ops = kws_float_ops_find(kws_cpu_flags());
	op->out = op->in;
	op->out.type = KWS_MAP_FLOAT;
	op->reach = (struct kws_op_reach){1, 1, 0};
	op->cost.float_macs = op->in.bands * op->in.channels;
	return 0;
}

static void concat_run(const struct kws_op *op, const struct kws_op_maps *maps, size_t begin,
	size_t end, void *scratch)
{
	(void)scratch;
	const struct concat *concat = op->state;
	float *output = (float *)maps->output + begin * kws_map_row_elements(&op->out);
	size_t first = 0;
	for (size_t i = 0; i < op->input_count; i++) {
		const struct kws_map_shape *slice = &op->slices[i];
		struct kws_float_affine affine = {
			.input = (const char *)maps->inputs[i] + begin * kws_map_row_bytes(slice),
			.positions = (end - begin) * op->in.bands,
			.channels = slice->channels,
			.scale = concat->scale + first,
			.bias = concat->bias + first,
			.relu = concat->relu,
			.output = output + first,
			.output_pitch = op->out.channels,
		};
		if (slice->type == KWS_MAP_INT16) {
			concat->ops->affine_int16(&affine);
		} else {
			concat->ops->affine(&affine);
		}
		first += slice->channels;
	}
}

const struct kws_op_class kws_op_concat = {
	.name = "concat",
	.joins = true,
	.create = concat_create,
	.destroy = concat_destroy,
	.run = concat_run,
};
