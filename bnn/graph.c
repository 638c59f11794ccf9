/* SPDX-License-Identifier: Apache-2.0 */
#include "bnn/graph.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/json.h"

#define OPS_MAX 1024
/* An exit may be two operations; one exit too many is refused when it is there. */
#define MAPS_MAX (OPS_MAX + KWS_EXITS_MAX + 1)
/* Of all maps together: three times what the largest backbone of the paper needs. A stream keeps
 * some of them several times (bnn/net.c). */
#define MAPS_BYTES_MAX (16u << 20)

/* While building: the names of the maps, which belong to the JSON text; NULL: no file names it. */
struct builder {
	struct kws_graph *graph;
	const char *names[MAPS_MAX];
	size_t map_bytes;
	size_t weight_bytes;
	struct kws_spec spec;
};

static const struct kws_op_class *const classes[] = {
	&kws_op_conv2d,
	&kws_op_sign,
	&kws_op_bconv2d,
	&kws_op_maxpool2d,
	&kws_op_avgpool2d,
	&kws_op_concat,
	&kws_op_exit,
};

/* Of extents below KWS_EXTENT_MAX; in 64 bits, as the product may be more than a size_t holds. */
static uint64_t map_bytes(const struct kws_map_shape *shape)
{
	struct kws_map_shape position = {shape->type, 1, 1, shape->channels};
	return (uint64_t)kws_map_row_bytes(&position) * shape->bands * shape->rows;
}

static int check_map(struct builder *builder, const struct kws_map_shape *shape)
{
	const struct kws_spec *spec = &builder->spec;
	if (shape->rows == 0 || shape->bands == 0 || shape->channels == 0) {
		return kws_spec_fail(spec, KWS_EFORMAT,
			"the window does not fit into the input: no rows are left");
	}
	if (shape->rows >= KWS_EXTENT_MAX || shape->bands >= KWS_EXTENT_MAX ||
		shape->channels >= KWS_EXTENT_MAX ||
		map_bytes(shape) > MAPS_BYTES_MAX - builder->map_bytes) {
		return kws_spec_fail(spec, KWS_EUNSUPPORTED, "the maps are too large");
	}
	builder->map_bytes += (size_t)map_bytes(shape);
	return 0;
}

/* An exit's answer is no input: an exit that is passed over has none. */
static bool is_answer(const struct kws_graph *graph, size_t map)
{
	for (size_t i = 0; i < graph->exit_count; i++) {
		if (graph->ops[graph->exit_ops[i]].output == map) {
			return true;
		}
	}
	return false;
}

static bool is_named(const struct builder *builder, size_t map, const char *name)
{
	return builder->names[map] != NULL && strcmp(builder->names[map], name) == 0;
}

static int find_map(
	const struct builder *builder, const char *key, const json_t *json, size_t *index)
{
	const char *name = json_string_value(json);
	if (name == NULL) {
		return kws_spec_fail(&builder->spec, KWS_EFORMAT, "'%s' must name a map", key);
	}
	for (size_t i = 0; i < builder->graph->map_count; i++) {
		if (!is_named(builder, i, name)) {
			continue;
		}
		if (is_answer(builder->graph, i)) {
			return kws_spec_fail(&builder->spec, KWS_EFORMAT,
				"'%s' is '%.64s', the answer of an exit", key, name);
		}
		*index = i;
		return 0;
	}
	return kws_spec_fail(&builder->spec, KWS_EFORMAT,
		"'%s' is '%.64s', which no earlier operation makes", key, name);
}

/* `name` NULL: for no other operation */
static int add_map(
	struct builder *builder, const struct kws_map_shape *shape, const char *name, size_t *index)
{
	int result = check_map(builder, shape);
	for (size_t i = 0; name != NULL && result == 0 && i < builder->graph->map_count; i++) {
		if (is_named(builder, i, name)) {
			result = kws_spec_fail(&builder->spec, KWS_EFORMAT,
				"there are two maps named '%.64s'", name);
		}
	}
	if (result == 0) {
		*index = builder->graph->map_count++;
		builder->names[*index] = name;
		builder->graph->maps[*index] = *shape;
	}
	return result;
}

static int add_named_map(struct builder *builder, const struct kws_map_shape *shape, size_t *index)
{
	const char *name;
	int result = kws_spec_string(&builder->spec, "out", NULL, &name);
	return result == 0 ? add_map(builder, shape, name, index) : result;
}

static int build_input(struct builder *builder)
{
	const char *op;
	size_t shape[3];
	size_t index;
	int result = kws_spec_string(&builder->spec, "op", NULL, &op);
	if (result == 0 && strcmp(op, "input") != 0) {
		return kws_spec_fail(
			&builder->spec, KWS_EFORMAT, "the first entry must be the input");
	}
	if (result == 0) {
		result = kws_spec_sizes(&builder->spec, "shape", 3, 0, shape);
	}
	if (result != 0) {
		return result;
	}
	if (shape[0] == 0 || shape[1] == 0 || shape[2] == 0) {
		return kws_spec_fail(
			&builder->spec, KWS_EFORMAT, "'shape' must be a list of 3 integers from 1");
	}
	struct kws_map_shape map = {KWS_MAP_FLOAT, shape[0], shape[1], shape[2]};
	return add_named_map(builder, &map, &index);
}

