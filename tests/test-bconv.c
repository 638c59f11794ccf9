/* SPDX-License-Identifier: Apache-2.0 */
/* The binary convolution on random shapes and bits, with each set of kernels that this CPU can run:
 * small ones against a naive sum of +-1 products, larger ones with all that follows the sum against
 * plain C. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bnn/bconv-ops.h"
#include "bnn/graph.h"
#include "common/cpu.h"
#include "tests/model-builder.h"

#define TRIALS 400
#define ROWS_MAX 9
#define BANDS_MAX 7
#define CHANNELS_MAX 140
#define OUTPUTS_MAX 20
#define KERNEL_MAX 5
/* Where the answer comes from plain C instead. */
#define WIDE_TRIALS 300
#define WIDE_CHANNELS_MAX 520
#define WIDE_OUTPUTS_MAX 150
#define WIDE_ROWS_MAX 16

struct geometry {
	size_t rows, bands, channels, outputs;
	size_t kernel[2], stride[2], pad[4];
	int pad_value;
	bool transform; /* slope, scale and bias */
};

/* One random convolution with its bits as +1 and -1. */
struct trial {
	struct geometry geometry;
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

static void pick_geometry(struct geometry *geometry, unsigned *seed, size_t channels_max,
	size_t outputs_max, size_t rows_max)
{
	geometry->channels = pick(seed, 1, channels_max);
	geometry->outputs = pick(seed, 1, outputs_max);
	for (size_t axis = 0; axis < 2; axis++) {
		geometry->kernel[axis] = pick(seed, 1, KERNEL_MAX);
		geometry->stride[axis] = pick(seed, 1, 3);
		geometry->pad[2 * axis] = pick(seed, 0, geometry->kernel[axis] - 1);
		geometry->pad[2 * axis + 1] = pick(seed, 0, geometry->kernel[axis] - 1);
	}
	geometry->rows = pick(seed, geometry->kernel[0], rows_max);
	geometry->bands = pick(seed, geometry->kernel[1], BANDS_MAX);
	geometry->pad_value = (int)pick(seed, 0, 1);
	geometry->transform = false;
}

static void init_trial(struct trial *trial, unsigned *seed)
{
	pick_geometry(&trial->geometry, seed, CHANNELS_MAX, OUTPUTS_MAX, ROWS_MAX);
	fill_signs(seed, trial->input[0][0], sizeof(trial->input) / sizeof(int));
	fill_signs(seed, trial->weight[0][0][0], sizeof(trial->weight) / sizeof(int));
}

static int naive_product(
	const struct trial *trial, size_t output, size_t row, size_t band, size_t kr, size_t kb)
{
	const struct geometry *geometry = &trial->geometry;
	int sum = 0;
	int r = (int)(row * geometry->stride[0] + kr) - (int)geometry->pad[0];
	int b = (int)(band * geometry->stride[1] + kb) - (int)geometry->pad[2];
	bool inside = r >= 0 && r < (int)geometry->rows && b >= 0 && b < (int)geometry->bands;
	for (size_t c = 0; c < geometry->channels; c++) {
		int x = inside ? trial->input[r][b][c] : geometry->pad_value;
		sum += x * trial->weight[output][kr][kb][c];
	}
	return sum;
}

static int naive_sum(const struct trial *trial, size_t output, size_t row, size_t band)
{
	int sum = 0;
	for (size_t kr = 0; kr < trial->geometry.kernel[0]; kr++) {
		for (size_t kb = 0; kb < trial->geometry.kernel[1]; kb++) {
			sum += naive_product(trial, output, row, band, kr, kb);
		}
	}
	return sum;
}

/* Words of 32 channels; the caller frees them. */
static uint32_t *alloc_weights(const struct geometry *geometry, size_t *count)
{
	*count = geometry->outputs * geometry->kernel[0] * geometry->kernel[1] *
		 ((geometry->channels + 31) / 32);
	return calloc(*count, sizeof(uint32_t));
}

static uint32_t *pack_weights(const struct trial *trial)
{
	const struct geometry *geometry = &trial->geometry;
	size_t words = (geometry->channels + 31) / 32;
	size_t count;
	uint32_t *packed = alloc_weights(geometry, &count);
	for (size_t i = 0; i < count; i++) {
		size_t tap = i / words % (geometry->kernel[0] * geometry->kernel[1]);
		const int *signs =
			trial->weight[i / words / geometry->kernel[0] / geometry->kernel[1]]
				     [tap / geometry->kernel[1]][tap % geometry->kernel[1]];
		size_t first = i % words * 32;
		for (size_t c = first; c < first + 32 && c < geometry->channels; c++) {
			packed[i] |= (uint32_t)(signs[c] < 0) << c % 32;
		}
	}
	return packed;
}

static uint32_t *random_weights(const struct geometry *geometry, unsigned *seed)
{
	size_t words = (geometry->channels + 31) / 32;
	size_t count;
	uint32_t *packed = alloc_weights(geometry, &count);
	for (size_t i = 0; i < count; i++) {
		packed[i] = (uint32_t)rand_r(seed) << 16 ^ (uint32_t)rand_r(seed);
		if (i % words == words - 1 && geometry->channels % 32 != 0) {
			packed[i] &= (1u << geometry->channels % 32) - 1;
		}
	}
	return packed;
}

/* Multiples of 1/8 of both signs and 0, so that a batch norm's gamma may be any of them. */
static void add_vector(struct model_builder *builder, const char *name, size_t count, unsigned seed)
{
	float values[WIDE_OUTPUTS_MAX];
	for (size_t i = 0; i < count; i++) {
		values[i] = ((float)pick(&seed, 0, 48) - 24.0f) / 7.0f;
	}
	model_builder_tensor(
		builder, name, KWS_DTYPE_F32, (const size_t[4]){count, 0, 0, 0}, values);
}

/* A graph that takes the sign of its input and convolves it. Frees the weights. */
static void build(struct kws_graph *graph, const struct geometry *geometry, uint32_t *weights)
{
	char text[640];
	struct model_builder builder;
	struct kws_safetensors *file;
	struct kws_error error = {""};
	snprintf(text, sizeof(text),
		"[{'op':'input','out':'x','shape':[%zu,%zu,%zu]},{'op':'sign','in':'x','out':'s'},"
		"{'op':'bconv2d','in':'s','out':'b','weight':'bits','stride':[%zu,%zu],"
		"'pad':[%zu,%zu,%zu,%zu],'pad_value':%d%s},"
		"{'op':'exit','in':'b','out':'e','pool':'all','weight':'dense'}]",
		geometry->rows, geometry->bands, geometry->channels, geometry->stride[0],
		geometry->stride[1], geometry->pad[0], geometry->pad[1], geometry->pad[2],
		geometry->pad[3], geometry->pad_value,
		geometry->transform ? ",'slope':'slope','scale':'scale','bias':'bias'" : "");
	model_builder_init(&builder);
	model_builder_json(&builder, "kws.graph", text);
	model_builder_tensor(&builder, "bits", KWS_DTYPE_U32,
		(const size_t[4]){geometry->outputs, geometry->kernel[0], geometry->kernel[1],
			(geometry->channels + 31) / 32},
		weights);
	add_vector(&builder, "slope", geometry->outputs, 1);
	add_vector(&builder, "scale", geometry->outputs, 2);
	add_vector(&builder, "bias", geometry->outputs, 3);
	model_builder_floats(&builder, "dense", (const size_t[4]){2, geometry->outputs, 0, 0});
	struct model_bytes bytes = model_builder_bytes(&builder);
	model_builder_finish(&builder);
	free(weights);
	assert_int_equal(kws_safetensors_open_bytes(&file, bytes.data, bytes.size, &error), 0);
	if (kws_graph_build(graph, file, &error) != 0) {
		fail_msg("%s", error.text);
	}
	kws_safetensors_close(file);
	free(bytes.data);
}

/* The packed signs of a window; the caller frees them. */
static uint64_t *take_signs(const struct kws_graph *graph, const float *window)
{
	const struct kws_op *sign = &graph->ops[0];
	uint64_t *bits = kws_spec_alloc(sign->out.rows, kws_map_row_bytes(&sign->out));
	struct kws_op_maps maps = {.input = window, .output = bits};
	sign->class->run(sign, &maps, 0, sign->out.rows, NULL);
	return bits;
}

#define GUARD 64
#define GUARD_VALUE -12345.5f

/* The convolution's rows [begin, end) between guards, in a map of guard values; the caller frees
 * it. */
static float *convolve(const struct kws_graph *graph, const uint64_t *bits, const float *residual,
	size_t begin, size_t end)
{
	const struct kws_op *conv = &graph->ops[1];
	size_t count = conv->out.rows * kws_map_row_elements(&conv->out) + 2 * GUARD;
	float *output = kws_spec_alloc(count, sizeof(float));
	void *scratch = kws_spec_alloc(1, conv->scratch_bytes);
	for (size_t i = 0; i < count; i++) {
		output[i] = GUARD_VALUE;
	}
	struct kws_op_maps maps = {.input = bits, .residual = residual, .output = output + GUARD};
	conv->class->run(conv, &maps, begin, end, scratch);
	free(scratch);
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

static void check_trial(const struct trial *trial)
{
	const struct geometry *geometry = &trial->geometry;
	struct kws_graph graph;
	float window[ROWS_MAX * BANDS_MAX * CHANNELS_MAX];
	float *at = window;
	for (size_t r = 0; r < geometry->rows; r++) {
		for (size_t b = 0; b < geometry->bands; b++) {
			for (size_t c = 0; c < geometry->channels; c++) {
				*at++ = (float)trial->input[r][b][c];
			}
		}
	}
	build(&graph, geometry, pack_weights(trial));
	uint64_t *bits = take_signs(&graph, window);
	float *output = convolve(&graph, bits, NULL, 0, graph.ops[1].out.rows);
	assert_naive(trial, &graph.ops[1].out, output + GUARD);
	free(output);
	free(bits);
	kws_graph_finish(&graph);
}

/* Sets the CPU mask to what one set of kernels needs; false when this CPU has not got it. */
static bool use_set(const struct kws_bconv_ops *set)
{
	kws_cpu_set_mask(set->cpu_flags);
	return kws_bconv_ops_find(kws_cpu_flags()) == set;
}

static void every_set_gives_the_naive_sum(void **state)
{
	(void)state;
	static struct trial trial;
	unsigned seed = 1;
	for (int i = 0; i < TRIALS; i++) {
		init_trial(&trial, &seed);
		for (size_t set = 0; kws_bconv_sets[set] != NULL; set++) {
			if (use_set(kws_bconv_sets[set])) {
				check_trial(&trial);
			}
		}
	}
}

/* A larger convolution with all that bconv2d does to the sums. */
struct wide {
	struct geometry geometry;
	float *window;
	float *residual; /* or NULL */
	unsigned weight_seed;
	size_t begin, end; /* rows */
	size_t elements;   /* of the output with its guards */
};

static float *random_floats(size_t count, unsigned *seed)
{
	float *floats = calloc(count, sizeof(float));
	for (size_t i = 0; i < count; i++) {
		floats[i] = ((float)pick(seed, 0, 2000) - 1000.0f) / 300.0f;
	}
	return floats;
}

static void init_wide(struct wide *wide, unsigned *seed)
{
	struct geometry *geometry = &wide->geometry;
	struct kws_graph graph;
	pick_geometry(geometry, seed, WIDE_CHANNELS_MAX, WIDE_OUTPUTS_MAX, WIDE_ROWS_MAX);
	geometry->transform = true;
	wide->weight_seed = (unsigned)pick(seed, 1, 1000);
	wide->window = random_floats(geometry->rows * geometry->bands * geometry->channels, seed);
	unsigned weight_seed = wide->weight_seed;
	build(&graph, geometry, random_weights(geometry, &weight_seed));
	const struct kws_op *conv = &graph.ops[1];
	wide->begin = pick(seed, 0, conv->out.rows - 1);
	wide->end = pick(seed, wide->begin + 1, conv->out.rows);
	wide->elements = conv->out.rows * kws_map_row_elements(&conv->out) + 2 * GUARD;
	wide->residual = NULL;
	if (conv->reach.pad <= (conv->reach.kernel - 1) / 2 && pick(seed, 0, 3) != 0) {
		size_t rows = conv->out.rows + kws_op_residual_offset(conv);
		wide->residual = random_floats(rows * kws_map_row_elements(&conv->out), seed);
	}
	kws_graph_finish(&graph);
}

static void finish_wide(struct wide *wide)
{
	free(wide->window);
	free(wide->residual);
}

/* With the kernels of the mask; the caller frees it. */
static float *run_wide(const struct wide *wide)
{
	struct kws_graph graph;
	unsigned weight_seed = wide->weight_seed;
	build(&graph, &wide->geometry, random_weights(&wide->geometry, &weight_seed));
	uint64_t *bits = take_signs(&graph, wide->window);
	float *output = convolve(&graph, bits, wide->residual, wide->begin, wide->end);
	free(bits);
	kws_graph_finish(&graph);
	return output;
}

static void every_set_gives_the_bits_of_plain_c(void **state)
{
	(void)state;
	unsigned seed = 2;
	for (int i = 0; i < WIDE_TRIALS; i++) {
		struct wide wide;
		kws_cpu_set_mask(0);
		init_wide(&wide, &seed);
		float *wanted = run_wide(&wide);
		for (size_t set = 0; kws_bconv_sets[set] != NULL; set++) {
			if (use_set(kws_bconv_sets[set])) {
				float *got = run_wide(&wide);
				assert_memory_equal(got, wanted, wide.elements * sizeof(float));
				free(got);
			}
		}
		free(wanted);
		finish_wide(&wide);
	}
}

static void only_taps_inside_the_map_are_counted(void **state)
{
	(void)state;
	static const struct geometry geometry = {.rows = 3,
		.bands = 2,
		.channels = 10,
		.outputs = 7,
		.kernel = {3, 3},
		.stride = {1, 1},
		.pad = {1, 1, 1, 1}};
	struct kws_graph graph;
	unsigned seed = 3;
	build(&graph, &geometry, random_weights(&geometry, &seed));
	struct kws_op_cost cost = kws_graph_cost(&graph, 0);
	assert_int_equal(cost.binary_macs, 6 * 9 * 70);
	assert_int_equal(cost.valid_macs, (2 + 3 + 2) * (2 + 2) * 70);
	kws_graph_finish(&graph);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_set_gives_the_naive_sum),
		cmocka_unit_test(every_set_gives_the_bits_of_plain_c),
		cmocka_unit_test(only_taps_inside_the_map_are_counted),
	};
	return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
