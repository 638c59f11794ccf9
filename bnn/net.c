/* SPDX-License-Identifier: Apache-2.0 */
#include "bnn/net.h"

#include <assert.h>
#include <stdlib.h>

#include "bnn/rows.h"
#include "common/size.h"

/* Rows further apart recur too seldom for the planes that they need (bnn/rows.h); a file must not
 * ask for any number of those. */
#define KEPT_STRIDE_MAX 8

struct kws_net {
	const struct kws_graph *graph;
	const float *window;
	size_t hop_frames;
	int64_t frame;         /* of the window's first row since the last begin */
	size_t next_op;        /* operations before it are done for this window */
	struct kws_rows *maps; /* maps[0] is unused, the window takes its place */
	void *scratch;
	struct kws_net_stats stats;
};

/* Time stride of a map, in rows of the input, and those of its rows that are functions of the
 * stream: all whose receptive field lies inside the window. */
struct timing {
	size_t stride;
	struct kws_rows_span pure;
};

static struct kws_rows_span intersect(struct kws_rows_span a, struct kws_rows_span b)
{
	size_t begin = kws_size_max(a.begin, b.begin);
	size_t end = kws_size_min(a.end, b.end);
	return (struct kws_rows_span){begin, kws_size_max(begin, end)};
}

/* Only rows of the same stride shift by as much from one window to the next. */
static struct kws_rows_span join(const struct timing *known, const struct timing *other)
{
	return known->stride == other->stride ? intersect(known->pure, other->pure)
					      : (struct kws_rows_span){0, 0};
}

/* The rows of an output that see none but the rows `pure` of its input. */
static struct kws_rows_span pure_outputs(const struct kws_op *op, struct kws_rows_span pure)
{
	const struct kws_op_reach *reach = &op->reach;
	struct kws_rows_span all = {0, op->out.rows};
	if (pure.end + reach->pad < pure.begin + reach->kernel) {
		return (struct kws_rows_span){0, 0};
	}
	struct kws_rows_span seen = {
		(pure.begin + reach->pad + reach->stride - 1) / reach->stride,
		(pure.end + reach->pad - reach->kernel) / reach->stride + 1,
	};
	return intersect(all, seen);
}

/* The rows of an output whose residuals are `pure`. */
static struct kws_rows_span pure_sums(const struct kws_op *op, struct kws_rows_span pure)
{
	size_t offset = kws_op_residual_offset(op);
	return (struct kws_rows_span){
		pure.begin > offset ? pure.begin - offset : 0,
		pure.end > offset ? pure.end - offset : 0,
	};
}

static struct timing timing_of(const struct kws_op *op, const struct timing *known)
{
	struct timing out = known[op->input];
	for (size_t i = 1; i < op->input_count; i++) {
		out.pure = join(&out, &known[op->inputs[i]]);
	}
	out.stride *= op->reach.stride;
	out.pure = pure_outputs(op, out.pure);
	if (op->residual != KWS_OP_NO_RESIDUAL) {
		struct timing residual = known[op->residual];
		residual.pure = pure_sums(op, residual.pure);
		out.pure = join(&out, &residual);
	}
	return out;
}

static int allocate_maps(struct kws_net *net, struct timing *timings)
{
	const struct kws_graph *graph = net->graph;
	timings[0] = (struct timing){1, {0, graph->maps[0].rows}};
	for (size_t i = 0; i < graph->op_count; i++) {
		const struct kws_op *op = &graph->ops[i];
		struct timing timing = timing_of(op, timings);
		/* an exit sums over the window: its one row is never the next window's */
		if (op->class == &kws_op_exit || timing.stride > KEPT_STRIDE_MAX) {
			timing.pure = (struct kws_rows_span){0, 0};
		}
		if (timing.pure.begin == timing.pure.end) {
			timing.stride = 1; /* no product can overflow */
		}
		timings[op->output] = timing;
		int result = kws_rows_init(&net->maps[op->output], &op->out, timing.stride,
			timing.pure, net->hop_frames);
		if (result != 0) {
			return result;
		}
	}
	return 0;
}

