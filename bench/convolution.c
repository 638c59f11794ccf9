/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/convolution.h"

#include <stdio.h>
#include <stdlib.h>

#include "bench/report.h"
#include "bnn/bconv.h"
#include "tests/model-builder.h"

#define GRAPH_SIZE 1024

struct bench_convolution {
	struct bench_layer layer;
	struct kws_model *model;
	const struct kws_op *op;
	struct kws_op_maps maps;
	void *memory[4]; /* input, residual, output, scratch */
};

struct bench_tile {
	struct kws_bconv plan;
	struct kws_bconv_tile tile;
	uint64_t *input;
	int32_t *sums;
};

static void *allocate(size_t count, size_t size)
{
	void *memory = kws_spec_alloc(count, size);
	bench_check(memory != NULL ? 0 : KWS_ENOMEM, "benchmark of a layer");
	return memory;
}

static void *random_words(size_t bytes)
{
	uint32_t *words = allocate(bytes, 1);
	for (size_t i = 0; i < bytes / sizeof(*words); i++) {
		words[i] = (uint32_t)rand() << 16 ^ (uint32_t)rand();
	}
	return words;
}

static float *random_floats(size_t count)
{
	float *values = allocate(count, sizeof(float));
	for (size_t i = 0; i < count; i++) {
		values[i] = (float)rand() / (float)RAND_MAX * 2.0f - 1.0f;
	}
	return values;
}

static size_t weight_count(const struct bench_layer *layer)
{
	return layer->outputs * layer->kernel[0] * layer->kernel[1] * ((layer->inputs + 31) / 32);
}

static void add_weights(struct model_builder *builder, const struct bench_layer *layer)
{
	const size_t shape[4] = {
		layer->outputs, layer->kernel[0], layer->kernel[1], (layer->inputs + 31) / 32};
	uint32_t *weights = random_words(weight_count(layer) * sizeof(uint32_t));
	model_builder_tensor(builder, "weight", KWS_DTYPE_U32, shape, weights);
	free(weights);
	const size_t channels[4] = {layer->outputs};
	model_builder_floats(builder, "slope", channels);
	model_builder_floats(builder, "scale", channels);
	model_builder_floats(builder, "bias", channels);
	model_builder_floats(builder, "head", (const size_t[4]){2, layer->outputs});
}

static void add_graph(struct model_builder *builder, const struct bench_layer *layer)
{
	static const char *const transforms[] = {
		[BENCH_BATCH_NORM] = "'scale': 'scale', 'bias': 'bias'",
		[BENCH_RELU] = "'act': 'relu', 'scale': 'scale', 'bias': 'bias'",
		[BENCH_PRELU] = "'slope': 'slope', 'scale': 'scale', 'bias': 'bias'",
		[BENCH_INT16] = "'output': 'int16'",
	};
	char graph[GRAPH_SIZE];
	snprintf(graph, sizeof(graph),
		"[{'op': 'input', 'out': 'x', 'shape': [%zu, %zu, %zu]},"
		"{'op': 'sign', 'in': 'x', 'out': 'bits'},"
		"{'op': 'bconv2d', 'in': 'bits', 'out': 'y', 'weight': 'weight', %s,"
		"'stride': [%zu, %zu], 'pad': [%zu, %zu, %zu, %zu], 'pad_value': %zu%s},"
		"{'op': 'concat', 'in': 'y', 'out': 'z'},"
		"{'op': 'exit', 'in': 'z', 'out': 'exit', 'weight': 'head', 'pool': 'all'}]",
		layer->rows, layer->bands, layer->inputs, transforms[layer->transform],
		layer->stride[0], layer->stride[1], layer->pad[0], layer->pad[1], layer->pad[2],
		layer->pad[3], layer->pad_value, layer->residual ? ", 'residual': 'x'" : "");
	model_builder_json(builder, "kws.graph", graph);
}

static struct kws_model *build_model(const struct bench_layer *layer)
{
	struct model_builder builder;
	struct kws_model *model;
	struct kws_error error;
	model_builder_init(&builder);
	model_builder_describe(&builder);
	add_weights(&builder, layer);
	add_graph(&builder, layer);
	int result = model_builder_parse(&builder, &model, NULL, &error);
	bench_check(result, result != 0 ? error.text : "");
	model_builder_finish(&builder);
	return model;
}

