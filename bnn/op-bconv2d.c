/* SPDX-License-Identifier: Apache-2.0 */
/* bconv2d: binary convolution, bits to float or to int16:
 *
 *   a   = K - 2 * (differing bits)    the sum of +-1 products over K = taps * input channels
 *   out = PReLU(a; slope) * scale + bias [+ residual]    `output` float
 *   out = a [+ residual]                                 `output` int16
 *
 * each float operation rounded once, in this order. slope, scale and bias are F32 [output channels]
 * and default to 1, 1 and 0; `act` relu is a slope of 0. An int16 output cannot overflow: K and
 * what the residual can reach are checked. `pad_value` 1 pads with +1, 0 leaves the taps outside
 * out of the sum. weight: U32 [output channels][kernel rows][kernel bands][words of 32 input
 * channels], bit 1 means -1, bits after the last channel are 0. Order conv, activation, batch norm
 * as in QuickNet. */
#include <stdlib.h>
#include <string.h>

#include "bnn/bconv.h"
#include "bnn/op.h"

struct bconv2d {
	struct kws_bconv conv;
	float *slope;
	float *scale;
	float *bias;
};

static void bconv2d_destroy(void *state)
{
	struct bconv2d *bconv = state;
	if (bconv != NULL) {
		kws_bconv_finish(&bconv->conv);
		free(bconv->slope);
		free(bconv->scale);
		free(bconv->bias);
		free(bconv);
	}
}

/* Finds the weights and the geometry, and so the output's shape. */
static int read_weight(struct kws_op *op, const struct kws_spec *spec, struct kws_window *window,
	const struct kws_tensor **weight)
{
	size_t shape[4] = {0};
	int result = kws_spec_bits(spec, "weight", op->in.channels, 4, shape, weight);
	if (result == 0) {
		result = kws_spec_window(spec, (*weight)->shape[1], (*weight)->shape[2], window);
	}
	if (result == 0) {
		op->out.channels = (*weight)->shape[0];
		kws_op_slide(op, window);
	}
	return result;
}

static int load_conv(struct kws_op *op, struct bconv2d *bconv, const struct kws_spec *spec)
{
	const struct kws_tensor *weight;
	struct kws_window window;
	size_t pad_value;
	int result = read_weight(op, spec, &window, &weight);
	if (result == 0) {
		result = kws_spec_size(spec, "pad_value", 1, &pad_value);
	}
	if (result != 0) {
		return result;
	}
	if (pad_value > 1) {
		return kws_spec_fail(spec, KWS_EFORMAT, "'pad_value' must be 0 or 1");
	}
	return kws_bconv_init(&bconv->conv, op, spec, &window, weight->data, pad_value);
}

/* An int16 output is the sum itself, which must fit. */
static int check_integers(
	struct kws_op *op, const struct bconv2d *bconv, const struct kws_spec *spec)
{
	static const char *const transforms[] = {"act", "slope", "scale", "bias"};
	for (size_t i = 0; i < sizeof(transforms) / sizeof(transforms[0]); i++) {
		if (json_object_get(spec->json, transforms[i]) != NULL) {
			return kws_spec_fail(
				spec, KWS_EFORMAT, "an int16 output has no '%s'", transforms[i]);
		}
	}
	if (bconv->conv.length > INT16_MAX) {
		return kws_spec_fail(spec, KWS_EUNSUPPORTED, "the sums do not fit into int16");
	}
	op->limit = bconv->conv.length;
	return 0;
}

static int read_output(struct kws_op *op, const struct kws_spec *spec)
{
	const char *output;
	int result = kws_spec_string(spec, "output", "float", &output);
	if (result != 0) {
		return result;
	}
	op->out.type = strcmp(output, "int16") == 0 ? KWS_MAP_INT16 : KWS_MAP_FLOAT;
	if (op->out.type == KWS_MAP_FLOAT && strcmp(output, "float") != 0) {
		return kws_spec_fail(spec, KWS_EFORMAT, "'output' must be float or int16");
	}
	return 0;
}

