/* SPDX-License-Identifier: Apache-2.0 */
/* Any range of an operation's rows can be computed alone: one row at a time, in any order, gives
 * the bits that all at once give. Run on the networks given as arguments. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "bnn/model.h"

#define WINDOW_SEED 1

/* Every map of a graph, whole. */
struct maps {
	const struct kws_graph *graph;
	void **all;
};

static size_t map_bytes(const struct kws_graph *graph, size_t map)
{
	return graph->maps[map].rows * kws_map_row_bytes(&graph->maps[map]);
}

static struct maps create_maps(const struct kws_graph *graph)
{
	struct maps maps = {graph, calloc(graph->map_count, sizeof(void *))};
	for (size_t i = 0; i < graph->map_count; i++) {
		maps.all[i] = calloc(1, map_bytes(graph, i));
	}
	unsigned seed = WINDOW_SEED;
	float *window = maps.all[0];
	for (size_t i = 0; i < map_bytes(graph, 0) / sizeof(float); i++) {
		window[i] = (float)(rand_r(&seed) % 33 - 16) / 8.0f;
	}
	return maps;
}

static void destroy_maps(struct maps *maps)
{
	for (size_t i = 0; i < maps->graph->map_count; i++) {
		free(maps->all[i]);
	}
	free(maps->all);
}

static void run_rows(const struct maps *maps, const struct kws_op *op, size_t begin, size_t end)
{
	void *scratch = malloc(op->scratch_bytes + 1);
	struct kws_op_maps call = {
		.residual = op->residual != KWS_OP_NO_RESIDUAL ? maps->all[op->residual] : NULL,
		.output = maps->all[op->output],
	};
	for (size_t i = 0; i < op->input_count; i++) {
		call.inputs[i] = maps->all[op->inputs[i]];
	}
	op->class->run(op, &call, begin, end, scratch);
	free(scratch);
}

/* Backwards (0), or the odd rows before the even ones (1). */
static void run_scattered(const struct maps *maps, const struct kws_op *op, int order)
{
	size_t rows = op->out.rows;
	for (size_t i = 0; i < rows; i++) {
		size_t row = order == 0         ? rows - 1 - i
			     : 2 * i + 1 < rows ? 2 * i + 1
						: 2 * (i - rows / 2);
		run_rows(maps, op, row, row + 1);
	}
}

struct network {
	struct kws_model *model;
	struct maps maps;
};

static struct network load(const char *path)
{
	struct network network;
	struct kws_error error;
	if (kws_model_load(&network.model, path, NULL, &error) != 0) {
		fail_msg("%s: %s", path, error.text);
	}
	network.maps = create_maps(kws_model_graph(network.model));
	return network;
}

static void unload(struct network *network)
{
	destroy_maps(&network->maps);
	kws_model_destroy(network->model);
}

static void assert_scattered(const struct maps *maps, const struct kws_op *op)
{
	size_t bytes = map_bytes(maps->graph, op->output);
	void *whole = malloc(bytes);
	memcpy(whole, maps->all[op->output], bytes);
	for (int order = 0; order < 2; order++) {
		memset(maps->all[op->output], 0xff, bytes);
		run_scattered(maps, op, order);
		assert_memory_equal(maps->all[op->output], whole, bytes);
	}
	free(whole);
}

static void rows_can_be_computed_alone(void **state)
{
	struct network network = load(*state);
	for (size_t i = 0; i < network.maps.graph->op_count; i++) {
		const struct kws_op *op = &network.maps.graph->ops[i];
		run_rows(&network.maps, op, 0, op->out.rows);
		assert_scattered(&network.maps, op);
	}
	unload(&network);
}

/* Zeroes the rows of one input that do not lie within the reach of the output row. */
static void clear_out_of_reach(
	const struct kws_op *op, const struct kws_map_shape *shape, uint8_t *input, size_t row)
{
	size_t row_bytes = kws_map_row_bytes(shape);
	size_t first = row * op->reach.stride;
	for (size_t r = 0; r < op->in.rows; r++) {
		size_t padded = r + op->reach.pad;
		if (padded < first || padded >= first + op->reach.kernel) {
			memset(input + r * row_bytes, 0, row_bytes);
		}
	}
}

static void assert_reach(const struct maps *maps, const struct kws_op *op, size_t map)
{
	uint8_t *input = maps->all[map];
	uint8_t *output = maps->all[op->output];
	size_t in_bytes = map_bytes(maps->graph, map);
	size_t row_bytes = kws_map_row_bytes(&op->out);
	uint8_t *kept_input = malloc(in_bytes);
	uint8_t *kept_row = malloc(row_bytes);
	memcpy(kept_input, input, in_bytes);
	for (size_t r = 0; r < op->out.rows; r++) {
		memcpy(kept_row, output + r * row_bytes, row_bytes);
		clear_out_of_reach(op, &maps->graph->maps[map], input, r);
		run_rows(maps, op, r, r + 1);
		assert_memory_equal(output + r * row_bytes, kept_row, row_bytes);
		memcpy(input, kept_input, in_bytes);
	}
	free(kept_row);
	free(kept_input);
}

/* A row is made of the input rows that `reach` tells, of no others. The residual is not input: an
 * operation that adds its own input's map is left out, none of the networks does. */
static void rows_depend_on_their_reach_only(void **state)
{
	struct network network = load(*state);
	for (size_t i = 0; i < network.maps.graph->op_count; i++) {
		const struct kws_op *op = &network.maps.graph->ops[i];
		run_rows(&network.maps, op, 0, op->out.rows);
		for (size_t input = 0; input < op->input_count; input++) {
			assert_int_not_equal(op->inputs[input], op->residual);
			assert_reach(&network.maps, op, op->inputs[input]);
		}
	}
	unload(&network);
}

int main(int argc, char **argv)
{
	int failed = argc < 2;
	for (int i = 1; i < argc; i++) {
		const struct CMUnitTest tests[] = {
			cmocka_unit_test_prestate(rows_can_be_computed_alone, argv[i]),
			cmocka_unit_test_prestate(rows_depend_on_their_reach_only, argv[i]),
		};
		failed += cmocka_run_group_tests_name(argv[i], tests, NULL, NULL);
	}
	return failed != 0;
}
