/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/layer.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "bench/network.h"

/* Binary layers of one section of a backbone, all on one map, with 3x3 kernels; the number of input
 * channels grows by `step` from layer to layer. Padding as in TensorFlow's SAME. */
struct section {
	const char *network;
	size_t rows;
	size_t bands;
	size_t inputs;
	size_t step;
	size_t count;
	size_t outputs;
	size_t stride;
	size_t pad_value;
	enum bench_transform transform;
};

static const struct section sections[] = {
	{"QuickNet", 25, 16, 64, 0, 1, 64, 1, 1, BENCH_RELU},
	{"QuickNet", 12, 8, 128, 0, 1, 128, 1, 1, BENCH_RELU},
	{"QuickNet", 6, 4, 256, 0, 1, 256, 1, 1, BENCH_RELU},
	{"QuickNet", 3, 2, 512, 0, 1, 512, 1, 1, BENCH_RELU},
	{"BiRealNet-18", 25, 16, 64, 0, 1, 64, 1, 0, BENCH_BATCH_NORM},
	{"BiRealNet-18", 25, 16, 64, 0, 1, 128, 2, 0, BENCH_BATCH_NORM},
	{"BiRealNet-18", 13, 8, 128, 0, 1, 128, 1, 0, BENCH_BATCH_NORM},
	{"BiRealNet-18", 13, 8, 128, 0, 1, 256, 2, 0, BENCH_BATCH_NORM},
	{"BiRealNet-18", 7, 4, 256, 0, 1, 256, 1, 0, BENCH_BATCH_NORM},
	{"BiRealNet-18", 7, 4, 256, 0, 1, 512, 2, 0, BENCH_BATCH_NORM},
	{"BiRealNet-18", 4, 2, 512, 0, 1, 512, 1, 0, BENCH_BATCH_NORM},
	{"BinaryDenseNet-28", 25, 16, 64, 64, 6, 64, 1, 0, BENCH_INT16},
	{"BinaryDenseNet-28", 12, 8, 160, 64, 6, 64, 1, 0, BENCH_INT16},
	{"BinaryDenseNet-28", 6, 4, 192, 64, 6, 64, 1, 0, BENCH_INT16},
	{"BinaryDenseNet-28", 3, 2, 256, 64, 5, 64, 1, 0, BENCH_INT16},
	/* the dense layer of block i has the channels of the improvement of block i - 1 */
	{"MeliusNet-22", 25, 16, 64, 64, 5, 64, 1, 0, BENCH_INT16},
	{"MeliusNet-22", 13, 8, 160, 64, 6, 64, 1, 0, BENCH_INT16},
	{"MeliusNet-22", 7, 4, 224, 64, 5, 64, 1, 0, BENCH_INT16},
	{"MeliusNet-22", 4, 2, 256, 64, 5, 64, 1, 0, BENCH_INT16},
};

size_t bench_layer_positions(const struct bench_layer *layer, size_t axis)
{
	const size_t *pad = &layer->pad[2 * axis];
	size_t extent = axis == 0 ? layer->rows : layer->bands;
	return (extent + pad[0] + pad[1] - layer->kernel[axis]) / layer->stride[axis] + 1;
}

/* TensorFlow's SAME: as much after as before, the odd one after. */
static void pad_same(size_t in, size_t kernel, size_t stride, size_t *pad)
{
	size_t out = (in + stride - 1) / stride;
	size_t needed = (out - 1) * stride + kernel;
	size_t total = needed > in ? needed - in : 0;
	pad[0] = total / 2;
	pad[1] = total - total / 2;
}

static struct bench_layer layer_of_section(const struct section *section, size_t index)
{
	struct bench_layer layer = {
		.rows = section->rows,
		.bands = section->bands,
		.inputs = section->inputs + index * section->step,
		.outputs = section->outputs,
		.kernel = {3, 3},
		.stride = {section->stride, section->stride},
		.pad_value = section->pad_value,
		.transform = section->transform,
	};
	snprintf(layer.network, sizeof(layer.network), "%s", section->network);
	layer.residual = section->stride == 1 && section->step == 0;
	pad_same(layer.rows, 3, section->stride, layer.pad);
	pad_same(layer.bands, 3, section->stride, layer.pad + 2);
	return layer;
}

