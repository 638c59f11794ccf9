/* SPDX-License-Identifier: Apache-2.0 */
#include "bnn/net.h"

#include <assert.h>
#include <stdlib.h>

struct kws_net {
	const struct kws_graph *graph;
	const float *window;
	size_t next_op; /* operations before it are done for this window */
	void **maps;    /* row 0 of each map; maps[0] is unused, the window takes its place */
	void *scratch;
};

static int allocate(struct kws_net *net)
{
	const struct kws_graph *graph = net->graph;
	size_t scratch_bytes = 0;
	net->maps = calloc(graph->map_count, sizeof(*net->maps));
	if (net->maps == NULL) {
		return KWS_ENOMEM;
	}
	for (size_t i = 1; i < graph->map_count; i++) {
		net->maps[i] =
			kws_spec_alloc(graph->maps[i].rows, kws_map_row_bytes(&graph->maps[i]));
		if (net->maps[i] == NULL) {
			return KWS_ENOMEM;
		}
	}
	for (size_t i = 0; i < graph->op_count; i++) {
		size_t bytes = graph->ops[i].scratch_bytes;
		scratch_bytes = bytes > scratch_bytes ? bytes : scratch_bytes;
	}
	net->scratch = kws_spec_alloc(1, scratch_bytes);
	return net->scratch != NULL ? 0 : KWS_ENOMEM;
}

int kws_net_create(struct kws_net **out, const struct kws_model *model)
{
	struct kws_net *net = calloc(1, sizeof(*net));
	if (net == NULL) {
		return KWS_ENOMEM;
	}
	net->graph = kws_model_graph(model);
	int result = allocate(net);
	if (result != 0) {
		kws_net_destroy(net);
		return result;
	}
	*out = net;
	return 0;
}

void kws_net_destroy(struct kws_net *net)
{
	if (net == NULL) {
		return;
	}
	for (size_t i = 0; net->maps != NULL && i < net->graph->map_count; i++) {
		free(net->maps[i]);
	}
	free(net->maps);
	free(net->scratch);
	free(net);
}

void kws_net_begin(struct kws_net *net, const float *window)
{
	net->window = window;
	net->next_op = 0;
}

static void run_op(struct kws_net *net, const struct kws_op *op)
{
	struct kws_op_maps maps = {
		.input = op->input == 0 ? net->window : net->maps[op->input],
		.output = net->maps[op->output],
	};
	if (op->residual != KWS_OP_NO_RESIDUAL) {
		maps.residual = op->residual == 0 ? net->window : net->maps[op->residual];
	}
	op->class->run(op, &maps, 0, op->out.rows, net->scratch);
}

const float *kws_net_run_exit(struct kws_net *net, size_t exit)
{
	size_t last = net->graph->exit_ops[exit];
	assert(net->window != NULL && exit < net->graph->exit_count);
	for (; net->next_op <= last; net->next_op++) {
		const struct kws_op *op = &net->graph->ops[net->next_op];
		if (op->exit < 0 || net->next_op == last) {
			run_op(net, op);
		}
	}
	return net->maps[net->graph->ops[last].output];
}
