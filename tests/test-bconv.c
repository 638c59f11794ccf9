/* SPDX-License-Identifier: Apache-2.0 */
/* The binary convolution against a naive sum of +-1 products, on random shapes and bits. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include "bnn/graph.h"
#include "tests/model-builder.h"

#define TRIALS 400
#define ROWS_MAX 9
#define BANDS_MAX 7
#define CHANNELS_MAX 140
#define OUTPUTS_MAX 20
#define KERNEL_MAX 5

/* One random convolution: geometry, bits as +1 and -1, and the answer. */
struct trial {
	size_t rows, bands, channels, outputs;
	size_t kernel[2], stride[2], pad[4];
	int pad_value;
	int input[ROWS_MAX][BANDS_MAX][CHANNELS_MAX];
	int weight[OUTPUTS_MAX][KERNEL_MAX][KERNEL_MAX][CHANNELS_MAX];
};

static size_t pick(unsigned *seed, size_t lowest, size_t highest)
{
	return lowest + (size_t)rand_r(seed) % (highest - lowest + 1);
}

/* All alike in half of the trials, so that all bits agree or differ: the counters' extremes. */
static void fill_signs(unsigned *seed, int *signs, size_t count)
{
	size_t same = pick(seed, 0, 3); /* 0: all +1, 1: all -1 */
	for (size_t i = 0; i < count; i++) {
		signs[i] = (same < 2 ? same : pick(seed, 0, 1)) == 0 ? 1 : -1;
	}
}

static void init_trial(struct trial *trial, unsigned *seed)
{
	trial->channels = pick(seed, 1, CHANNELS_MAX);
	trial->outputs = pick(seed, 1, OUTPUTS_MAX);
	for (size_t axis = 0; axis < 2; axis++) {
		trial->kernel[axis] = pick(seed, 1, KERNEL_MAX);
		trial->stride[axis] = pick(seed, 1, 3);
		trial->pad[2 * axis] = pick(seed, 0, trial->kernel[axis] - 1);
		trial->pad[2 * axis + 1] = pick(seed, 0, trial->kernel[axis] - 1);
	}
	trial->rows = pick(seed, trial->kernel[0], ROWS_MAX);
	trial->bands = pick(seed, trial->kernel[1], BANDS_MAX);
	trial->pad_value = (int)pick(seed, 0, 1);
	fill_signs(seed, trial->input[0][0], sizeof(trial->input) / sizeof(int));
	fill_signs(seed, trial->weight[0][0][0], sizeof(trial->weight) / sizeof(int));
}

static int naive_product(
	const struct trial *trial, size_t output, size_t row, size_t band, size_t kr, size_t kb)
{
	int sum = 0;
	int r = (int)(row * trial->stride[0] + kr) - (int)trial->pad[0];
	int b = (int)(band * trial->stride[1] + kb) - (int)trial->pad[2];
	bool inside = r >= 0 && r < (int)trial->rows && b >= 0 && b < (int)trial->bands;
	for (size_t c = 0; c < trial->channels; c++) {
		int x = inside ? trial->input[r][b][c] : trial->pad_value;
		sum += x * trial->weight[output][kr][kb][c];
	}
	return sum;
}

static int naive_sum(const struct trial *trial, size_t output, size_t row, size_t band)
{
	int sum = 0;
	for (size_t kr = 0; kr < trial->kernel[0]; kr++) {
		for (size_t kb = 0; kb < trial->kernel[1]; kb++) {
			sum += naive_product(trial, output, row, band, kr, kb);
		}
	}
	return sum;
}

static void add_weight(struct model_builder *builder, const struct trial *trial)
{
	static uint32_t packed[OUTPUTS_MAX * KERNEL_MAX * KERNEL_MAX * (CHANNELS_MAX / 32 + 1)];
	size_t words = (trial->channels + 31) / 32;
	size_t at = 0;
	for (size_t o = 0; o < trial->outputs; o++) {
		for (size_t tap = 0; tap < trial->kernel[0] * trial->kernel[1]; tap++) {
			const int *signs =
				trial->weight[o][tap / trial->kernel[1]][tap % trial->kernel[1]];
			for (size_t w = 0; w < words; w++, at++) {
				packed[at] = 0;
				for (size_t c = 32 * w; c < 32 * w + 32 && c < trial->channels;
					c++) {
					packed[at] |= (uint32_t)(signs[c] < 0) << c % 32;
				}
			}
		}
	}
	model_builder_tensor(builder, "bits", KWS_DTYPE_U32,
		(const size_t[4]){trial->outputs, trial->kernel[0], trial->kernel[1], words},
		packed);
}