static int allocate(struct kws_net *net)
{
	const struct kws_graph *graph = net->graph;
	size_t scratch_bytes = 0;
	for (size_t i = 0; i < graph->op_count; i++) {
		scratch_bytes = kws_size_max(scratch_bytes, graph->ops[i].scratch_bytes);
	}
	net->scratch = kws_spec_alloc(1, scratch_bytes);
	net->maps = calloc(graph->map_count, sizeof(*net->maps));
	struct timing *timings = calloc(graph->map_count, sizeof(*timings));
	int result = KWS_ENOMEM;
	if (net->scratch != NULL && net->maps != NULL && timings != NULL) {
		result = allocate_maps(net, timings);
	}
	free(timings);
	return result;
}

int kws_net_create(struct kws_net **out, const struct kws_model *model, size_t hop_frames)
{
	if (hop_frames == 0) {
		return KWS_EINVAL;
	}
	struct kws_net *net = calloc(1, sizeof(*net));
	if (net == NULL) {
		return KWS_ENOMEM;
	}
	net->graph = kws_model_graph(model);
	net->hop_frames = hop_frames;
	int result = allocate(net);
	if (result != 0) {
		kws_net_destroy(net);
		return result;
	}
	*out = net;
	return 0;
}

void kws_net_destroy(struct kws_net *net)
{
	if (net == NULL) {
		return;
	}
	for (size_t i = 0; net->maps != NULL && i < net->graph->map_count; i++) {
		kws_rows_finish(&net->maps[i]);
	}
	free(net->maps);
	free(net->scratch);
	free(net);
}

static void go_to(struct kws_net *net, const float *window, int64_t frame)
{
	net->window = window;
	net->frame = frame;
	net->next_op = 0;
}

void kws_net_begin(struct kws_net *net, const float *window)
{
	for (size_t i = 1; i < net->graph->map_count; i++) {
		kws_rows_reset(&net->maps[i]);
	}
	go_to(net, window, 0);
}

void kws_net_advance(struct kws_net *net, const float *window)
{
	go_to(net, window, net->frame + (int64_t)net->hop_frames);
}

static const void *map_of(const struct kws_net *net, size_t index)
{
	return index == 0 ? net->window : kws_rows_window(&net->maps[index]);
}

static void run_op(struct kws_net *net, const struct kws_op *op)
{
	struct kws_rows *output = &net->maps[op->output];
	kws_rows_seek(output, net->frame);
	struct kws_op_maps maps = {.output = kws_rows_window(output)};
	for (size_t i = 0; i < op->input_count; i++) {
		maps.inputs[i] = map_of(net, op->inputs[i]);
	}
	if (op->residual != KWS_OP_NO_RESIDUAL) {
		maps.residual = map_of(net, op->residual);
	}
	struct kws_rows_span missing[2];
	size_t spans = kws_rows_missing(output, missing);
	for (size_t i = 0; i < spans; i++) {
		size_t rows = missing[i].end - missing[i].begin;
		op->class->run(op, &maps, missing[i].begin, missing[i].end, net->scratch);
		net->stats.rows += rows;
		net->stats.binary_macs += op->cost.binary_macs * rows;
		net->stats.float_macs += op->cost.float_macs * rows;
	}
	kws_rows_written(output, missing, spans);
}

const float *kws_net_run_exit(struct kws_net *net, size_t exit)
{
	assert(net->window != NULL && exit < net->graph->exit_count);
	size_t last = net->graph->exit_ops[exit];
	for (; net->next_op <= last; net->next_op++) {
		const struct kws_op *op = &net->graph->ops[net->next_op];
		if (op->exit < 0 || op->exit == (int)exit) {
			run_op(net, op);
		}
	}
	return map_of(net, net->graph->ops[last].output);
}

struct kws_net_stats kws_net_stats(const struct kws_net *net)
{
	return net->stats;
}

const struct kws_graph *kws_net_graph(const struct kws_net *net)
{
	return net->graph;
}

size_t kws_net_hop_frames(const struct kws_net *net)
{
	return net->hop_frames;
}

const struct kws_rows *kws_net_rows(const struct kws_net *net, size_t map)
{
	return &net->maps[map];
}
