/* SPDX-License-Identifier: Apache-2.0 */
/* What a graph may not be: each refusal with its sentence. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bnn/graph.h"
#include "tests/cpu-mask.h"
#include "tests/model-builder.h"

/* A graph with every operation. 8x6x1 -> 6x4x4 -> 4x4x4 -> 4x2x4 -> 2. */
#define INPUT "{'op':'input','out':'x','shape':[8,6,1]},"
#define CONV "{'op':'conv2d','in':'x','out':'c','weight':'conv','bias':'four','act':'relu'},"
#define SIGN "{'op':'sign','in':'c','out':'s','threshold':'four'},"
#define BCONV                                                                                \
	"{'op':'bconv2d','in':'s','out':'b','weight':'bits','pad':[0,0,1,1],'residual':'c'," \
	"'slope':'four','scale':'four','bias':'four'},"
#define POOL "{'op':'maxpool2d','in':'b','out':'p','kernel':[1,2],'stride':[1,2]},"
#define EXIT "{'op':'exit','in':'p','out':'e','pool':'all','weight':'dense','bias':'two'}"
#define GOOD "[" INPUT CONV SIGN BCONV POOL EXIT "]"

/* Four channels: bits 4 and up must be 0. */
static const uint32_t bits[4 * 3 * 3] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};

static void add_tensors(struct model_builder *builder)
{
	static const uint32_t zeros[1024];
	uint32_t tail[4 * 3 * 3];
	const float infinite[4] = {0.0f, 1.0f, INFINITY, 2.0f};
	memcpy(tail, bits, sizeof(tail));
	tail[35] = 1u << 4;
	model_builder_floats(builder, "conv", (const size_t[4]){3, 3, 1, 4});
	model_builder_floats(builder, "four", (const size_t[4]){4, 0, 0, 0});
	model_builder_floats(builder, "two", (const size_t[4]){2, 0, 0, 0});
	model_builder_floats(builder, "three", (const size_t[4]){3, 0, 0, 0});
	model_builder_floats(builder, "dense", (const size_t[4]){2, 4, 0, 0});
	model_builder_floats(builder, "dense3", (const size_t[4]){3, 4, 0, 0});
	model_builder_floats(builder, "many", (const size_t[4]){257, 4, 0, 0});
	model_builder_floats(builder, "odd", (const size_t[4]){1, 1, 2, 5});
	model_builder_floats(builder, "wide", (const size_t[4]){1, 1, 4, 60000});
	model_builder_floats(builder, "broad", (const size_t[4]){1, 1, 1, 32768});
	model_builder_floats(builder, "huge", (const size_t[4]){1, 1, 1, 65536});
	model_builder_tensor(
		builder, "infinite", KWS_DTYPE_F32, (const size_t[4]){4, 0, 0, 0}, infinite);
	model_builder_tensor(builder, "bits", KWS_DTYPE_U32, (const size_t[4]){4, 3, 3, 1}, bits);
	model_builder_tensor(builder, "tail", KWS_DTYPE_U32, (const size_t[4]){4, 3, 3, 1}, tail);
	model_builder_floats(builder, "halves", (const size_t[4]){8, 0, 0, 0});
	model_builder_tensor(
		builder, "long", KWS_DTYPE_U32, (const size_t[4]){1, 1, 1, 1024}, zeros);
	model_builder_tensor(
		builder, "half", KWS_DTYPE_U32, (const size_t[4]){1, 1, 1, 512}, zeros);
	model_builder_tensor(
		builder, "flips", KWS_DTYPE_U32, (const size_t[4]){1, 0, 0, 0}, &tail[35]);
	model_builder_tensor(builder, "signed", KWS_DTYPE_I32, (const size_t[4]){4, 3, 3, 1}, bits);
}

static int build(const char *graph_text, struct kws_graph *graph, struct kws_error *error)
{
	struct model_builder builder;
	struct kws_safetensors *file;
	model_builder_init(&builder);
	add_tensors(&builder);
	if (graph_text != NULL) {
		model_builder_json(&builder, "kws.graph", graph_text);
	}
	struct model_bytes bytes = model_builder_bytes(&builder);
	model_builder_finish(&builder);
	assert_int_equal(kws_safetensors_open_bytes(&file, bytes.data, bytes.size, error), 0);
	int result = kws_graph_build(graph, file, error);
	kws_safetensors_close(file); /* before the graph: it keeps nothing of the file */
	free(bytes.data);
	return result;
}