/* A graph that takes the sign of its input and convolves it. */
static void build(struct kws_graph *graph, const struct trial *trial)
{
	char text[640];
	struct model_builder builder;
	struct kws_safetensors *file;
	struct kws_error error = {""};
	snprintf(text, sizeof(text),
		"[{'op':'input','out':'x','shape':[%zu,%zu,%zu]},{'op':'sign','in':'x','out':'s'},"
		"{'op':'bconv2d','in':'s','out':'b','weight':'bits','stride':[%zu,%zu],"
		"'pad':[%zu,%zu,%zu,%zu],'pad_value':%d},"
		"{'op':'exit','in':'b','out':'e','pool':'all','weight':'dense'}]",
		trial->rows, trial->bands, trial->channels, trial->stride[0], trial->stride[1],
		trial->pad[0], trial->pad[1], trial->pad[2], trial->pad[3], trial->pad_value);
	model_builder_init(&builder);
	model_builder_json(&builder, "kws.graph", text);
	add_weight(&builder, trial);
	model_builder_floats(&builder, "dense", (const size_t[4]){2, trial->outputs, 0, 0});
	struct model_bytes bytes = model_builder_bytes(&builder);
	model_builder_finish(&builder);
	assert_int_equal(kws_safetensors_open_bytes(&file, bytes.data, bytes.size, &error), 0);
	if (kws_graph_build(graph, file, &error) != 0) {
		fail_msg("%s", error.text);
	}
	kws_safetensors_close(file);
	free(bytes.data);
}

/* Runs the sign and the convolution; the caller frees the output. */
static float *run(const struct kws_graph *graph, const struct trial *trial)
{
	const struct kws_op *sign = &graph->ops[0];
	const struct kws_op *conv = &graph->ops[1];
	float *window = calloc(trial->rows * trial->bands * trial->channels, sizeof(float));
	void *bits = calloc(sign->out.rows, kws_map_row_bytes(&sign->out));
	float *output = calloc(conv->out.rows, kws_map_row_bytes(&conv->out));
	void *scratch = malloc(conv->scratch_bytes);
	size_t at = 0;
	for (size_t r = 0; r < trial->rows; r++) {
		for (size_t b = 0; b < trial->bands; b++) {
			for (size_t c = 0; c < trial->channels; c++) {
				window[at++] = (float)trial->input[r][b][c];
			}
		}
	}
	struct kws_op_maps maps = {.input = window, .output = bits};
	sign->class->run(sign, &maps, 0, sign->out.rows, NULL);
	maps = (struct kws_op_maps){.input = bits, .output = output};
	conv->class->run(conv, &maps, 0, conv->out.rows, scratch);
	free(scratch);
	free(bits);
	free(window);
	return output;
}

static void assert_naive(
	const struct trial *trial, const struct kws_map_shape *out, const float *got)
{
	for (size_t r = 0; r < out->rows; r++) {
		for (size_t b = 0; b < out->bands; b++) {
			for (size_t o = 0; o < out->channels; o++, got++) {
				assert_true(*got == (float)naive_sum(trial, o, r, b));
			}
		}
	}
}

static void equals_the_naive_sum(void **state)
{
	(void)state;
	static struct trial trial;
	unsigned seed = 1;
	for (int i = 0; i < TRIALS; i++) {
		struct kws_graph graph;
		init_trial(&trial, &seed);
		build(&graph, &trial);
		float *output = run(&graph, &trial);
		assert_naive(&trial, &graph.ops[1].out, output);
		free(output);
		kws_graph_finish(&graph);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(equals_the_naive_sum),
	};
	return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
