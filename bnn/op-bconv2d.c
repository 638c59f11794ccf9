/* SPDX-License-Identifier: Apache-2.0 */
/* bconv2d: binary convolution, bits to float:
 *
 *   a   = K - 2 * (differing bits)            the integer sum of +-1 products over K taps x
 * channels out = PReLU(a; slope) * scale + bias [+ residual]
 *
 * each float operation rounded once, in this order. slope, scale and bias are F32 [output channels]
 * and default to 1, 1 and 0. `pad_value` 1 pads with +1, 0 leaves the taps outside out of the sum.
 * weight: U32 [output channels][kernel rows][kernel bands][words of 32 input channels], bit 1 means
 * -1, bits after the last channel are 0. Order conv, activation, batch norm as in QuickNet. */
#include <stdlib.h>

#include "bnn/bconv-kernel.h"
#include "bnn/op.h"

struct bconv2d {
	struct kws_window window;
	struct kws_bconv_weights weights;
	size_t pad_value;
	uint64_t *padding; /* the words of a position of +1 */
	float *slope;
	float *scale;
	float *bias;
};

static void bconv2d_destroy(void *state)
{
	struct bconv2d *conv = state;
	if (conv != NULL) {
		free(conv->weights.data);
		free(conv->padding);
		free(conv->slope);
		free(conv->scale);
		free(conv->bias);
		free(conv);
	}
}

/* File order [out][tap][word32] to kernel order [block][tap][word64][out in block]. */
static void pack_weights(
	struct kws_bconv_weights *packed, const uint32_t *from, size_t outputs, size_t half_words)
{
	for (size_t o = 0; o < outputs; o++) {
		for (size_t t = 0; t < packed->taps; t++) {
			for (size_t h = 0; h < half_words; h++) {
				size_t block = o / KWS_BCONV_BLOCK * packed->taps + t;
				size_t at = (block * packed->words + h / 2) * KWS_BCONV_BLOCK +
					    o % KWS_BCONV_BLOCK;
				packed->data[at] |= (uint64_t)*from++ << (h % 2 * 32);
			}
		}
	}
}

static int check_tail_bits(
	const struct kws_spec *spec, const struct kws_tensor *weight, size_t channels)
{
	const uint32_t *words = weight->data;
	size_t half_words = weight->shape[3];
	if (channels % 32 == 0) {
		return 0;
	}
	for (size_t i = half_words - 1; i < weight->count; i += half_words) {
		if (words[i] >> channels % 32 != 0) {
			return kws_spec_fail(
				spec, KWS_EFORMAT, "weight has bits after the last input channel");
		}
	}
	return 0;
}

static int load_weight(struct kws_op *op, struct bconv2d *conv, const struct kws_spec *spec)
{
	const struct kws_tensor *weight;
	size_t half_words = (op->in.channels + 31) / 32;
	size_t shape[4] = {0, 0, 0, half_words};
	int result = kws_spec_tensor(spec, "weight", KWS_DTYPE_U32, 4, shape, &weight);
	if (result == 0) {
		result = check_tail_bits(spec, weight, op->in.channels);
	}
	if (result == 0) {
		result = kws_spec_window(spec, weight->shape[1], weight->shape[2], &conv->window);
	}
	if (result != 0) {
		return result;
	}
	op->out.channels = weight->shape[0];
	conv->weights.blocks = (op->out.channels + KWS_BCONV_BLOCK - 1) / KWS_BCONV_BLOCK;
	conv->weights.taps = weight->shape[1] * weight->shape[2];
	conv->weights.words = kws_map_words(op->in.channels);
	conv->weights.data = kws_spec_alloc(
		conv->weights.blocks * conv->weights.taps * conv->weights.words * KWS_BCONV_BLOCK,
		sizeof(uint64_t));
	conv->padding = kws_spec_alloc(conv->weights.words, sizeof(uint64_t));
	if (conv->weights.data == NULL || conv->padding == NULL) {
		return kws_spec_fail(spec, KWS_ENOMEM, "out of memory");
	}
	pack_weights(&conv->weights, weight->data, op->out.channels, half_words);
	return 0;
}

