/* SPDX-License-Identifier: Apache-2.0 */
/* exit: optional ReLU, mean over time (pool "time") or over time and frequency (pool "all"), then a
 * float dense layer: the logits of one exit.
 *
 * weight: F32 [classes][features], bias: F32 [classes]; features are [bands][channels] for "time",
 * [channels] for "all". The mean is a sum of row sums in the order of time, then one division.
 *
 * For "all" the graph puts bandsum (bnn/op-bandsum.c) before the exit, which makes the row sums and
 * lets a stream keep them. For "time" a row's part of the mean is as large as the row itself: there
 * is nothing to keep that is not there already. */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "bnn/float-ops.h"
#include "bnn/op.h"
#include "common/cpu.h"

struct exit_head {
	const struct kws_float_ops *ops;
	bool relu;     /* of the input; bandsum has done it before */
	float divisor; /* elements in a mean */
	size_t features;
	size_t classes;
	float *weight; /* [blocks][features][KWS_FLOAT_BLOCK] */
	float *bias;   /* [blocks][KWS_FLOAT_BLOCK] */
};

static void exit_destroy(void *state)
{
	struct exit_head *head = state;
	if (head != NULL) {
		free(head->weight);
		free(head->bias);
		free(head);
	}
}

static int load_dense(struct exit_head *head, const struct kws_spec *spec)
{
	const struct kws_tensor *weight;
	size_t shape[2] = {0, head->features};
	int result = kws_spec_tensor(spec, "weight", KWS_DTYPE_F32, 2, shape, &weight);
	if (result != 0) {
		return result;
	}
	head->classes = weight->shape[0];
	size_t blocks = (head->classes + KWS_FLOAT_BLOCK - 1) / KWS_FLOAT_BLOCK;
	size_t lanes = blocks * KWS_FLOAT_BLOCK;
	head->weight = kws_spec_keep(spec, lanes * head->features, sizeof(float), &result);
	head->bias = kws_spec_keep(spec, lanes, sizeof(float), &result);
	if (result != 0) {
		return result;
	}
	const float *from = weight->data;
	for (size_t c = 0; c < head->classes; c++) {
		float *to = head->weight + c / KWS_FLOAT_BLOCK * KWS_FLOAT_BLOCK * head->features +
			    c % KWS_FLOAT_BLOCK;
		for (size_t f = 0; f < head->features; f++) {
			to[f * KWS_FLOAT_BLOCK] = from[c * head->features + f];
		}
	}
	float *bias;
	result = kws_spec_vector(spec, "bias", head->classes, 0.0f, &bias);
	if (result == 0) {
		memcpy(head->bias, bias, head->classes * sizeof(float));
		free(bias);
	}
	return result;
}

static int exit_create(struct kws_op *op, struct kws_spec *spec)
{
	struct exit_head *head = kws_spec_alloc(1, sizeof(*head));
	op->state = head;
	if (head == NULL) {
		return kws_spec_fail(spec, KWS_ENOMEM, "out of memory");
	}
	const char *pool;
	bool relu;
	int result = kws_spec_relu(spec, &relu);
	if (result == 0) {
		result = kws_spec_string(spec, "pool", NULL, &pool);
	}
	if (result != 0) {
		return result;
	}
	if ((strcmp(pool, "all") != 0 && strcmp(pool, "time") != 0) ||
		op->in.type != KWS_MAP_FLOAT) {
		return kws_spec_fail(spec, KWS_EFORMAT, "needs a float input and pool time or all");
	}
	head->relu = relu && op->summed_bands == 1;
	head->divisor = (float)(op->in.rows * op->summed_bands);
	head->features = op->in.channels * op->in.bands;
	result = load_dense(head, spec);
	if (result != 0) {
		return result;
	}
	op->out = (struct kws_map_shape){KWS_MAP_FLOAT, 1, 1, head->classes};
	op->reach = (struct kws_op_reach){op->in.rows, op->in.rows, 0};
	op->cost.float_macs = head->features * head->classes;
	op->cost.float_weights = op->cost.float_macs + head->classes;
	op->scratch_bytes = head->features * sizeof(float);
	head->ops = kws_float_ops_find(kws_cpu_flags());
	return 0;
}

/* logits = bias + sum over the features, in this order */
static void run_dense(const struct exit_head *head, const float *mean, float *logits)
{
	head->ops->conv(&(struct kws_float_conv){
		.taps =
			{
				.input = mean,
				.positions = 1,
				.rows = 1,
				.taps = 1,
				.channels = head->features,
			},
		.weight = head->weight,
		.weight_block_pitch = head->features * KWS_FLOAT_BLOCK,
		.bias = head->bias,
		.output = logits,
		.outputs = head->classes,
	});
}

static void exit_run(const struct kws_op *op, const struct kws_op_maps *maps, size_t begin,
	size_t end, void *scratch)
{
	(void)begin;
	(void)end;
	const struct exit_head *head = op->state;
	float *mean = scratch;
	head->ops->sum_rows(&(struct kws_float_rows){
		.input = maps->input,
		.rows = op->in.rows,
		.row_pitch = head->features,
		.features = head->features,
		.relu = head->relu,
		.divisor = head->divisor,
		.output = mean,
	});
	run_dense(head, mean, maps->output);
}

const struct kws_op_class kws_op_exit = {
	.name = "exit",
	.create = exit_create,
	.destroy = exit_destroy,
	.run = exit_run,
};