static void assert_refused(const char *graph_text, int code, const char *sentence)
{
	struct kws_graph graph;
	struct kws_error error = {""};
	assert_int_equal(build(graph_text, &graph, &error), code);
	assert_string_equal(error.text, sentence);
	assert_int_equal(graph.op_count, 0); /* nothing is left behind */
	assert_null(graph.ops);
	assert_null(graph.maps);
}

static void assert_map(
	const struct kws_graph *graph, size_t index, const struct kws_map_shape *wanted)
{
	const struct kws_map_shape *map = &graph->maps[index];
	assert_int_equal(map->type, wanted->type);
	assert_int_equal(map->rows, wanted->rows);
	assert_int_equal(map->bands, wanted->bands);
	assert_int_equal(map->channels, wanted->channels);
}

static void builds_every_operation(void **state)
{
	(void)state;
	static const struct kws_map_shape wanted[] = {
		{KWS_MAP_FLOAT, 8, 6, 1},
		{KWS_MAP_FLOAT, 6, 4, 4},
		{KWS_MAP_BITS, 6, 4, 4},
		{KWS_MAP_FLOAT, 4, 4, 4},
		{KWS_MAP_FLOAT, 4, 2, 4},
		{KWS_MAP_FLOAT, 4, 1, 4}, /* the exit's row sums */
		{KWS_MAP_FLOAT, 1, 1, 2},
	};
	struct kws_graph graph;
	struct kws_error error;
	assert_int_equal(build(GOOD, &graph, &error), 0);
	assert_int_equal(graph.map_count, 7);
	for (size_t i = 0; i < 7; i++) {
		assert_map(&graph, i, &wanted[i]);
	}
	assert_int_equal(graph.op_count, 6);
	assert_int_equal(graph.exit_count, 1);
	assert_int_equal(graph.exit_ops[0], 5);
	assert_int_equal(graph.classes, 2);
	assert_int_equal(graph.ops[2].residual, 1);
	kws_graph_finish(&graph);
	kws_graph_finish(&graph);
}

static void counts_what_it_costs(void **state)
{
	(void)state;
	struct kws_graph graph;
	struct kws_error error;
	assert_int_equal(build(GOOD, &graph, &error), 0);
	struct kws_op_cost cost = kws_graph_cost(&graph, 0);
	assert_int_equal(cost.float_macs, 6 * 4 * 9 * 4 + 4 * 2);
	assert_int_equal(cost.binary_macs, 4 * 4 * 9 * 4 * 4);
	assert_int_equal(cost.float_weights, 36 + 4 + 4 + 3 * 4 + 8 + 2);
	assert_int_equal(cost.binary_weights, 9 * 4 * 4);
	kws_graph_finish(&graph);
}

/* Whole numbers of 4 channels, and an operation after them. */
#define INTEGERS(operation)                                                                    \
	"{'op':'bconv2d','in':'s','out':'b','weight':'bits','pad':[1,1,1,1],'output':'int16'}" \
	"," operation

struct bad_graph {
	const char *text;
	int code;
	const char *sentence;
};

#define ONE(operation) "[" INPUT operation "]"
#define AFTER_CONV(operation) "[" INPUT CONV operation "]"
#define AFTER_SIGN(operation) "[" INPUT CONV SIGN operation "]"