static int load_transform(
	const struct kws_op *op, struct bconv2d *conv, const struct kws_spec *spec)
{
	int result = kws_spec_vector(spec, "slope", op->out.channels, 1.0f, &conv->slope);
	if (result == 0) {
		result = kws_spec_vector(spec, "scale", op->out.channels, 1.0f, &conv->scale);
	}
	if (result == 0) {
		result = kws_spec_vector(spec, "bias", op->out.channels, 0.0f, &conv->bias);
	}
	if (result == 0) {
		result = kws_spec_size(spec, "pad_value", 1, &conv->pad_value);
	}
	if (result == 0 && conv->pad_value > 1) {
		return kws_spec_fail(spec, KWS_EFORMAT, "'pad_value' must be 0 or 1");
	}
	return result;
}

static int bconv2d_create(struct kws_op *op, struct kws_spec *spec)
{
	struct bconv2d *conv = kws_spec_alloc(1, sizeof(*conv));
	op->state = conv;
	if (conv == NULL) {
		return kws_spec_fail(spec, KWS_ENOMEM, "out of memory");
	}
	if (op->in.type != KWS_MAP_BITS) {
		return kws_spec_fail(spec, KWS_EFORMAT, "needs bits as input");
	}
	int result = load_weight(op, conv, spec);
	if (result == 0) {
		result = load_transform(op, conv, spec);
	}
	if (result != 0) {
		return result;
	}
	op->out.type = KWS_MAP_FLOAT;
	kws_op_slide(op, &conv->window);
	op->cost.binary_weights = op->out.channels * conv->weights.taps * op->in.channels;
	op->cost.binary_macs = op->out.bands * op->cost.binary_weights;
	op->cost.float_weights = 3 * op->out.channels;
	op->scratch_bytes = conv->weights.taps * sizeof(uint64_t *) +
			    conv->weights.blocks * KWS_BCONV_BLOCK * sizeof(uint32_t);
	return 0;
}

/* The input words of each tap at one position. Returns the number of taps that count. */
static size_t gather_taps(const struct kws_op *op, const uint64_t *input, size_t row, size_t band,
	const uint64_t **taps)
{
	const struct bconv2d *conv = op->state;
	size_t counted = 0;
	for (size_t kr = 0; kr < conv->window.kernel[0]; kr++) {
		size_t r = row * conv->window.stride[0] + kr - conv->window.pad[0];
		for (size_t kb = 0; kb < conv->window.kernel[1]; kb++, taps++) {
			size_t b = band * conv->window.stride[1] + kb - conv->window.pad[2];
			if (r < op->in.rows && b < op->in.bands) {
				*taps = input + (r * op->in.bands + b) * conv->weights.words;
			} else {
				*taps = conv->pad_value == 1 ? conv->padding : NULL;
			}
			counted += *taps != NULL;
		}
	}
	return counted;
}

static void transform(const struct bconv2d *conv, const uint32_t *restrict counts, int32_t k,
	const float *residual, size_t channels, float *restrict out)
{
	for (size_t o = 0; o < channels; o++) {
		float a = (float)(k - 2 * (int32_t)counts[o]);
		a = a >= 0.0f ? a : a * conv->slope[o];
		out[o] = a * conv->scale[o] + conv->bias[o];
	}
	for (size_t o = 0; residual != NULL && o < channels; o++) {
		out[o] += residual[o];
	}
}

static void bconv2d_run(const struct kws_op *op, const struct kws_op_maps *maps, size_t begin,
	size_t end, void *scratch)
{
	const struct bconv2d *conv = op->state;
	const uint64_t **taps = scratch;
	uint32_t *counts = (uint32_t *)(taps + conv->weights.taps);
	size_t channels = op->out.channels;
	for (size_t row = begin; row < end; row++) {
		for (size_t band = 0; band < op->out.bands; band++) {
			size_t counted = gather_taps(op, maps->input, row, band, taps);
			kws_bconv_count(&conv->weights, taps, counts);
			size_t from = (row + kws_op_residual_offset(op)) * op->out.bands + band;
			transform(conv, counts, (int32_t)(counted * op->in.channels),
				maps->residual != NULL ? maps->residual + from * channels : NULL,
				channels,
				(float *)maps->output + (row * op->out.bands + band) * channels);
		}
	}
}

const struct kws_op_class kws_op_bconv2d = {
	.name = "bconv2d",
	.create = bconv2d_create,
	.destroy = bconv2d_destroy,
	.run = bconv2d_run,
};
