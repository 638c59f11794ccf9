/* SPDX-License-Identifier: Apache-2.0 */
/* sign: float to bits, per channel: bit = x < threshold, that is, -1. Without `threshold` it is 0,
 * so that sign(0) = sign(-0.0) = +1. A learned shift b before the sign is the threshold -b: exact,
 * since rounding x + b never changes on which side of zero it lies. */
#include <stdlib.h>

#include "bnn/op.h"

static int sign_create(struct kws_op *op, struct kws_spec *spec)
{
	if (op->in.type != KWS_MAP_FLOAT) {
		return kws_spec_fail(spec, KWS_EFORMAT, "needs a float input");
	}
	op->out = op->in;
	op->out.type = KWS_MAP_BITS;
	op->reach = (struct kws_op_reach){1, 1, 0};
	op->cost.float_weights = op->in.channels;
	return kws_spec_vector(spec, "threshold", op->in.channels, 0.0f, (float **)&op->state);
}

static void pack_position(const float *x, const float *threshold, size_t channels, uint64_t *out)
{
	for (size_t first = 0; first < channels; first += 64) {
		size_t count = channels - first < 64 ? channels - first : 64;
		uint64_t word = 0;
		for (size_t i = 0; i < count; i++) {
			word |= (uint64_t)(x[first + i] < threshold[first + i]) << i;
		}
		*out++ = word;
	}
}

static void sign_run(const struct kws_op *op, const struct kws_op_maps *maps, size_t begin,
	size_t end, void *scratch)
{
	(void)scratch;
	const float *input = maps->input;
	uint64_t *output = maps->output;
	size_t channels = op->in.channels;
	size_t words = kws_map_words(channels);
	for (size_t at = begin * op->in.bands; at < end * op->in.bands; at++) {
		pack_position(input + at * channels, op->state, channels, output + at * words);
	}
}

const struct kws_op_class kws_op_sign = {
	.name = "sign",
	.create = sign_create,
	.destroy = free,
	.run = sign_run,
};