struct bench_convolution *bench_convolution_create(const struct bench_layer *layer)
{
	struct bench_convolution *convolution = allocate(1, sizeof(*convolution));
	convolution->layer = *layer;
	convolution->model = build_model(layer);
	convolution->op = &kws_model_graph(convolution->model)->ops[1];
	const struct kws_op *op = convolution->op;
	void **memory = convolution->memory;
	memory[0] = random_words(op->in.rows * kws_map_row_bytes(&op->in));
	memory[1] = random_floats(layer->rows * layer->bands * layer->inputs);
	memory[2] = allocate(op->out.rows, kws_map_row_bytes(&op->out));
	memory[3] = allocate(op->scratch_bytes, 1);
	convolution->maps = (struct kws_op_maps){
		.input = memory[0],
		.residual = layer->residual ? memory[1] : NULL,
		.output = memory[2],
	};
	return convolution;
}

void bench_convolution_destroy(struct bench_convolution *convolution)
{
	if (convolution == NULL) {
		return;
	}
	for (size_t i = 0; i < 4; i++) {
		free(convolution->memory[i]);
	}
	kws_model_destroy(convolution->model);
	free(convolution);
}

void bench_convolution_run(void *user, size_t times)
{
	const struct bench_convolution *convolution = user;
	const struct kws_op *op = convolution->op;
	for (size_t i = 0; i < times; i++) {
		op->class->run(op, &convolution->maps, 0, op->out.rows, convolution->memory[3]);
	}
}

uint64_t bench_convolution_macs(const struct bench_convolution *convolution)
{
	return convolution->op->cost.valid_macs;
}

struct bench_tile *bench_tile_create(const struct bench_convolution *convolution)
{
	struct bench_tile *bench = allocate(1, sizeof(*bench));
	struct kws_bconv *plan = &bench->plan;
	const struct bench_layer *layer = &convolution->layer;
	size_t weight_bytes = 0;
	const struct kws_spec spec = {.weight_bytes = &weight_bytes};
	const struct kws_window window = {.kernel = {layer->kernel[0], layer->kernel[1]},
		.stride = {layer->stride[0], layer->stride[1]},
		.pad = {layer->pad[0], layer->pad[1], layer->pad[2], layer->pad[3]}};
	uint32_t *weights = random_words(weight_count(layer) * sizeof(uint32_t));
	bench_check(
		kws_bconv_init(plan, convolution->op, &spec, &window, weights, layer->pad_value),
		"inner tile");
	free(weights);
	size_t columns = layer->kernel[1] + (plan->ops->positions - 1) * layer->stride[1];
	bench->tile = (struct kws_bconv_tile){
		.rows = layer->kernel[0],
		.words = layer->kernel[1] * plan->words,
		.input_step = columns * plan->words,
		.weight_step = layer->kernel[1] * plan->words * KWS_BCONV_BLOCK,
		.block_step = plan->taps * plan->words * KWS_BCONV_BLOCK,
		.blocks = plan->blocks < plan->group_blocks ? plan->blocks : plan->group_blocks,
		.positions = plan->ops->positions,
		.weights = plan->weights,
		.base = plan->base,
	};
	bench->input = random_words(layer->kernel[0] * columns * plan->words * sizeof(uint64_t));
	bench->sums =
		allocate(plan->ops->positions * plan->blocks * KWS_BCONV_BLOCK, sizeof(int32_t));
	for (size_t p = 0; p < plan->ops->positions; p++) {
		bench->tile.inputs[p] = bench->input + p * layer->stride[1] * plan->words;
	}
	return bench;
}

void bench_tile_destroy(struct bench_tile *tile)
{
	if (tile != NULL) {
		kws_bconv_finish(&tile->plan);
		free(tile->input);
		free(tile->sums);
		free(tile);
	}
}

void bench_tile_run(void *user, size_t times)
{
	const struct bench_tile *tile = user;
	for (size_t i = 0; i < times; i++) {
		tile->plan.ops->sums(&tile->tile, tile->sums);
	}
}

uint64_t bench_tile_macs(const struct bench_tile *tile)
{
	return tile->tile.positions * tile->tile.blocks * KWS_BCONV_BLOCK * tile->plan.taps *
	       tile->plan.in.channels;
}
