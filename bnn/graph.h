/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KWS_BNN_GRAPH_H
#define KWS_BNN_GRAPH_H

#include <stddef.h>

#include "bnn/op.h"
#include "bnn/safetensors.h"
#include "common/error.h"

/* The operations of `kws.graph`, checked and with their weights packed. Immutable once built: any
 * number of threads may run it, each with its own memory for the maps (bnn/net.h). */

#define KWS_EXITS_MAX 8
#define KWS_CLASSES_MAX 256

struct kws_graph {
	struct kws_map_shape *maps; /* maps[0] is the input */
	size_t map_count;
	struct kws_op *ops; /* in topological order; the last one is the last exit */
	size_t op_count;
	size_t exit_ops[KWS_EXITS_MAX]; /* index in ops of each exit, shallowest first */
	size_t exit_count;
	size_t classes; /* of every exit */
};

/* Builds the graph of an open file. The file may be closed afterwards: weights are copied in the
 * order in which the kernels read them, KWS_WEIGHT_BYTES_MAX at most. Errors: KWS_EFORMAT,
 * KWS_EUNSUPPORTED, KWS_ENOMEM with a sentence; nothing is left behind then. Thread: any. */
int kws_graph_build(
	struct kws_graph *graph, const struct kws_safetensors *file, struct kws_error *error);

/* Frees what build allocated; a zeroed graph is fine. */
void kws_graph_finish(struct kws_graph *graph);

/* What a whole window costs from the input to this exit, the shallower exits included. */
struct kws_op_cost kws_graph_cost(const struct kws_graph *graph, size_t exit);

#endif
