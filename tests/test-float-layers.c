/* SPDX-License-Identifier: Apache-2.0 */
/* The float operations of a graph against loops over every tap, bit for bit, on random shapes,
 * groups, strides and paddings. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bnn/graph.h"
#include "tests/cpu-mask.h"
#include "tests/model-builder.h"

#define TRIALS 400
#define VALUES_MAX 65536

/* One random network: a convolution and both poolings of the input, then an exit. */
struct trial {
	struct kws_map_shape in;
	struct kws_window window;
	size_t groups;
	size_t group_in;
	size_t outputs;
	size_t classes;
	bool relu;
	bool pool_bands;
	float input[VALUES_MAX];
	float weight[VALUES_MAX]; /* [row][band][channel of a group][output] */
	float bias[256];
	float dense[VALUES_MAX]; /* [class][feature] */
	float dense_bias[64];
};

static size_t pick(unsigned *seed, size_t lowest, size_t highest)
{
	return lowest + (size_t)rand_r(seed) % (highest - lowest + 1);
}

static void fill(unsigned *seed, float *values, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		values[i] = (float)rand_r(seed) / (float)RAND_MAX * 2.0f - 1.0f;
	}
}

static void init_window(struct trial *trial, unsigned *seed)
{
	for (size_t axis = 0; axis < 2; axis++) {
		size_t kernel = pick(seed, 0, 2) == 0 ? 1 : pick(seed, 1, 5);
		trial->window.kernel[axis] = kernel;
		trial->window.stride[axis] = pick(seed, 1, 3);
		trial->window.pad[2 * axis] = pick(seed, 0, kernel - 1);
		trial->window.pad[2 * axis + 1] = pick(seed, 0, kernel - 1);
	}
}

static void init_trial(struct trial *trial, unsigned *seed)
{
	init_window(trial, seed);
	trial->groups = pick(seed, 0, 1) == 0 ? 1 : pick(seed, 2, 20);
	trial->group_in = pick(seed, 0, 1) == 0 ? 1 : pick(seed, 2, 5);
	static const size_t group_outputs[] = {1, 2, 5, 8, 10};
	trial->outputs = trial->groups * group_outputs[pick(seed, 0, 4)];
	trial->in = (struct kws_map_shape){
		.rows = trial->window.kernel[0] + pick(seed, 0, 4),
		.bands = trial->window.kernel[1] + pick(seed, 0, 12),
		.channels = trial->groups * trial->group_in,
	};
	trial->classes = pick(seed, 1, 36); /* with 1700 features at most */
	trial->relu = pick(seed, 0, 1) == 1;
	trial->pool_bands = pick(seed, 0, 1) == 1;
	fill(seed, trial->input, VALUES_MAX);
	fill(seed, trial->weight, VALUES_MAX);
	fill(seed, trial->dense, VALUES_MAX);
	fill(seed, trial->bias, 256);
	fill(seed, trial->dense_bias, 64);
}

static size_t features_of(const struct trial *trial)
{
	return trial->in.channels * (trial->pool_bands ? 1 : trial->in.bands);
}

static void add_tensors(struct model_builder *builder, const struct trial *trial)
{
	const size_t weight[4] = {
		trial->window.kernel[0], trial->window.kernel[1], trial->group_in, trial->outputs};
	const size_t dense[4] = {trial->classes, features_of(trial), 0, 0};
	model_builder_tensor(builder, "weight", KWS_DTYPE_F32, weight, trial->weight);
	model_builder_tensor(builder, "bias", KWS_DTYPE_F32,
		(const size_t[4]){trial->outputs, 0, 0, 0}, trial->bias);
	model_builder_tensor(builder, "dense", KWS_DTYPE_F32, dense, trial->dense);
	model_builder_tensor(builder, "dense_bias", KWS_DTYPE_F32,
		(const size_t[4]){trial->classes, 0, 0, 0}, trial->dense_bias);
}

