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

#include "bnn/float-run.h"
#include "common/cpu.h"

struct conv2d {
	const struct kws_float_ops *ops;
	struct kws_window window;
	bool relu;
	bool depthwise;
	size_t groups; /* calls of the kernel; 1 if depthwise, which takes all channels at once */
	size_t inputs; /* channels that an output sums over, unless depthwise */
	bool halves;   /* two of the file's groups are one of ours, see half_pitch */
	float *weight; /* [groups] times what the kernel reads, see bnn/float-ops.h */
	float *bias;
	size_t group_weights;
	size_t group_biases;
	size_t block_weights;
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

/* File order [tap and input][output] to kernel order [group][block][tap and input][in block]. */
static void pack_dense(struct conv2d *conv, const struct kws_tensor *weight, const float *bias)
{
	const float *from = weight->data;
	size_t outputs = weight->shape[3];
	size_t group_outputs = outputs / conv->groups;
	for (size_t o = 0; o < outputs; o++) {
		size_t group = o / group_outputs;
		size_t in_group = o % group_outputs;
		size_t lane = in_group % KWS_FLOAT_BLOCK;
		float *to = conv->weight + group * conv->group_weights +
			    in_group / KWS_FLOAT_BLOCK * conv->block_weights + lane;
		for (size_t i = 0; i < weight->count / outputs; i++) {
			to[i * KWS_FLOAT_BLOCK] = from[i * outputs + o];
		}
		conv->bias[group * conv->group_biases + in_group] = bias[o];
	}
}

/* Allocates and fills weight and bias as the kernels read them. */
static int pack(struct conv2d *conv, const struct kws_spec *spec, const struct kws_tensor *weight,
	const float *bias)
{
	size_t outputs = weight->shape[3];
	size_t blocks = (outputs / conv->groups + KWS_FLOAT_BLOCK - 1) / KWS_FLOAT_BLOCK;
	size_t lanes = conv->groups * blocks * KWS_FLOAT_BLOCK;
	size_t weights = weight->count / outputs * lanes; /* enough for depthwise as well */
	int result = 0;
	conv->block_weights = weight->count / outputs * KWS_FLOAT_BLOCK;
	conv->group_weights = conv->depthwise ? weight->count : blocks * conv->block_weights;
	conv->group_biases = conv->depthwise ? outputs : blocks * KWS_FLOAT_BLOCK;
	conv->weight = kws_spec_keep(spec, weights, sizeof(float), &result);
	conv->bias = kws_spec_keep(spec, conv->groups * conv->group_biases, sizeof(float), &result);
	if (result != 0) {
		return result;
	}
	if (conv->depthwise) {
		memcpy(conv->weight, weight->data, weight->count * sizeof(float));
		memcpy(conv->bias, bias, outputs * sizeof(float));
	} else {
		pack_dense(conv, weight, bias);
	}
	return 0;
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
	float *bias;
	result = kws_spec_vector(spec, "bias", op->out.channels, 0.0f, &bias);
	if (result != 0) {
		return result;
	}
	conv->depthwise = groups == op->in.channels && groups == op->out.channels;
	conv->inputs = op->in.channels / groups;
	conv->halves = groups % 2 == 0 && op->out.channels == groups * KWS_FLOAT_BLOCK / 2;
	conv->groups = conv->depthwise ? 1 : conv->halves ? groups / 2 : groups;
	result = pack(conv, spec, weight, bias);
	free(bias);
	if (result != 0) {
		return result;
	}
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
	size_t groups;
	int result = kws_spec_relu(spec, &conv->relu);
	if (result == 0) {
		result = kws_spec_size(spec, "groups", 1, &groups);
	}
	if (result != 0) {
		return result;
	}
	if (op->in.type != KWS_MAP_FLOAT || groups == 0) {
		return kws_spec_fail(spec, KWS_EFORMAT, "needs a float input and groups from 1");
	}
	result = load_weight(op, conv, spec, groups);
	if (result != 0) {
		return result;
	}
	conv->ops = kws_float_ops_find(kws_cpu_flags());
	op->out.type = KWS_MAP_FLOAT;
	kws_op_slide(op, &conv->window);
	op->cost.float_macs = op->out.bands * (op->cost.float_weights - op->out.channels);
	return 0;
}

/* The kernel's call for one run of positions; a group's channels are those of group 0. */
static struct kws_float_conv call_of(
	const struct kws_op *op, const struct kws_float_run *run, float *output)
{
	const struct conv2d *conv = op->state;
	size_t tap = conv->depthwise ? op->in.channels : conv->inputs * KWS_FLOAT_BLOCK;
	size_t row = conv->window.kernel[1] * tap;
	struct kws_float_conv call = {
		.taps = run->taps,
		.weight = conv->weight + run->kernel_row * row + run->kernel_band * tap,
		.weight_row_pitch = row,
		.weight_block_pitch = conv->block_weights,
		.half_pitch = conv->halves ? conv->inputs : 0,
		.bias = conv->bias,
		.relu = conv->relu,
		.output = output,
		.output_pitch = op->out.channels,
		.outputs = op->out.channels / conv->groups,
	};
	if (!conv->depthwise) {
		call.taps.channels = conv->inputs;
	}
	if (!conv->depthwise && conv->inputs == op->in.channels) {
		/* the taps of a row lie side by side: to the sum they are one */
		call.taps.channels *= call.taps.taps;
		call.taps.taps = 1;
	}
	return call;
}

static void run_groups(const struct kws_op *op, struct kws_float_conv *call)
{
	const struct conv2d *conv = op->state;
	for (size_t g = 0; g < conv->groups; g++) {
		conv->ops->conv(call);
		call->taps.input += op->in.channels / conv->groups;
		call->weight += conv->group_weights;
		call->bias += conv->group_biases;
		call->output += call->outputs;
	}
}

/* Rows without an edge between them, as of a 1x1 convolution, are one long row. */
static bool is_pointwise(const struct kws_window *window)
{
	return window->kernel[0] == 1 && window->kernel[1] == 1 && window->stride[0] == 1 &&
	       window->stride[1] == 1;
}

static void conv2d_run(const struct kws_op *op, const struct kws_op_maps *maps, size_t begin,
	size_t end, void *scratch)
{
	(void)scratch;
	const struct conv2d *conv = op->state;
	size_t row_elements = kws_map_row_elements(&op->out);
	size_t rows = is_pointwise(&conv->window) ? end - begin : 1;
	for (size_t row = begin; row < end; row += rows) {
		float *output = (float *)maps->output + row * row_elements;
		for (size_t band = 0; band < op->out.bands;) {
			struct kws_float_run run =
				kws_float_run_at(op, &conv->window, maps->input, row, band);
			band += run.taps.positions;
			run.taps.positions *= rows;
			struct kws_float_conv call = call_of(op, &run, output);
			if (conv->depthwise) {
				conv->ops->depthwise(&call);
			} else {
				run_groups(op, &call);
			}
			output += run.taps.positions * op->out.channels;
		}
	}
}

const struct kws_op_class kws_op_conv2d = {
	.name = "conv2d",
	.create = conv2d_create,
	.destroy = conv2d_destroy,
	.run = conv2d_run,
};
