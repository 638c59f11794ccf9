/* SPDX-License-Identifier: Apache-2.0 */
#include "bnn/op.h"

size_t kws_map_row_elements(const struct kws_map_shape *shape)
{
	size_t position =
		shape->type == KWS_MAP_BITS ? kws_map_words(shape->channels) : shape->channels;
	return shape->bands * position;
}

size_t kws_map_row_bytes(const struct kws_map_shape *shape)
{
	static const size_t element_bytes[] = {
		[KWS_MAP_FLOAT] = sizeof(float),
		[KWS_MAP_BITS] = sizeof(uint64_t),
		[KWS_MAP_INT16] = sizeof(int16_t),
	};
	return kws_map_row_elements(shape) * element_bytes[shape->type];
}

void kws_op_slide(struct kws_op *op, const struct kws_window *window)
{
	op->out.rows = kws_window_positions(window, 0, op->in.rows);
	op->out.bands = kws_window_positions(window, 1, op->in.bands);
	op->reach = (struct kws_op_reach){window->kernel[0], window->stride[0], window->pad[0]};
}

int kws_op_vector(struct kws_op *op, const struct kws_spec *spec, const char *key, size_t count,
	float fallback, float **out)
{
	op->cost.float_weights += json_object_get(spec->json, key) != NULL ? count : 0;
	return kws_spec_vector(spec, key, count, fallback, out);
}