static const struct bad_graph bad_lists[] = {
	{NULL, KWS_EFORMAT, "the file has no kws.graph: not a model of kwsd"},
	{"[", KWS_EFORMAT, "kws.graph is not JSON: ']' expected near end of file"},
	{"{}", KWS_EFORMAT, "kws.graph must be a list of 2 to 1024 operations"},
	{"[{'op':'input','out':'x','shape':[8,6,1]}]", KWS_EFORMAT,
		"kws.graph must be a list of 2 to 1024 operations"},
	{"[3,4]", KWS_EFORMAT, "graph operation 0 (?): 'op' must be a string"},
	{"[" CONV EXIT "]", KWS_EFORMAT,
		"graph operation 0 (conv2d): the first entry must be the input"},
	{"[{'op':'input','shape':[8,6,1]}," EXIT "]", KWS_EFORMAT,
		"graph operation 0 (input): 'out' must be a string"},
	{"[{'op':'input','out':'x','shape':[8,6]}," EXIT "]", KWS_EFORMAT,
		"graph operation 0 (input): 'shape' must be a list of 3 integers"},
	{"[{'op':'input','out':'x','shape':[8,6,-1]}," EXIT "]", KWS_EFORMAT,
		"graph operation 0 (input): 'shape' must hold integers from 0 to 65535"},
	{"[{'op':'input','out':'x','shape':[8,6,65536]}," EXIT "]", KWS_EFORMAT,
		"graph operation 0 (input): 'shape' must hold integers from 0 to 65535"},
	{"[{'op':'input','out':'x','shape':[0,6,1]}," EXIT "]", KWS_EFORMAT,
		"graph operation 0 (input): 'shape' must be a list of 3 integers from 1"},
	{"[{'op':'input','out':'x'}," EXIT "]", KWS_EFORMAT,
		"graph operation 0 (input): 'shape' must be a list of 3 integers from 1"},
	{"[{'op':'input','out':'x','shape':[5000,5000,1]}," EXIT "]", KWS_EUNSUPPORTED,
		"graph operation 0 (input): the maps are too large"},
	{ONE("7"), KWS_EFORMAT, "graph operation 1 (?): 'op' must be a string"},
	{ONE("{'op':'input','out':'y','shape':[1,1,1]}"), KWS_EUNSUPPORTED,
		"graph operation 1 (input): there is no such operation"},
	{ONE("{'op':'lstm','in':'x','out':'y'}"), KWS_EUNSUPPORTED,
		"graph operation 1 (lstm): there is no such operation"},
	{ONE("{'op':'sign','out':'y'}"), KWS_EFORMAT,
		"graph operation 1 (sign): 'in' must name a map"},
	{ONE("{'op':'sign','in':'z','out':'y'}"), KWS_EFORMAT,
		"graph operation 1 (sign): 'in' is 'z', which no earlier operation makes"},
	{ONE("{'op':'sign','in':'y','out':'y'}"), KWS_EFORMAT,
		"graph operation 1 (sign): 'in' is 'y', which no earlier operation makes"},
	{ONE("{'op':'sign','in':'x'}"), KWS_EFORMAT,
		"graph operation 1 (sign): 'out' must be a string"},
	{ONE("{'op':'sign','in':'x','out':'x'}"), KWS_EFORMAT,
		"graph operation 1 (sign): there are two maps named 'x'"},
	{AFTER_CONV("{'op':'sign','in':['c','x'],'out':'s'}"), KWS_EFORMAT,
		"graph operation 2 (sign): the inputs differ in rows or bands"},
	{AFTER_CONV("{'op':'sign','in':['c',1],'out':'s'}"), KWS_EFORMAT,
		"graph operation 2 (sign): 'in' must name a map"},
	{AFTER_CONV("{'op':'sign','in':[],'out':'s'}"), KWS_EUNSUPPORTED,
		"graph operation 2 (sign): 'in' must list 1 to 16 maps"},
	{AFTER_CONV("{'op':'sign','in':['c','c','c','c','c','c','c','c','c','c','c','c','c','c',"
		    "'c','c','c'],'out':'s'}"),
		KWS_EUNSUPPORTED, "graph operation 2 (sign): 'in' must list 1 to 16 maps"},
	{AFTER_CONV("{'op':'conv2d','in':'c','out':'w','weight':'wide'},"
		    "{'op':'concat','in':['w','w'],'out':'v'}"),
		KWS_EUNSUPPORTED, "graph operation 3 (concat): the maps are too large"},
	{AFTER_CONV("{'op':'maxpool2d','in':['c'],'out':'p'}"), KWS_EFORMAT,
		"graph operation 2 (maxpool2d): 'in' must name a map"},
	{"[" INPUT CONV "{'op':'sign','in':'c','out':'s'}]", KWS_EFORMAT,
		"kws.graph must end with an exit"},
	{AFTER_CONV("{'op':'maxpool2d','in':'c','out':'p','residual':'c'}"), KWS_EFORMAT,
		"graph operation 2 (maxpool2d): the residual does not have the output's shape"},
};

