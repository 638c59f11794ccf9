/* SPDX-License-Identifier: Apache-2.0 */
/* sign: float and int16 maps side by side to bits, per channel: bit = (x < threshold) ^ flip, where
 * 1 means -1. Without `threshold` it is 0, so that sign(0) = sign(-0.0) = +1. A learned shift b
 * before the sign is the threshold -b: exact, since rounding x + b never changes on which side of
 * zero it lies. A batch norm before the sign is monotone, also with its rounding, so that it is a
 * threshold too, with the bit flipped where it falls.
 *
 * threshold: F32 [channels of all inputs], integers from -32768 to 32767 where the input is int16.
 * flip: U32 [words of 32 channels], bits after the last channel are 0. */
#include <math.h>
#include <stdlib.h>

#include "bnn/float-ops.h"
#include "bnn/op.h"
#include "common/cpu.h"

struct sign {
	const struct kws_float_ops *ops;
	float *threshold;
	int16_t *level; /* the threshold where the input is int16 */
	uint64_t *flip; /* NULL if nothing flips */
};

static void sign_destroy(void *state)
{
	struct sign *sign = state;
	if (sign != NULL) {
		free(sign->threshold);
		free(sign->level);
		free(sign->flip);
		free(sign);
	}
}

static int load_levels(
	struct sign *sign, const struct kws_spec *spec, size_t first, size_t channels)
{
	for (size_t c = first; c < first + channels; c++) {
		float threshold = sign->threshold[c];
		if (!(threshold >= INT16_MIN && threshold <= INT16_MAX) ||
			threshold != rintf(threshold)) {
			return kws_spec_fail(spec, KWS_EFORMAT,
				"the threshold of channel %zu, which is int16, must be an integer "
				"from -32768 to 32767",
				c);
		}
		sign->level[c] = (int16_t)threshold;
	}
	return 0;
}

static int load_slices(const struct kws_op *op, struct sign *sign, const struct kws_spec *spec)
{
	int result = 0;
	size_t first = 0;
	for (size_t i = 0; result == 0 && i < op->input_count; i++) {
		const struct kws_map_shape *slice = &op->slices[i];
		if (slice->type == KWS_MAP_INT16) {
			result = load_levels(sign, spec, first, slice->channels);
		}
		first += slice->channels;
	}
	return result;
}

static int load_flip(const struct kws_op *op, struct sign *sign, const struct kws_spec *spec)
{
	const struct kws_tensor *flip;
	size_t shape[1];
	size_t words = kws_map_words(op->in.channels);
	if (json_object_get(spec->json, "flip") == NULL) {
		return 0;
	}
	int result = kws_spec_bits(spec, "flip", op->in.channels, 1, shape, &flip);
	sign->flip = kws_spec_keep(spec, words, sizeof(*sign->flip), &result);
	for (size_t w = 0; result == 0 && w < words; w++) {
		sign->flip[w] = kws_spec_word(flip->data, op->in.channels, w);
	}
	return result;
}

static int sign_create(struct kws_op *op, struct kws_spec *spec)
{
	struct sign *sign = kws_spec_alloc(1, sizeof(*sign));
	op->state = sign;
	if (sign == NULL) {
		return kws_spec_fail(spec, KWS_ENOMEM, "out of memory");
	}
	size_t channels = op->in.channels;
	int result = kws_op_vector(op, spec, "threshold", channels, 0.0f, &sign->threshold);
	sign->level = kws_spec_keep(spec, channels, sizeof(*sign->level), &result);
	if (result == 0) {
		result = load_slices(op, sign, spec);
	}
	if (result == 0) {
		result = load_flip(op, sign, spec);
	}
	sign->ops = kws_float_ops_find(kws_cpu_flags());
	op->out = op->in;
	op->out.type = KWS_MAP_BITS;
	op->reach = (struct kws_op_reach){1, 1, 0};
	return result;
}

/* Packs the slice that begins at channel `first`; `to` says for which positions and where to. */
static void pack_slice(const struct sign *sign, const struct kws_map_shape *slice,
	const void *input, size_t first, const struct kws_float_pack *to)
{
	struct kws_float_pack pack = *to;
	pack.input = input;
	pack.channels = slice->channels;
	pack.output += first / 64;
	pack.shift = (unsigned)(first % 64);
	if (slice->type == KWS_MAP_INT16) {
		pack.threshold = sign->level + first;
		sign->ops->pack_int16(&pack);
	} else {
		pack.threshold = sign->threshold + first;
		sign->ops->pack(&pack);
	}
}

static void flip_bits(const uint64_t *flip, size_t words, uint64_t *out, size_t positions)
{
	for (size_t p = 0; p < positions; p++) {
		for (size_t w = 0; w < words; w++) {
			*out++ ^= flip[w];
		}
	}
}

static void sign_run(const struct kws_op *op, const struct kws_op_maps *maps, size_t begin,
	size_t end, void *scratch)
{
	(void)scratch;
	const struct sign *sign = op->state;
	size_t words = kws_map_words(op->in.channels);
	struct kws_float_pack to = {
		.positions = (end - begin) * op->in.bands,
		.output = (uint64_t *)maps->output + begin * op->in.bands * words,
		.output_pitch = words,
	};
	size_t first = 0;
	for (size_t i = 0; i < op->input_count; i++) {
		const struct kws_map_shape *slice = &op->slices[i];
		pack_slice(sign, slice,
			(const char *)maps->inputs[i] + begin * kws_map_row_bytes(slice), first,
			&to);
		first += slice->channels;
	}
	if (sign->flip != NULL) {
		flip_bits(sign->flip, words, to.output, to.positions);
	}
}

const struct kws_op_class kws_op_sign = {
	.name = "sign",
	.joins = true,
	.create = sign_create,
	.destroy = sign_destroy,
	.run = sign_run,
};
