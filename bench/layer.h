/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KWS_BENCH_LAYER_H
#define KWS_BENCH_LAYER_H

#include <stddef.h>

/* What becomes of the sums. */
enum bench_transform {
	BENCH_BATCH_NORM,
	BENCH_RELU, /* and batch norm */
	BENCH_PRELU,
	BENCH_INT16, /* nothing: they are the output */
};

/* The shape of a binary convolution. */
struct bench_layer {
	char network[24];
	size_t rows; /* of the input */
	size_t bands;
	size_t inputs; /* channels */
	size_t outputs;
	size_t kernel[2]; /* rows, bands */
	size_t stride[2];
	size_t pad[4]; /* rows before, rows after, bands before, bands after */
	size_t pad_value;
	size_t residual; /* 1: the input map is added */
	enum bench_transform transform;
};

#define BENCH_LAYERS_MAX 128

/* Fills `layers` with every shape of the four backbones (larq zoo: QuickNet, BiRealNet-18,
 * BinaryDenseNet-28, MeliusNet-22; windows of 98 x 64), each once, and returns how many. */
size_t bench_layers_of_backbones(struct bench_layer layers[BENCH_LAYERS_MAX]);

/* Adds the shapes of a model file that are not there yet; returns the new count. Prints why when
 * the file cannot be read. */
size_t bench_layers_of_file(
	struct bench_layer layers[BENCH_LAYERS_MAX], size_t count, const char *path);

/* Positions of the output along axis 0 (rows) or 1 (bands). */
size_t bench_layer_positions(const struct bench_layer *layer, size_t axis);

#endif