static const struct bad_graph bad_conv2d[] = {
	{ONE("{'op':'conv2d','in':'x','out':'c'}"), KWS_EFORMAT,
		"graph operation 1 (conv2d): 'weight' must be a string"},
	{ONE("{'op':'conv2d','in':'x','out':'c','weight':'none'}"), KWS_EFORMAT,
		"graph operation 1 (conv2d): there is no tensor 'none'"},
	{ONE("{'op':'conv2d','in':'x','out':'c','weight':'bits'}"), KWS_EFORMAT,
		"graph operation 1 (conv2d): tensor 'bits' does not have the type and 4 axes that "
		"'weight' needs"},
	{ONE("{'op':'conv2d','in':'x','out':'c','weight':'dense'}"), KWS_EFORMAT,
		"graph operation 1 (conv2d): tensor 'dense' does not have the type and 4 axes that "
		"'weight' needs"},
	{ONE("{'op':'conv2d','in':'x','out':'c','weight':'wide'}"), KWS_EFORMAT,
		"graph operation 1 (conv2d): axis 2 of tensor 'wide' is 4, 'weight' needs 1"},
	{ONE("{'op':'conv2d','in':'x','out':'c','weight':'huge'}"), KWS_EFORMAT,
		"graph operation 1 (conv2d): axis 3 of tensor 'huge' is 65536, must be from 1 to "
		"65535"},
	{ONE("{'op':'conv2d','in':'x','out':'c','weight':'conv','bias':'two'}"), KWS_EFORMAT,
		"graph operation 1 (conv2d): axis 0 of tensor 'two' is 2, 'bias' needs 4"},
	{ONE("{'op':'conv2d','in':'x','out':'c','weight':'conv','bias':'infinite'}"), KWS_EFORMAT,
		"graph operation 1 (conv2d): 'bias' holds a number that is not finite"},
	{ONE("{'op':'conv2d','in':'x','out':'c','weight':'conv','bias':4}"), KWS_EFORMAT,
		"graph operation 1 (conv2d): 'bias' must be a string"},
	{ONE("{'op':'conv2d','in':'x','out':'c','weight':'conv','act':'tanh'}"), KWS_EFORMAT,
		"graph operation 1 (conv2d): 'act' must be none or relu"},
	{ONE("{'op':'conv2d','in':'x','out':'c','weight':'conv','act':1}"), KWS_EFORMAT,
		"graph operation 1 (conv2d): 'act' must be a string"},
	{ONE("{'op':'conv2d','in':'x','out':'c','weight':'conv','groups':0}"), KWS_EFORMAT,
		"graph operation 1 (conv2d): needs a float input and groups from 1"},
	{ONE("{'op':'conv2d','in':'x','out':'c','weight':'conv','groups':'all'}"), KWS_EFORMAT,
		"graph operation 1 (conv2d): 'groups' must hold integers from 0 to 65535"},
	{AFTER_CONV("{'op':'conv2d','in':'c','out':'d','weight':'conv','groups':3}"), KWS_EFORMAT,
		"graph operation 2 (conv2d): groups must divide the number of channels"},
	{AFTER_CONV("{'op':'conv2d','in':'c','out':'d','weight':'odd','groups':2}"), KWS_EFORMAT,
		"graph operation 2 (conv2d): groups must divide the number of channels"},
	{AFTER_SIGN("{'op':'conv2d','in':'s','out':'d','weight':'conv'}"), KWS_EFORMAT,
		"graph operation 3 (conv2d): needs a float input and groups from 1"},
	{ONE("{'op':'conv2d','in':'x','out':'c','weight':'conv','stride':[0,1]}"), KWS_EFORMAT,
		"graph operation 1 (conv2d): stride and kernel must be at least 1"},
	{ONE("{'op':'conv2d','in':'x','out':'c','weight':'conv','stride':2}"), KWS_EFORMAT,
		"graph operation 1 (conv2d): 'stride' must be a list of 2 integers"},
	{ONE("{'op':'conv2d','in':'x','out':'c','weight':'conv','pad':[3,0,0,0]}"), KWS_EFORMAT,
		"graph operation 1 (conv2d): padding must be smaller than the kernel"},
	{ONE("{'op':'conv2d','in':'x','out':'c','weight':'conv','pad':[0,0,0,3]}"), KWS_EFORMAT,
		"graph operation 1 (conv2d): padding must be smaller than the kernel"},
	{"[{'op':'input','out':'x','shape':[2,6,1]}," CONV EXIT "]", KWS_EFORMAT,
		"graph operation 1 (conv2d): the window does not fit into the input: no rows are "
		"left"},
	{"[{'op':'input','out':'x','shape':[8,2,1]}," CONV EXIT "]", KWS_EFORMAT,
		"graph operation 1 (conv2d): the window does not fit into the input: no rows are "
		"left"},
	{AFTER_CONV("{'op':'conv2d','in':'c','out':'w1','weight':'wide'}," /* 5.8 MB each */
		    "{'op':'maxpool2d','in':'w1','out':'w2'},"
		    "{'op':'maxpool2d','in':'w1','out':'w3'}"),
		KWS_EUNSUPPORTED, "graph operation 4 (maxpool2d): the maps are too large"},
	{"[{'op':'input','out':'x','shape':[98,64,1]},"
	 "{'op':'maxpool2d','in':'x','out':'one','kernel':[98,64]},"
	 "{'op':'conv2d','in':'one','out':'w','weight':'broad'},"
	 /* a row of 4 GiB: 0 in 32 bits */
	 "{'op':'maxpool2d','in':'w','out':'p','kernel':[1,32768],'pad':[0,0,32767,32767]},"
	 "{'op':'exit','in':'w','out':'e','pool':'all','weight':'dense','bias':'two'}]",
		KWS_EUNSUPPORTED, "graph operation 3 (maxpool2d): the maps are too large"},
};

