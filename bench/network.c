/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/network.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/report.h"
#include "dsp/mel.h"

struct bench_operations {
	const struct kws_graph *graph;
	void **maps;
	void *scratch;
};

static void *allocate(size_t count, size_t size)
{
	void *memory = kws_spec_alloc(count, size);
	bench_check(memory != NULL ? 0 : KWS_ENOMEM, "benchmark of a network");
	return memory;
}

struct bench_operations *bench_operations_create(const struct kws_model *model)
{
	struct bench_operations *operations = allocate(1, sizeof(*operations));
	const struct kws_graph *graph = kws_model_graph(model);
	size_t scratch_bytes = 0;
	operations->graph = graph;
	operations->maps = allocate(graph->map_count, sizeof(*operations->maps));
	for (size_t i = 0; i < graph->map_count; i++) {
		operations->maps[i] =
			allocate(graph->maps[i].rows, kws_map_row_bytes(&graph->maps[i]));
	}
	for (size_t i = 0; i < graph->op_count; i++) {
		size_t bytes = graph->ops[i].scratch_bytes;
		scratch_bytes = bytes > scratch_bytes ? bytes : scratch_bytes;
	}
	operations->scratch = allocate(scratch_bytes, 1);
	return operations;
}

void bench_operations_destroy(struct bench_operations *operations)
{
	for (size_t i = 0; i < operations->graph->map_count; i++) {
		free(operations->maps[i]);
	}
	free(operations->maps);
	free(operations->scratch);
	free(operations);
}

static void run(const struct bench_operations *operations, const struct kws_op *op)
{
	struct kws_op_maps maps = {.output = operations->maps[op->output]};
	for (size_t i = 0; i < op->input_count; i++) {
		maps.inputs[i] = operations->maps[op->inputs[i]];
	}
	if (op->residual != KWS_OP_NO_RESIDUAL) {
		maps.residual = operations->maps[op->residual];
	}
	op->class->run(op, &maps, 0, op->out.rows, operations->scratch);
}

void bench_operations_fill(struct bench_operations *operations, const float *window)
{
	const struct kws_map_shape *input = &operations->graph->maps[0];
	memcpy(operations->maps[0], window, input->rows * kws_map_row_bytes(input));
	for (size_t i = 0; i < operations->graph->op_count; i++) {
		run(operations, &operations->graph->ops[i]);
	}
}

void bench_kind_run(void *user, size_t times)
{
	const struct bench_kind *kind = user;
	const struct kws_graph *graph = kind->operations->graph;
	for (size_t t = 0; t < times; t++) {
		for (size_t i = 0; i < graph->op_count; i++) {
			if (strcmp(graph->ops[i].class->name, kind->name) == 0) {
				run(kind->operations, &graph->ops[i]);
			}
		}
	}
}

size_t bench_kinds_find(
	struct bench_operations *operations, struct bench_kind kinds[BENCH_KINDS_MAX])
{
	const struct kws_graph *graph = operations->graph;
	size_t count = 0;
	for (size_t i = 0; i < graph->op_count; i++) {
		struct bench_kind kind = {operations, graph->ops[i].class->name};
		size_t k = 0;
		while (k < count && strcmp(kinds[k].name, kind.name) != 0) {
			k++;
		}
		if (k == count && count < BENCH_KINDS_MAX) {
			kinds[count++] = kind;
		}
	}
	return count;
}

struct kws_model *bench_load_model(const char *path)
{
	struct kws_error error;
	struct kws_model *model;
	if (kws_model_load(&model, path, kws_mel_describe(), &error) != 0) {
		printf("%s is left out: %s\n", path, error.text);
		return NULL;
	}
	return model;
}

const float *bench_window(void)
{
	static float window[KWS_WINDOW_FRAMES * KWS_MEL_BANDS];
	for (size_t i = 0; i < sizeof(window) / sizeof(window[0]); i++) {
		window[i] = (float)rand() / (float)RAND_MAX * 2.0f - 1.0f;
	}
	return window;
}