/* All but the network. There is padding after the last member only. */
static bool same_shape(const struct bench_layer *a, const struct bench_layer *b)
{
	size_t begin = offsetof(struct bench_layer, rows);
	size_t end = offsetof(struct bench_layer, transform);
	return memcmp((const char *)a + begin, (const char *)b + begin, end - begin) == 0 &&
	       a->transform == b->transform;
}

/* Padding with +1 or with nothing is the same work for oneDNN but not for us: both are kept. */
static size_t add(
	struct bench_layer layers[BENCH_LAYERS_MAX], size_t count, const struct bench_layer *layer)
{
	for (size_t i = 0; i < count; i++) {
		if (same_shape(&layers[i], layer)) {
			return count;
		}
	}
	if (count < BENCH_LAYERS_MAX) {
		layers[count++] = *layer;
	}
	return count;
}

size_t bench_layers_of_backbones(struct bench_layer layers[BENCH_LAYERS_MAX])
{
	size_t count = 0;
	for (size_t s = 0; s < sizeof(sections) / sizeof(sections[0]); s++) {
		for (size_t i = 0; i < sections[s].count; i++) {
			struct bench_layer layer = layer_of_section(&sections[s], i);
			count = add(layers, count, &layer);
		}
	}
	return count;
}

static void read_pair(const json_t *entry, const char *key, size_t count, size_t *out)
{
	const json_t *list = json_object_get(entry, key);
	for (size_t i = 0; i < count && list != NULL; i++) {
		out[i] = (size_t)json_integer_value(json_array_get(list, i));
	}
}

static enum bench_transform transform_of(const json_t *entry)
{
	const char *act = json_string_value(json_object_get(entry, "act"));
	const char *output = json_string_value(json_object_get(entry, "output"));
	if (output != NULL && strcmp(output, "int16") == 0) {
		return BENCH_INT16;
	}
	if (act != NULL && strcmp(act, "relu") == 0) {
		return BENCH_RELU;
	}
	return json_object_get(entry, "slope") != NULL ? BENCH_PRELU : BENCH_BATCH_NORM;
}

static struct bench_layer layer_of_op(
	const struct kws_model *model, const struct kws_op *op, const json_t *entry)
{
	const json_t *pad_value = json_object_get(entry, "pad_value");
	size_t taps = op->cost.binary_weights / (op->in.channels * op->out.channels);
	struct bench_layer layer = {
		.rows = op->in.rows,
		.bands = op->in.bands,
		.inputs = op->in.channels,
		.outputs = op->out.channels,
		.kernel = {op->reach.kernel, taps / op->reach.kernel},
		.stride = {1, 1},
		.pad_value = pad_value != NULL ? (size_t)json_integer_value(pad_value) : 1,
		/* the residual of an integer layer is another map than the input */
		.residual =
			op->residual != KWS_OP_NO_RESIDUAL && transform_of(entry) != BENCH_INT16,
		.transform = transform_of(entry),
	};
	snprintf(layer.network, sizeof(layer.network), "%s", kws_model_name(model));
	read_pair(entry, "stride", 2, layer.stride);
	read_pair(entry, "pad", 4, layer.pad);
	return layer;
}

static size_t add_operations(struct bench_layer layers[BENCH_LAYERS_MAX], size_t count,
	const struct kws_model *model, const json_t *entries)
{
	const struct kws_graph *graph = kws_model_graph(model);
	size_t entry = 0; /* the input */
	for (size_t i = 0; i < graph->op_count; i++) {
		entry += graph->ops[i].class != &kws_op_bandsum; /* no file has that */
		if (graph->ops[i].class == &kws_op_bconv2d) {
			struct bench_layer layer =
				layer_of_op(model, &graph->ops[i], json_array_get(entries, entry));
			count = add(layers, count, &layer);
		}
	}
	return count;
}

size_t bench_layers_of_file(
	struct bench_layer layers[BENCH_LAYERS_MAX], size_t count, const char *path)
{
	struct kws_error error;
	struct kws_safetensors *file;
	struct kws_model *model = bench_load_model(path);
	if (model == NULL) {
		return count;
	}
	if (kws_safetensors_open(&file, path, &error) == 0) {
		const char *text = kws_safetensors_metadata(file, "kws.graph");
		json_t *entries = text != NULL ? json_loads(text, 0, NULL) : NULL;
		count = add_operations(layers, count, model, entries);
		json_decref(entries);
		kws_safetensors_close(file);
	}
	kws_model_destroy(model);
	return count;
}