static const struct bad_graph bad_bits[] = {
	{AFTER_SIGN("{'op':'sign','in':'s','out':'t'}"), KWS_EFORMAT,
		"graph operation 3 (sign): needs inputs of the types float or int16"},
	{AFTER_SIGN("{'op':'concat','in':['c','s'],'out':'t'}"), KWS_EFORMAT,
		"graph operation 3 (concat): needs inputs of the types float or int16"},
	{AFTER_CONV("{'op':'concat','in':['c','c'],'out':'t','scale':'four'}"), KWS_EFORMAT,
		"graph operation 2 (concat): axis 0 of tensor 'four' is 4, 'scale' needs 8"},
	{AFTER_CONV("{'op':'concat','in':'c','out':'t','act':'sign'}"), KWS_EFORMAT,
		"graph operation 2 (concat): 'act' must be none or relu"},
	{AFTER_CONV("{'op':'sign','in':'c','out':'t','flip':'four'}"), KWS_EFORMAT,
		"graph operation 2 (sign): tensor 'four' does not have the type and 1 axes that "
		"'flip' needs"},
	{AFTER_CONV("{'op':'sign','in':'c','out':'t','flip':'flips'}"), KWS_EFORMAT,
		"graph operation 2 (sign): 'flip' has bits after the last channel"},
	{AFTER_CONV("{'op':'sign','in':'c','out':'t','threshold':'two'}"), KWS_EFORMAT,
		"graph operation 2 (sign): axis 0 of tensor 'two' is 2, 'threshold' needs 4"},
	{AFTER_CONV("{'op':'sign','in':'c','out':'t','threshold':'infinite'}"), KWS_EFORMAT,
		"graph operation 2 (sign): 'threshold' holds a number that is not finite"},
	{AFTER_CONV("{'op':'bconv2d','in':'c','out':'b','weight':'bits'}"), KWS_EFORMAT,
		"graph operation 2 (bconv2d): needs bits as input"},
	{AFTER_SIGN("{'op':'bconv2d','in':'s','out':'b','weight':'signed'}"), KWS_EFORMAT,
		"graph operation 3 (bconv2d): tensor 'signed' does not have the type and 4 axes "
		"that 'weight' needs"},
	{AFTER_SIGN("{'op':'bconv2d','in':'s','out':'b','weight':'tail'}"), KWS_EFORMAT,
		"graph operation 3 (bconv2d): 'weight' has bits after the last channel"},
	{AFTER_SIGN("{'op':'bconv2d','in':'s','out':'b','weight':'bits','slope':'two'}"),
		KWS_EFORMAT,
		"graph operation 3 (bconv2d): axis 0 of tensor 'two' is 2, 'slope' needs 4"},
	{AFTER_SIGN("{'op':'bconv2d','in':'s','out':'b','weight':'bits','scale':'infinite'}"),
		KWS_EFORMAT,
		"graph operation 3 (bconv2d): 'scale' holds a number that is not finite"},
	{AFTER_SIGN("{'op':'bconv2d','in':'s','out':'b','weight':'bits','bias':'none'}"),
		KWS_EFORMAT, "graph operation 3 (bconv2d): there is no tensor 'none'"},
	{AFTER_SIGN("{'op':'bconv2d','in':'s','out':'b','weight':'bits','pad_value':2}"),
		KWS_EFORMAT, "graph operation 3 (bconv2d): 'pad_value' must be 0 or 1"},
	{AFTER_SIGN("{'op':'bconv2d','in':'s','out':'b','weight':'bits','residual':'c'}"),
		KWS_EFORMAT, /* two bands fewer */
		"graph operation 3 (bconv2d): the residual does not have the output's shape"},
	{AFTER_SIGN("{'op':'bconv2d','in':'s','out':'b','weight':'bits','pad':[2,0,1,1],"
		    "'residual':'c'}"),
		KWS_EFORMAT, /* its first row would be one before the residual's */
		"graph operation 3 (bconv2d): the residual does not have the output's shape"},
	{AFTER_SIGN("{'op':'bconv2d','in':'s','out':'b','weight':'bits','pad':[0,2,1,1],"
		    "'residual':'c'}"),
		KWS_EFORMAT, /* its last row would be one after */
		"graph operation 3 (bconv2d): the residual does not have the output's shape"},
	{AFTER_SIGN("{'op':'bconv2d','in':'s','out':'b','weight':'bits','pad':[1,1,1,1],"
		    "'residual':'s'}"),
		KWS_EFORMAT, /* bits */
		"graph operation 3 (bconv2d): the residual does not have the output's shape"},
	{AFTER_SIGN("{'op':'bconv2d','in':'s','out':'b','weight':'bits','pad':[0,0,2,2],"
		    "'residual':'x'}"),
		KWS_EFORMAT, /* one channel */
		"graph operation 3 (bconv2d): the residual does not have the output's shape"},
	{AFTER_SIGN("{'op':'bconv2d','in':'s','out':'b','weight':'bits','act':'tanh'}"),
		KWS_EFORMAT, "graph operation 3 (bconv2d): 'act' must be none or relu"},
	{AFTER_SIGN("{'op':'bconv2d','in':'s','out':'b','weight':'bits','act':'relu',"
		    "'slope':'four'}"),
		KWS_EFORMAT, "graph operation 3 (bconv2d): 'act' relu has no 'slope'"},
	{AFTER_SIGN("{'op':'bconv2d','in':'s','out':'b','weight':'bits','output':'int8'}"),
		KWS_EFORMAT, "graph operation 3 (bconv2d): 'output' must be float or int16"},
	{AFTER_SIGN("{'op':'bconv2d','in':'s','out':'b','weight':'bits','output':'int16',"
		    "'scale':'four'}"),
		KWS_EFORMAT, "graph operation 3 (bconv2d): an int16 output has no 'scale'"},
	{AFTER_SIGN("{'op':'bconv2d','in':'s','out':'b','weight':'bits','pad':[1,1,1,1],"
		    "'output':'int16','residual':'c'}"),
		KWS_EFORMAT, /* floats */
		"graph operation 3 (bconv2d): the residual does not have the output's shape"},
	{AFTER_SIGN(INTEGERS("{'op':'sign','in':['b','c'],'out':'t','threshold':'halves'}")),
		KWS_EFORMAT,
		"graph operation 4 (sign): the threshold of channel 0, which is int16, must be an "
		"integer from -32768 to 32767"},
	{AFTER_SIGN(INTEGERS("{'op':'maxpool2d','in':'b','out':'p'}")), KWS_EFORMAT,
		"graph operation 4 (maxpool2d): needs a float input"},
	{"[{'op':'input','out':'x','shape':[1,1,32768]},{'op':'sign','in':'x','out':'s'},"
	 "{'op':'bconv2d','in':'s','out':'b','weight':'long','output':'int16'}]",
		KWS_EUNSUPPORTED, "graph operation 2 (bconv2d): the sums do not fit into int16"},
	{"[{'op':'input','out':'x','shape':[1,1,16384]},{'op':'sign','in':'x','out':'s'},"
	 "{'op':'bconv2d','in':'s','out':'b','weight':'half','output':'int16'},"
	 "{'op':'bconv2d','in':'s','out':'d','weight':'half','output':'int16','residual':'b'}]",
		KWS_EUNSUPPORTED, "graph operation 3 (bconv2d): the sums do not fit into int16"},
	{AFTER_SIGN("{'op':'bconv2d','in':'s','out':'b','weight':'bits','pad':[1,1,1,1],"
		    "'residual':'b'}"),
		KWS_EFORMAT, /* itself */
		"graph operation 3 (bconv2d): 'residual' is 'b', which no earlier operation makes"},
};