static int link_input(struct builder *builder, struct kws_op *op, const json_t *json)
{
	size_t *index = &op->inputs[op->input_count];
	int result = find_map(builder, "in", json, index);
	if (result != 0) {
		return result;
	}
	const struct kws_map_shape *map = &builder->graph->maps[*index];
	if (op->class->joins && map->type == KWS_MAP_BITS) {
		return kws_spec_fail(
			&builder->spec, KWS_EFORMAT, "needs inputs of the types float or int16");
	}
	op->slices[op->input_count] = *map;
	if (op->input_count++ == 0) {
		op->in = *map;
		return 0;
	}
	op->in.channels += map->channels;
	if (map->rows != op->in.rows || map->bands != op->in.bands) {
		return kws_spec_fail(
			&builder->spec, KWS_EFORMAT, "the inputs differ in rows or bands");
	}
	return op->in.channels < KWS_EXTENT_MAX
		       ? 0
		       : kws_spec_fail(&builder->spec, KWS_EUNSUPPORTED, "the maps are too large");
}

/* 'in' is a name, or for classes that join a list of names. */
static int link_inputs(struct builder *builder, struct kws_op *op)
{
	const json_t *in = json_object_get(builder->spec.json, "in");
	if (!op->class->joins || !json_is_array(in)) {
		return link_input(builder, op, in);
	}
	size_t count = json_array_size(in);
	if (count == 0 || count > KWS_OP_INPUTS_MAX) {
		return kws_spec_fail(&builder->spec, KWS_EUNSUPPORTED,
			"'in' must list 1 to %d maps", KWS_OP_INPUTS_MAX);
	}
	int result = 0;
	for (size_t i = 0; result == 0 && i < count; i++) {
		result = link_input(builder, op, json_array_get(in, i));
	}
	return result;
}

/* The sum of two int16 maps must fit. Operation i makes map i + 1. */
static int add_limits(struct builder *builder, struct kws_op *op)
{
	op->limit += builder->graph->ops[op->residual - 1].limit;
	return op->limit <= INT16_MAX ? 0
				      : kws_spec_fail(&builder->spec, KWS_EUNSUPPORTED,
						"the sums do not fit into int16");
}

/* An addition needs the same type, bands and channels, and the rows around the output's. */
static int link_residual(struct builder *builder, struct kws_op *op)
{
	const json_t *residual = json_object_get(builder->spec.json, "residual");
	if (residual == NULL) {
		return 0;
	}
	int result = find_map(builder, "residual", residual, &op->residual);
	if (result != 0) {
		return result;
	}
	const struct kws_map_shape *map = &builder->graph->maps[op->residual];
	if (op->class != &kws_op_bconv2d || map->type != op->out.type ||
		map->bands != op->out.bands || map->channels != op->out.channels ||
		(op->reach.stride == 1 && op->reach.pad > (op->reach.kernel - 1) / 2) ||
		map->rows < op->out.rows + kws_op_residual_offset(op)) {
		return kws_spec_fail(&builder->spec, KWS_EFORMAT,
			"the residual does not have the output's shape");
	}
	return map->type == KWS_MAP_INT16 ? add_limits(builder, op) : 0;
}

static int link_exit(struct builder *builder, struct kws_op *op)
{
	struct kws_graph *graph = builder->graph;
	if (graph->exit_count == KWS_EXITS_MAX || op->out.channels > KWS_CLASSES_MAX) {
		return kws_spec_fail(&builder->spec, KWS_EUNSUPPORTED,
			"more than %d exits or %d classes", KWS_EXITS_MAX, KWS_CLASSES_MAX);
	}
	if (graph->exit_count > 0 && op->out.channels != graph->classes) {
		return kws_spec_fail(
			&builder->spec, KWS_EFORMAT, "the exits differ in their number of classes");
	}
	graph->classes = op->out.channels;
	op->exit = (int)graph->exit_count;
	graph->exit_ops[graph->exit_count++] = graph->op_count - 1;
	return 0;
}

/* NULL, with the error's sentence set, if there is none. */
static const struct kws_op_class *find_class(struct builder *builder, int *result)
{
	const char *name;
	*result = kws_spec_string(&builder->spec, "op", NULL, &name);
	for (size_t i = 0; *result == 0 && i < sizeof(classes) / sizeof(classes[0]); i++) {
		if (strcmp(name, classes[i]->name) == 0) {
			return classes[i];
		}
	}
	if (*result == 0) {
		*result = kws_spec_fail(
			&builder->spec, KWS_EUNSUPPORTED, "there is no such operation");
	}
	return NULL;
}

/* The next operation; from here on finish() frees its state. */
static struct kws_op *add_op(struct builder *builder, const struct kws_op_class *class)
{
	struct kws_op *op = &builder->graph->ops[builder->graph->op_count++];
	op->class = class;
	op->exit = -1;
	op->summed_bands = 1;
	op->residual = KWS_OP_NO_RESIDUAL;
	return op;
}