static void build(struct kws_graph *graph, const struct trial *trial)
{
	char text[1024];
	char window[128];
	struct model_builder builder;
	struct kws_safetensors *file;
	struct kws_error error = {""};
	const struct kws_window *w = &trial->window;
	const char *act = trial->relu ? "relu" : "none";
	snprintf(window, sizeof(window), "'stride':[%zu,%zu],'pad':[%zu,%zu,%zu,%zu]", w->stride[0],
		w->stride[1], w->pad[0], w->pad[1], w->pad[2], w->pad[3]);
	snprintf(text, sizeof(text),
		"[{'op':'input','out':'x','shape':[%zu,%zu,%zu]},"
		"{'op':'conv2d','in':'x','out':'c','weight':'weight','bias':'bias','groups':%zu,"
		"'act':'%s',%s},"
		"{'op':'maxpool2d','in':'x','out':'m','kernel':[%zu,%zu],'act':'%s',%s},"
		"{'op':'avgpool2d','in':'x','out':'a','kernel':[%zu,%zu],%s},"
		"{'op':'exit','in':'x','out':'e','pool':'%s','act':'%s','weight':'dense',"
		"'bias':'dense_bias'}]",
		trial->in.rows, trial->in.bands, trial->in.channels, trial->groups, act, window,
		w->kernel[0], w->kernel[1], act, window, w->kernel[0], w->kernel[1], window,
		trial->pool_bands ? "all" : "time", act);
	model_builder_init(&builder);
	model_builder_json(&builder, "kws.graph", text);
	add_tensors(&builder, trial);
	struct model_bytes bytes = model_builder_bytes(&builder);
	model_builder_finish(&builder);
	assert_int_equal(kws_safetensors_open_bytes(&file, bytes.data, bytes.size, &error), 0);
	if (kws_graph_build(graph, file, &error) != 0) {
		fail_msg("%s", error.text);
	}
	kws_safetensors_close(file);
	free(bytes.data);
}

static float rectify(const struct trial *trial, float x)
{
	return trial->relu && !(x > 0.0f) ? 0.0f : x;
}

/* The input under tap (kr, kb) of the window at (row, band), or NULL in the padding. */
static const float *tap_of(const struct trial *trial, size_t row, size_t band, size_t kr, size_t kb)
{
	const struct kws_window *window = &trial->window;
	size_t r = row * window->stride[0] + kr;
	size_t b = band * window->stride[1] + kb;
	if (r < window->pad[0] || r - window->pad[0] >= trial->in.rows || b < window->pad[2] ||
		b - window->pad[2] >= trial->in.bands) {
		return NULL;
	}
	return trial->input +
	       ((r - window->pad[0]) * trial->in.bands + b - window->pad[2]) * trial->in.channels;
}

typedef float naive(const struct trial *trial, size_t row, size_t band, size_t channel);

static float naive_conv(const struct trial *trial, size_t row, size_t band, size_t output)
{
	float sum = trial->bias[output];
	size_t first = output / (trial->outputs / trial->groups) * trial->group_in;
	for (size_t tap = 0; tap < trial->window.kernel[0] * trial->window.kernel[1]; tap++) {
		const float *x = tap_of(trial, row, band, tap / trial->window.kernel[1],
			tap % trial->window.kernel[1]);
		for (size_t i = 0; x != NULL && i < trial->group_in; i++) {
			size_t at = (tap * trial->group_in + i) * trial->outputs + output;
			float product = x[first + i] * trial->weight[at];
			sum += product;
		}
	}
	return rectify(trial, sum);
}

static float naive_max(const struct trial *trial, size_t row, size_t band, size_t channel)
{
	const float *most = NULL;
	for (size_t tap = 0; tap < trial->window.kernel[0] * trial->window.kernel[1]; tap++) {
		const float *x = tap_of(trial, row, band, tap / trial->window.kernel[1],
			tap % trial->window.kernel[1]);
		if (x != NULL && (most == NULL || x[channel] > *most)) {
			most = &x[channel];
		}
	}
	assert_non_null(most);
	return rectify(trial, *most);
}

