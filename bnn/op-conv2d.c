/* SPDX-License-Identifier: Apache-2.0 */
/* conv2d: float convolution with zero padding, bias and an optional ReLU.
 *
 * weight: F32 [kernel rows][kernel bands][input channels / groups][output channels]; both channel
 * counts are multiples of groups, and group g of the outputs reads group g of the inputs. Each
 * output is bias + sum over (row, band, input channel) in this order, one rounding per
 * multiplication and per addition: every machine gives the same bits.
 */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "bnn/op.h"

struct conv2d {
	struct kws_window window;
	size_t groups;
	bool relu;
	float *weight;
	float *bias;
};

static void conv2d_destroy(void *state)
{
	struct conv2d *conv = state;
	if (conv != NULL) {
		free(conv->weight);
		free(conv->bias);
		free(conv);
	}
}

static int load_weight(
	struct kws_op *op, struct conv2d *conv, const struct kws_spec *spec, size_t groups)
{
	const struct kws_tensor *weight;
	if (op->in.channels % groups != 0) {
		return kws_spec_fail(
			spec, KWS_EFORMAT, "groups must divide the number of channels");
	}
	size_t shape[4] = {0, 0, op->in.channels / groups, 0};
	int result = kws_spec_tensor(spec, "weight", KWS_DTYPE_F32, 4, shape, &weight);
	if (result != 0) {
		return result;
	}
	op->out.channels = weight->shape[3];
	if (op->out.channels % groups != 0) {
		return kws_spec_fail(
			spec, KWS_EFORMAT, "groups must divide the number of channels");
	}
	conv->groups = groups;
	conv->weight = kws_spec_alloc(weight->count, sizeof(float));
	if (conv->weight == NULL) {
		return kws_spec_fail(spec, KWS_ENOMEM, "out of memory");
	}
	memcpy(conv->weight, weight->data, weight->count * sizeof(float));
	op->cost.float_weights = weight->count + op->out.channels;
	return kws_spec_window(spec, weight->shape[0], weight->shape[1], &conv->window);
}

static int conv2d_create(struct kws_op *op, struct kws_spec *spec)
{
	struct conv2d *conv = kws_spec_alloc(1, sizeof(*conv));
	op->state = conv;
	if (conv == NULL) {
		return kws_spec_fail(spec, KWS_ENOMEM, "out of memory");
	}
	const char *act;
	size_t groups;
	int result = kws_spec_string(spec, "act", "none", &act);
	if (result == 0) {
		result = kws_spec_size(spec, "groups", 1, &groups);
	}
	if (result != 0) {
		return result;
	}
	conv->relu = strcmp(act, "relu") == 0;
	if ((!conv->relu && strcmp(act, "none") != 0) || op->in.type != KWS_MAP_FLOAT ||
		groups == 0) {
		return kws_spec_fail(spec, KWS_EFORMAT,
			"needs a float input, groups from 1, and act none or relu");
	}
	result = load_weight(op, conv, spec, groups);
	if (result == 0) {
		result = kws_spec_vector(spec, "bias", op->out.channels, 0.0f, &conv->bias);
	}
	if (result != 0) {
		return result;
	}
	op->out.type = KWS_MAP_FLOAT;
	kws_op_slide(op, &conv->window);
	op->cost.float_macs = op->out.bands * (op->cost.float_weights - op->out.channels);
	return 0;
}

/* out[o] += x[i] * weight[i][o] for one tap */
static void accumulate_dense(
	const float *x, size_t in_channels, const float *weight, size_t out_channels, float *out)
{
	for (size_t i = 0; i < in_channels; i++) {
		for (size_t o = 0; o < out_channels; o++) {
			out[o] += x[i] * weight[i * out_channels + o];
		}
	}
}

/* The same within each group of channels. */
static void accumulate_groups(
	const float *x, const struct kws_op *op, const float *weight, float *out)
{
	size_t groups = ((const struct conv2d *)op->state)->groups;
	size_t group_in = op->in.channels / groups;
	size_t group_out = op->out.channels / groups;
	for (size_t i = 0; i < group_in; i++, weight += op->out.channels) {
		for (size_t o = 0; o < op->out.channels; o++) {
			out[o] += x[o / group_out * group_in + i] * weight[o];
		}
	}
}

static void accumulate_depthwise(const float *x, const float *weight, size_t channels, float *out)
{
	for (size_t c = 0; c < channels; c++) {
		out[c] += x[c] * weight[c];
	}
}

static void conv2d_position(
	const struct kws_op *op, const float *input, size_t row, size_t band, float *restrict out)
{
	const struct conv2d *conv = op->state;
	size_t channels = op->out.channels;
	size_t tap_weights = op->in.channels / conv->groups * channels;
	memcpy(out, conv->bias, channels * sizeof(float));
	for (size_t kr = 0; kr < conv->window.kernel[0]; kr++) {
		/* an index before the first row wraps to a huge one: one comparison serves both
		 * edges */
		size_t r = row * conv->window.stride[0] + kr - conv->window.pad[0];
		for (size_t kb = 0; kb < conv->window.kernel[1]; kb++) {
			size_t b = band * conv->window.stride[1] + kb - conv->window.pad[2];
			if (r >= op->in.rows || b >= op->in.bands) {
				continue;
			}
			const float *x = input + (r * op->in.bands + b) * op->in.channels;
			const float *weight =
				conv->weight + (kr * conv->window.kernel[1] + kb) * tap_weights;
			if (conv->groups == 1) {
				accumulate_dense(x, op->in.channels, weight, channels, out);
			} else if (tap_weights == channels && channels == op->in.channels) {
				accumulate_depthwise(x, weight, channels, out);
			} else {
				accumulate_groups(x, op, weight, out);
			}
		}
	}
	for (size_t o = 0; conv->relu && o < channels; o++) {
		out[o] = out[o] > 0.0f ? out[o] : 0.0f;
	}
}

static void conv2d_run(const struct kws_op *op, const struct kws_op_maps *maps, size_t begin,
	size_t end, void *scratch)
{
	(void)scratch;
	float *output = maps->output;
	for (size_t row = begin; row < end; row++) {
		for (size_t band = 0; band < op->out.bands; band++) {
			conv2d_position(op, maps->input, row, band,
				output + (row * op->out.bands + band) * op->out.channels);
		}
	}
}

const struct kws_op_class kws_op_conv2d = {
	.name = "conv2d",
	.create = conv2d_create,
	.destroy = conv2d_destroy,
	.run = conv2d_run,
};
