/* SPDX-License-Identifier: Apache-2.0 */
/* A model file: parsed, and if it is one, run over a stream through all its exits. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "bnn/net.h"

/* A network that costs more than this is accepted without being run. */
#define MACS_MAX 2000000u
#define WINDOWS 3
#define HOP 2

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Multiplications of all convolutions, comparisons of all pools: those are bounded by a kernel as
 * wide as the input. */
static uint64_t cost_of(const struct kws_graph *graph)
{
	struct kws_op_cost cost = kws_graph_cost(graph, graph->exit_count - 1);
	uint64_t total = cost.binary_macs + cost.float_macs;
	for (size_t i = 0; i < graph->op_count; i++) {
		const struct kws_op *op = &graph->ops[i];
		if (op->class == &kws_op_maxpool2d || op->class == &kws_op_avgpool2d) {
			total += (uint64_t)op->out.rows * kws_map_row_elements(&op->out) *
				 op->reach.kernel * op->in.bands;
		}
	}
	return total;
}

/* The logits of every exit, one after another. */
static void run_exits(struct kws_net *net, const struct kws_graph *graph, float *logits)
{
	for (size_t e = 0; e < graph->exit_count; e++) {
		memcpy(logits + e * graph->classes, kws_net_run_exit(net, e),
			graph->classes * sizeof(*logits));
	}
}

static void fill_stream(float *stream, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		stream[i] = (float)(i * 7 % 33) / 8.0f - 2.0f;
	}
}

/* Some windows of a stream: each has the same answers as when it stands alone. */
static void run(const struct kws_model *model)
{
	const struct kws_graph *graph = kws_model_graph(model);
	size_t row = kws_map_row_elements(&graph->maps[0]);
	size_t count = (graph->maps[0].rows + (WINDOWS - 1) * HOP) * row;
	float *stream = malloc(count * sizeof(*stream));
	float streamed[KWS_EXITS_MAX * KWS_CLASSES_MAX] = {0};
	float alone[KWS_EXITS_MAX * KWS_CLASSES_MAX] = {0};
	struct kws_net *net;
	struct kws_net *fresh;
	if (stream == NULL || kws_net_create(&net, model, HOP) != 0 ||
		kws_net_create(&fresh, model, HOP) != 0) {
		abort();
	}
	fill_stream(stream, count);
	for (size_t i = 0; i < WINDOWS; i++) {
		const float *window = stream + i * HOP * row;
		if (i == 0) {
			kws_net_begin(net, window);
		} else {
			kws_net_advance(net, window);
		}
		kws_net_begin(fresh, window);
		run_exits(net, graph, streamed);
		run_exits(fresh, graph, alone);
		if (memcmp(streamed, alone, sizeof(alone)) != 0) {
			abort();
		}
	}
	kws_net_destroy(fresh);
	kws_net_destroy(net);
	free(stream);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct kws_model *model;
	uint8_t *bytes = malloc(size); /* aligned to 8 */
	if (size > 0 && bytes == NULL) {
		abort();
	}
	if (size > 0) {
		memcpy(bytes, data, size);
	}
	int result = kws_model_parse(&model, bytes, size, NULL, &(struct kws_error){""});
	free(bytes);
	if (result != 0) {
		return 0;
	}
	if (cost_of(kws_model_graph(model)) <= MACS_MAX) {
		run(model);
	}
	kws_model_destroy(model);
	return 0;
}