static const struct bad_graph bad_ends[] = {
	{AFTER_CONV("{'op':'maxpool2d','in':'c','out':'p','kernel':[0,1]}"), KWS_EFORMAT,
		"graph operation 2 (maxpool2d): stride and kernel must be at least 1"},
	{AFTER_CONV("{'op':'maxpool2d','in':'c','out':'p','kernel':[7,1]}"), KWS_EFORMAT,
		"graph operation 2 (maxpool2d): the window does not fit into the input: no rows "
		"are left"},
	{AFTER_CONV("{'op':'maxpool2d','in':'c','out':'p','kernel':[2,2],'pad':[2,0,0,0]}"),
		KWS_EFORMAT,
		"graph operation 2 (maxpool2d): padding must be smaller than the kernel"},
	{AFTER_CONV("{'op':'maxpool2d','in':'c','out':'p','act':'tanh'}"), KWS_EFORMAT,
		"graph operation 2 (maxpool2d): 'act' must be none or relu"},
	{AFTER_SIGN("{'op':'maxpool2d','in':'s','out':'p'}"), KWS_EFORMAT,
		"graph operation 3 (maxpool2d): needs a float input"},
	{AFTER_CONV("{'op':'avgpool2d','in':'c','out':'p','kernel':[2,2],'pad':[0,0,0,2]}"),
		KWS_EFORMAT,
		"graph operation 2 (avgpool2d): padding must be smaller than the kernel"},
	{AFTER_SIGN("{'op':'avgpool2d','in':'s','out':'p'}"), KWS_EFORMAT,
		"graph operation 3 (avgpool2d): needs a float input"},
	{AFTER_CONV("{'op':'exit','in':'c','out':'e','weight':'dense'}"), KWS_EFORMAT,
		"graph operation 2 (exit): 'pool' must be a string"},
	{AFTER_CONV("{'op':'exit','in':'c','out':'e','weight':'dense','pool':'bands'}"),
		KWS_EFORMAT, "graph operation 2 (exit): needs a float input and pool time or all"},
	{AFTER_CONV("{'op':'exit','in':'c','out':'e','weight':'dense','pool':'all','act':'a'}"),
		KWS_EFORMAT, "graph operation 2 (exit): 'act' must be none or relu"},
	{AFTER_SIGN("{'op':'exit','in':'s','out':'e','weight':'dense','pool':'all'}"), KWS_EFORMAT,
		"graph operation 3 (exit): needs a float input and pool time or all"},
	{AFTER_CONV("{'op':'exit','in':'c','out':'e','weight':'dense','pool':'time'}"), KWS_EFORMAT,
		"graph operation 2 (exit): axis 1 of tensor 'dense' is 4, 'weight' needs 16"},
	{AFTER_CONV("{'op':'exit','in':'c','out':'e','weight':'dense','bias':'three',"
		    "'pool':'all'}"),
		KWS_EFORMAT,
		"graph operation 2 (exit): axis 0 of tensor 'three' is 3, 'bias' needs 2"},
	{AFTER_CONV("{'op':'exit','in':'c','out':'e','weight':'dense','pool':'all'},"
		    "{'op':'exit','in':'c','out':'f','weight':'dense3','pool':'all'}"),
		KWS_EFORMAT,
		"graph operation 3 (exit): the exits differ in their number of classes"},
	{AFTER_CONV("{'op':'exit','in':'c','out':'e','weight':'many','pool':'all'}"),
		KWS_EUNSUPPORTED, "graph operation 2 (exit): more than 8 exits or 256 classes"},
	{AFTER_CONV("{'op':'exit','in':'c','out':'e','weight':'dense','pool':'all'},"
		    "{'op':'maxpool2d','in':'e','out':'p'}"),
		KWS_EFORMAT, "graph operation 3 (maxpool2d): 'in' is 'e', the answer of an exit"},
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static void refuses(const struct bad_graph *graphs, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		assert_refused(graphs[i].text, graphs[i].code, graphs[i].sentence);
	}
}

