/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KWS_BENCH_NETWORK_H
#define KWS_BENCH_NETWORK_H

#include "bnn/model.h"

/* A model's operations outside of a net (bnn/net.h), each with a map of its own, so that some kinds
 * of them can be timed alone. Out of memory ends the program. */
struct bench_operations;

struct bench_operations *bench_operations_create(const struct kws_model *model);
void bench_operations_destroy(struct bench_operations *operations);

/* Computes every map of `window` once. */
void bench_operations_fill(struct bench_operations *operations, const float *window);

/* Computes the maps of this kind of operation again, in the order of the graph. */
struct bench_kind {
	struct bench_operations *operations;
	const char *name; /* "bconv2d" for instance */
};

#define BENCH_KINDS_MAX 12

/* The kinds of operations that there are; returns how many. */
size_t bench_kinds_find(
	struct bench_operations *operations, struct bench_kind kinds[BENCH_KINDS_MAX]);

/* An entry's run (bench/race.h); `user` is the kind. */
void bench_kind_run(void *user, size_t times);

/* Loads the model, or prints why not and returns NULL. */
struct kws_model *bench_load_model(const char *path);

/* A window of random features, [KWS_WINDOW_FRAMES][KWS_MEL_BANDS]; static. */
const float *bench_window(void);

#endif
