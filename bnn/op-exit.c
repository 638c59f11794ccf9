/* SPDX-License-Identifier: Apache-2.0 */
/* exit: optional ReLU, mean over time (pool "time") or over time and frequency (pool "all"), then a
 * float dense layer: the logits of one exit.
 *
 * weight: F32 [classes][features], bias: F32 [classes]; features are [bands][channels] for "time",
 * [channels] for "all". The mean is a sum of row sums in the order of time, then one division. */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "bnn/op.h"

struct exit_head {
	bool relu;
	bool pool_bands;
	size_t features;
	size_t classes;
	float *weight; /* [features][classes]: the inner loop runs over classes */
	float *bias;
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
	head->weight = kws_spec_alloc(weight->count, sizeof(float));
	if (head->weight == NULL) {
		return kws_spec_fail(spec, KWS_ENOMEM, "out of memory");
	}
	const float *from = weight->data;
	for (size_t c = 0; c < head->classes; c++) {
		for (size_t f = 0; f < head->features; f++) {
			head->weight[f * head->classes + c] = from[c * head->features + f];
		}
	}
	return kws_spec_vector(spec, "bias", head->classes, 0.0f, &head->bias);
}

static int exit_create(struct kws_op *op, struct kws_spec *spec)
{
	struct exit_head *head = kws_spec_alloc(1, sizeof(*head));
	op->state = head;
	if (head == NULL) {
		return kws_spec_fail(spec, KWS_ENOMEM, "out of memory");
	}
	const char *act;
	const char *pool;
	int result = kws_spec_string(spec, "act", "none", &act);
	if (result == 0) {
		result = kws_spec_string(spec, "pool", NULL, &pool);
	}
	if (result != 0) {
		return result;
	}
	head->relu = strcmp(act, "relu") == 0;
	head->pool_bands = strcmp(pool, "all") == 0;
	if ((!head->relu && strcmp(act, "none") != 0) ||
		(!head->pool_bands && strcmp(pool, "time") != 0) || op->in.type != KWS_MAP_FLOAT) {
		return kws_spec_fail(spec, KWS_EFORMAT,
			"needs a float input, act none or relu, and pool time or all");
	}
	head->features = op->in.channels * (head->pool_bands ? 1 : op->in.bands);
	result = load_dense(head, spec);
	if (result != 0) {
		return result;
	}
	op->out = (struct kws_map_shape){KWS_MAP_FLOAT, 1, 1, head->classes};
	op->reach = (struct kws_op_reach){op->in.rows, op->in.rows, 0};
	op->cost.float_macs = head->features * head->classes;
	op->cost.float_weights = op->cost.float_macs + head->classes;
	op->scratch_bytes = 2 * head->features * sizeof(float);
	return 0;
}

/* sum[f] = the row's values, over the bands where these are pooled too */
static void sum_row(const struct kws_op *op, const struct exit_head *head, const float *row,
	float *restrict sum)
{
	size_t groups = kws_map_row_elements(&op->in) / head->features;
	memset(sum, 0, head->features * sizeof(float));
	for (size_t g = 0; g < groups; g++) {
		for (size_t f = 0; f < head->features; f++) {
			float x = row[g * head->features + f];
			sum[f] += head->relu && !(x > 0.0f) ? 0.0f : x;
		}
	}
}

static void exit_run(const struct kws_op *op, const struct kws_op_maps *maps, size_t begin,
	size_t end, void *scratch)
{
	(void)begin;
	(void)end;
	const struct exit_head *head = op->state;
	size_t row_elements = kws_map_row_elements(&op->in);
	float *sum = scratch;
	float *row_sum = sum + head->features;
	memset(sum, 0, head->features * sizeof(float));
	for (size_t r = 0; r < op->in.rows; r++) {
		sum_row(op, head, (const float *)maps->input + r * row_elements, row_sum);
		for (size_t f = 0; f < head->features; f++) {
			sum[f] += row_sum[f];
		}
	}
	float *restrict logits = maps->output;
	float positions = (float)(op->in.rows * (row_elements / head->features));
	memcpy(logits, head->bias, head->classes * sizeof(float));
	for (size_t f = 0; f < head->features; f++) {
		float mean = sum[f] / positions;
		for (size_t c = 0; c < head->classes; c++) {
			logits[c] += mean * head->weight[f * head->classes + c];
		}
	}
}

const struct kws_op_class kws_op_exit = {
	.name = "exit",
	.create = exit_create,
	.destroy = exit_destroy,
	.run = exit_run,
};