static float naive_mean(const struct trial *trial, size_t row, size_t band, size_t channel)
{
	float sum = 0.0f;
	float count = 0.0f;
	for (size_t tap = 0; tap < trial->window.kernel[0] * trial->window.kernel[1]; tap++) {
		const float *x = tap_of(trial, row, band, tap / trial->window.kernel[1],
			tap % trial->window.kernel[1]);
		if (x != NULL) {
			sum += x[channel];
			count += 1.0f;
		}
	}
	return sum / count;
}

static void naive_exit(const struct trial *trial, float *logits)
{
	size_t features = features_of(trial);
	size_t groups = trial->in.bands * trial->in.channels / features;
	memcpy(logits, trial->dense_bias, trial->classes * sizeof(float));
	for (size_t f = 0; f < features; f++) {
		float total = 0.0f;
		for (size_t r = 0; r < trial->in.rows; r++) {
			const float *row = trial->input + r * groups * features;
			float sum = 0.0f;
			for (size_t g = 0; g < groups; g++) {
				sum += rectify(trial, row[g * features + f]);
			}
			total += sum;
		}
		float mean = total / (float)(trial->in.rows * groups);
		for (size_t c = 0; c < trial->classes; c++) {
			float product = mean * trial->dense[c * features + f];
			logits[c] += product;
		}
	}
}

/* Runs the operation in two parts, as a stream would; the caller frees the output. */
static float *run(const struct kws_op *op, const float *input)
{
	float *output = calloc(op->out.rows, kws_map_row_bytes(&op->out));
	void *scratch = kws_spec_alloc(1, op->scratch_bytes);
	struct kws_op_maps maps = {.output = output};
	size_t half = op->out.rows / 2;
	maps.inputs[0] = input;
	assert_non_null(output);
	assert_non_null(scratch);
	if (half > 0) {
		op->class->run(op, &maps, 0, half, scratch);
	}
	op->class->run(op, &maps, half, op->out.rows, scratch);
	free(scratch);
	return output;
}

static void assert_map(const struct kws_op *op, const struct trial *trial, naive *wanted_of)
{
	float *output = run(op, trial->input);
	const float *got = output;
	for (size_t r = 0; r < op->out.rows; r++) {
		for (size_t b = 0; b < op->out.bands; b++) {
			for (size_t c = 0; c < op->out.channels; c++, got++) {
				float wanted = wanted_of(trial, r, b, c);
				if (memcmp(got, &wanted, sizeof(wanted)) != 0) {
					fail_msg("%s: row %zu, band %zu, channel %zu is %a, wanted "
						 "%a",
						op->class->name, r, b, c, (double)*got,
						(double)wanted);
				}
			}
		}
	}
	free(output);
}

/* The last operation, or the last two. */
static void assert_exit(const struct kws_graph *graph, const struct trial *trial)
{
	float wanted[KWS_CLASSES_MAX];
	const struct kws_op *exit = &graph->ops[graph->op_count - 1];
	bool split = exit[-1].class == &kws_op_bandsum;
	float *sums = split ? run(&exit[-1], trial->input) : NULL;
	float *output = run(exit, split ? sums : trial->input);
	assert_true(split == (trial->pool_bands && trial->in.bands > 1));
	naive_exit(trial, wanted);
	assert_memory_equal(output, wanted, trial->classes * sizeof(float));
	free(sums);
	free(output);
}

static void equals_the_naive_loops(void **state)
{
	(void)state;
	static struct trial trial;
	unsigned seed = 1;
	for (int i = 0; i < TRIALS; i++) {
		struct kws_graph graph;
		init_trial(&trial, &seed);
		build(&graph, &trial);
		assert_map(&graph.ops[0], &trial, naive_conv);
		assert_map(&graph.ops[1], &trial, naive_max);
		assert_map(&graph.ops[2], &trial, naive_mean);
		assert_exit(&graph, &trial);
		kws_graph_finish(&graph);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(equals_the_naive_loops),
	};
	if (!take_cpu_mask()) {
		return TEST_SKIPPED;
	}
	return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
