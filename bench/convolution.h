/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KWS_BENCH_CONVOLUTION_H
#define KWS_BENCH_CONVOLUTION_H

#include <stdint.h>

#include "bench/layer.h"

/* A layer as our engine computes it, with random weights and input. Out of memory ends the program.
 */
struct bench_convolution;

/* With the kernels that the CPU mask (common/cpu.h) allows now. */
struct bench_convolution *bench_convolution_create(const struct bench_layer *layer);

/* Accepts NULL. */
void bench_convolution_destroy(struct bench_convolution *convolution);

/* An entry's run (bench/race.h): the whole operation with borders, activation, batch norm and
 * residual. `user` is the convolution. */
void bench_convolution_run(void *user, size_t times);

/* Binary multiply-accumulates of one run, without the taps on padding, which cost nothing. */
uint64_t bench_convolution_macs(const struct bench_convolution *convolution);

/* The inner tile of a layer alone: as many positions as the kernels take at once, all taps inside
 * the map, for the outputs whose weights the engine keeps in the first-level cache together. */
struct bench_tile;

/* With the kernels that the CPU mask allows now. */
struct bench_tile *bench_tile_create(const struct bench_convolution *convolution);

/* Accepts NULL. */
void bench_tile_destroy(struct bench_tile *tile);

/* An entry's run; `user` is the tile. */
void bench_tile_run(void *user, size_t times);

uint64_t bench_tile_macs(const struct bench_tile *tile);

#endif