static int load_transform(struct kws_op *op, struct bconv2d *bconv, const struct kws_spec *spec)
{
	if (op->out.type == KWS_MAP_INT16) {
		return check_integers(op, bconv, spec);
	}
	bool relu;
	int result = kws_spec_relu(spec, &relu);
	if (result != 0) {
		return result;
	}
	if (relu && json_object_get(spec->json, "slope") != NULL) {
		return kws_spec_fail(spec, KWS_EFORMAT, "'act' relu has no 'slope'");
	}
	size_t channels = op->out.channels;
	result = kws_op_vector(op, spec, "slope", channels, relu ? 0.0f : 1.0f, &bconv->slope);
	if (result == 0) {
		result = kws_op_vector(op, spec, "scale", channels, 1.0f, &bconv->scale);
	}
	if (result == 0) {
		result = kws_op_vector(op, spec, "bias", channels, 0.0f, &bconv->bias);
	}
	return result;
}

static int bconv2d_create(struct kws_op *op, struct kws_spec *spec)
{
	struct bconv2d *bconv = kws_spec_alloc(1, sizeof(*bconv));
	op->state = bconv;
	if (bconv == NULL) {
		return kws_spec_fail(spec, KWS_ENOMEM, "out of memory");
	}
	if (op->in.type != KWS_MAP_BITS) {
		return kws_spec_fail(spec, KWS_EFORMAT, "needs bits as input");
	}
	int result = read_output(op, spec);
	if (result == 0) {
		result = load_conv(op, bconv, spec);
	}
	if (result == 0) {
		result = load_transform(op, bconv, spec);
	}
	if (result != 0) {
		return result;
	}
	op->cost.binary_weights = op->out.channels * bconv->conv.taps * op->in.channels;
	op->cost.binary_macs = op->out.bands * op->cost.binary_weights;
	op->cost.valid_macs = kws_bconv_valid_macs(&bconv->conv);
	op->scratch_bytes = kws_bconv_scratch_bytes(&bconv->conv);
	return 0;
}

/* Where the sums of one run() go. */
struct target {
	const struct bconv2d *bconv;
	const void *residual; /* of output row 0, or NULL */
	void *output;
};

static void transform(void *context, const struct kws_bconv_sums *sums)
{
	const struct target *target = context;
	const struct bconv2d *bconv = target->bconv;
	const float *residual = target->residual;
	struct kws_bconv_transform transform; /* no initializer: it would clear the arrays */
	transform.channels = sums->channels;
	transform.positions = sums->positions;
	transform.sums_step = sums->step;
	transform.slope = bconv->slope + sums->first;
	transform.scale = bconv->scale + sums->first;
	transform.bias = bconv->bias + sums->first;
	for (size_t p = 0; p < sums->positions; p++) {
		size_t at = sums->places[p] * bconv->conv.outputs + sums->first;
		transform.residuals[p] = residual != NULL ? residual + at : NULL;
		transform.outputs[p] = (float *)target->output + at;
	}
	bconv->conv.ops->transform(&transform, sums->sums);
}

static void take_integers(void *context, const struct kws_bconv_sums *sums)
{
	const struct target *target = context;
	const int16_t *residual = target->residual;
	for (size_t p = 0; p < sums->positions; p++) {
		const int32_t *from = sums->sums + p * sums->step;
		size_t at = sums->places[p] * target->bconv->conv.outputs + sums->first;
		int16_t *restrict out = (int16_t *)target->output + at;
		for (size_t c = 0; c < sums->channels; c++) {
			out[c] = (int16_t)from[c];
		}
		for (size_t c = 0; residual != NULL && c < sums->channels; c++) {
			out[c] = (int16_t)(out[c] + residual[at + c]);
		}
	}
}

static void bconv2d_run(const struct kws_op *op, const struct kws_op_maps *maps, size_t begin,
	size_t end, void *scratch)
{
	const struct bconv2d *bconv = op->state;
	struct target target = {bconv, maps->residual, maps->output};
	if (target.residual != NULL) {
		target.residual = (const char *)target.residual +
				  kws_op_residual_offset(op) * kws_map_row_bytes(&op->out);
	}
	kws_bconv_run(&bconv->conv, maps->input, begin, end, scratch,
		op->out.type == KWS_MAP_INT16 ? take_integers : transform, &target);
}

const struct kws_op_class kws_op_bconv2d = {
	.name = "bconv2d",
	.create = bconv2d_create,
	.destroy = bconv2d_destroy,
	.run = bconv2d_run,
};