static void refuses_bad_lists(void **state)
{
	(void)state;
	refuses(bad_lists, COUNT(bad_lists));
}

static void refuses_bad_conv2d(void **state)
{
	(void)state;
	refuses(bad_conv2d, COUNT(bad_conv2d));
}

static void refuses_bad_sign_and_bconv2d(void **state)
{
	(void)state;
	refuses(bad_bits, COUNT(bad_bits));
}

static void refuses_bad_maxpool2d_and_exit(void **state)
{
	(void)state;
	refuses(bad_ends, COUNT(bad_ends));
}

/* A window of 1024 x 1024 at one position. What its one output fills up takes 64 MiB of a tensor of
 * 4 MiB, and every operation keeps a copy of its own. */
#define MUCH "'weight':'much','pad':[463,463,480,480]}"

static void refuses_more_weights_than_are_left(void **state)
{
	(void)state;
	struct model_builder builder;
	struct kws_model *model;
	struct kws_error error;
	uint32_t *zeros = calloc(1024 * 1024, sizeof(*zeros));
	assert_non_null(zeros);
	model_builder_init(&builder);
	model_builder_describe(&builder);
	model_builder_floats(&builder, "much", (const size_t[4]){1024, 1024, 1, 1});
	model_builder_tensor(
		&builder, "bits", KWS_DTYPE_U32, (const size_t[4]){1, 1024, 1024, 1}, zeros);
	model_builder_json(&builder, "kws.graph",
		"[{'op':'input','out':'x','shape':[98,64,1]},"
		"{'op':'sign','in':'x','out':'s'},"
		"{'op':'conv2d','in':'x','out':'c'," MUCH
		",{'op':'bconv2d','in':'s','out':'b','weight':'bits','pad':[463,463,480,480]},"
		"{'op':'conv2d','in':'x','out':'d'," MUCH ",{'op':'conv2d','in':'x','out':'e'," MUCH
		"]");
	assert_int_equal(model_builder_parse(&builder, &model, NULL, &error), KWS_EUNSUPPORTED);
	assert_string_equal(error.text,
		"graph operation 5 (conv2d): the weights are too large: more than 256 MiB as the "
		"kernels need them");
	model_builder_finish(&builder);
	free(zeros);
}