static bool pools_bands(const struct builder *builder, const struct kws_op *op)
{
	const char *pool = json_string_value(json_object_get(builder->spec.json, "pool"));
	return op->class == &kws_op_exit && pool != NULL && strcmp(pool, "all") == 0 &&
	       op->in.type == KWS_MAP_FLOAT && op->in.bands > 1;
}

/* Makes `op`, an exit with its input linked, into the row sums of that input, and returns through
 * it the exit, which takes them. */
static int split_exit(struct builder *builder, struct kws_op **op)
{
	struct kws_op *sums = *op;
	struct kws_op *exit = add_op(builder, sums->class);
	sums->class = &kws_op_bandsum;
	sums->exit = (int)builder->graph->exit_count;
	exit->summed_bands = sums->in.bands;
	int result = sums->class->create(sums, &builder->spec);
	if (result == 0) {
		result = add_map(builder, &sums->out, NULL, &sums->output);
	}
	exit->input = sums->output;
	exit->input_count = 1;
	exit->in = exit->slices[0] = sums->out;
	*op = exit;
	return result;
}

static int build_op(struct builder *builder)
{
	int result;
	const struct kws_op_class *class = find_class(builder, &result);
	if (class == NULL) {
		return result;
	}
	struct kws_op *op = add_op(builder, class);
	result = link_inputs(builder, op);
	if (result == 0 && pools_bands(builder, op)) {
		result = split_exit(builder, &op);
	}
	if (result == 0) {
		result = op->class->create(op, &builder->spec);
	}
	if (result == 0) {
		result = link_residual(builder, op); /* before its own map could be found */
	}
	if (result == 0) {
		result = add_named_map(builder, &op->out, &op->output);
	}
	return result == 0 && op->class == &kws_op_exit ? link_exit(builder, op) : result;
}

static int build_list(struct builder *builder, const json_t *list)
{
	struct kws_graph *graph = builder->graph;
	size_t count = json_array_size(list);
	if (!json_is_array(list) || count < 2 || count > OPS_MAX) {
		return kws_fail(builder->spec.error, KWS_EFORMAT,
			"kws.graph must be a list of 2 to %d operations", OPS_MAX);
	}
	graph->maps = calloc(count + MAPS_MAX - OPS_MAX, sizeof(*graph->maps));
	graph->ops = calloc(count + MAPS_MAX - OPS_MAX, sizeof(*graph->ops));
	if (graph->maps == NULL || graph->ops == NULL) {
		return kws_fail(builder->spec.error, KWS_ENOMEM, "out of memory");
	}
	for (size_t i = 0; i < count; i++) {
		builder->spec.index = i;
		builder->spec.json = json_array_get(list, i);
		int result = i == 0 ? build_input(builder) : build_op(builder);
		if (result != 0) {
			return result;
		}
	}
	if (graph->ops[graph->op_count - 1].exit < 0) {
		return kws_fail(
			builder->spec.error, KWS_EFORMAT, "kws.graph must end with an exit");
	}
	return 0;
}

int kws_graph_build(
	struct kws_graph *graph, const struct kws_safetensors *file, struct kws_error *error)
{
	const char *text = kws_safetensors_metadata(file, "kws.graph");
	json_t *list;
	memset(graph, 0, sizeof(*graph));
	if (text == NULL) {
		return kws_fail(
			error, KWS_EFORMAT, "the file has no kws.graph: not a model of kwsd");
	}
	int result = kws_json_load(
		&list, "kws.graph", text, strlen(text), JSON_REJECT_DUPLICATES, error);
	if (result != 0) {
		return result;
	}
	struct builder *builder = calloc(1, sizeof(*builder));
	if (builder == NULL) {
		result = kws_fail(error, KWS_ENOMEM, "out of memory");
	} else {
		builder->graph = graph;
		builder->spec.file = file;
		builder->spec.error = error;
		builder->spec.weight_bytes = &builder->weight_bytes;
		result = build_list(builder, list);
	}
	free(builder);
	json_decref(list);
	if (result != 0) {
		kws_graph_finish(graph);
	}
	return result;
}

void kws_graph_finish(struct kws_graph *graph)
{
	for (size_t i = 0; i < graph->op_count; i++) {
		graph->ops[i].class->destroy(graph->ops[i].state);
	}
	free(graph->ops);
	free(graph->maps);
	memset(graph, 0, sizeof(*graph));
}

struct kws_op_cost kws_graph_cost(const struct kws_graph *graph, size_t exit)
{
	struct kws_op_cost total = {0};
	for (size_t i = 0; i <= graph->exit_ops[exit]; i++) {
		const struct kws_op *op = &graph->ops[i];
		total.binary_macs += op->cost.binary_macs * op->out.rows;
		total.valid_macs += op->cost.valid_macs;
		total.float_macs += op->cost.float_macs * op->out.rows;
		total.binary_weights += op->cost.binary_weights;
		total.float_weights += op->cost.float_weights;
	}
	return total;
}