/* A graph of `count` exits on one map. */
static int build_exits(size_t count, struct kws_graph *graph, struct kws_error *error)
{
	char text[2048] = "[" INPUT CONV;
	for (size_t i = 0; i < count; i++) {
		size_t used = strlen(text);
		snprintf(text + used, sizeof(text) - used,
			"{'op':'exit','in':'c','out':'e%zu','weight':'dense','pool':'all'}%s", i,
			i + 1 < count ? "," : "]");
	}
	return build(text, graph, error);
}

static void takes_only_so_many_exits(void **state)
{
	(void)state;
	struct kws_graph graph;
	struct kws_error error;
	assert_int_equal(build_exits(KWS_EXITS_MAX, &graph, &error), 0);
	assert_int_equal(graph.exit_count, KWS_EXITS_MAX);
	kws_graph_finish(&graph);
	assert_int_equal(build_exits(KWS_EXITS_MAX + 1, &graph, &error), KWS_EUNSUPPORTED);
	assert_string_equal(
		error.text, "graph operation 10 (exit): more than 8 exits or 256 classes");
}

int main(void)
{
	if (!take_cpu_mask()) {
		return TEST_SKIPPED;
	}
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(builds_every_operation),
		cmocka_unit_test(counts_what_it_costs),
		cmocka_unit_test(refuses_bad_lists),
		cmocka_unit_test(refuses_bad_conv2d),
		cmocka_unit_test(refuses_bad_sign_and_bconv2d),
		cmocka_unit_test(refuses_bad_maxpool2d_and_exit),
		cmocka_unit_test(refuses_more_weights_than_are_left),
		cmocka_unit_test(takes_only_so_many_exits),
	};
	return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
