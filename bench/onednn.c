/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/onednn.h"

#include <dlfcn.h>
#include <oneapi/dnnl/dnnl.h>
#include <stdlib.h>
#include <string.h>

#define MEMORIES 3 /* input, weights, output */

struct bench_onednn {
	dnnl_engine_t engine;
	dnnl_stream_t stream;
	dnnl_primitive_desc_t description;
	dnnl_primitive_t primitive;
	dnnl_memory_t memories[MEMORIES];
	const char *kernel;
};

static const struct {
	dnnl_query_t query;
	int argument;
} memory_roles[MEMORIES] = {
	{dnnl_query_src_md, DNNL_ARG_SRC},
	{dnnl_query_weights_md, DNNL_ARG_WEIGHTS},
	{dnnl_query_dst_md, DNNL_ARG_DST},
};

const char *bench_onednn_init(void)
{
#if DNNL_CPU_THREADING_RUNTIME == DNNL_RUNTIME_OMP
	/* By name: which of the OpenMP libraries oneDNN brings along is its own affair. */
	void *symbol = dlsym(RTLD_DEFAULT, "omp_set_num_threads");
	void (*set_num_threads)(int);
	memcpy(&set_num_threads, &symbol, sizeof(set_num_threads));
	if (symbol == NULL) {
		return "oneDNN cannot be told to use one thread: its OpenMP was not found";
	}
	set_num_threads(1);
#elif DNNL_CPU_THREADING_RUNTIME != DNNL_RUNTIME_SEQ
	return "oneDNN cannot be told to use one thread: it was built with a thread pool";
#endif
	return NULL;
}

static dnnl_status_t describe(struct bench_onednn *conv, const struct bench_layer *layer,
	enum bench_onednn_type type, dnnl_primitive_attr_t attributes)
{
	const dnnl_dim_t inputs = (dnnl_dim_t)layer->inputs;
	const dnnl_dim_t outputs = (dnnl_dim_t)layer->outputs;
	const dnnl_dims_t dims[MEMORIES] = {
		{1, inputs, (dnnl_dim_t)layer->rows, (dnnl_dim_t)layer->bands},
		{outputs, inputs, (dnnl_dim_t)layer->kernel[0], (dnnl_dim_t)layer->kernel[1]},
		{1, outputs, (dnnl_dim_t)bench_layer_positions(layer, 0),
			(dnnl_dim_t)bench_layer_positions(layer, 1)},
	};
	const dnnl_data_type_t small[MEMORIES] = {dnnl_u8, dnnl_s8, dnnl_u8};
	const dnnl_dims_t strides = {(dnnl_dim_t)layer->stride[0], (dnnl_dim_t)layer->stride[1]};
	const dnnl_dims_t before = {(dnnl_dim_t)layer->pad[0], (dnnl_dim_t)layer->pad[2]};
	const dnnl_dims_t after = {(dnnl_dim_t)layer->pad[1], (dnnl_dim_t)layer->pad[3]};
	dnnl_memory_desc_t memories[MEMORIES];
	dnnl_convolution_desc_t description;
	for (size_t i = 0; i < MEMORIES; i++) {
		dnnl_memory_desc_init_by_tag(&memories[i], 4, dims[i],
			type == BENCH_ONEDNN_INT8 ? small[i] : dnnl_f32, dnnl_format_tag_any);
	}
	/* "auto" may take Winograd's algorithm where that is faster */
	dnnl_status_t status = dnnl_convolution_forward_desc_init(&description,
		dnnl_forward_inference, dnnl_convolution_auto, &memories[0], &memories[1], NULL,
		&memories[2], strides, before, after);
	if (status == dnnl_success) {
		status = dnnl_primitive_desc_create(
			&conv->description, &description, attributes, conv->engine, NULL);
	}
	return status;
}

/* Small numbers of both signs, so that nothing overflows or becomes denormal. */
static void fill(void *data, size_t bytes, dnnl_data_type_t type)
{
	for (size_t i = 0; type == dnnl_f32 && i < bytes / sizeof(float); i++) {
		((float *)data)[i] = (float)rand() / (float)RAND_MAX - 0.5f;
	}
	for (size_t i = 0; type != dnnl_f32 && i < bytes; i++) {
		((uint8_t *)data)[i] = (uint8_t)(rand() % 16);
	}
}

static dnnl_status_t create_memories(struct bench_onednn *conv)
{
	for (size_t i = 0; i < MEMORIES; i++) {
		void *data;
		const dnnl_memory_desc_t *memory =
			dnnl_primitive_desc_query_md(conv->description, memory_roles[i].query, 0);
		dnnl_status_t status = dnnl_memory_create(
			&conv->memories[i], memory, conv->engine, DNNL_MEMORY_ALLOCATE);
		if (status == dnnl_success) {
			status = dnnl_memory_get_data_handle(conv->memories[i], &data);
		}
		if (status != dnnl_success) {
			return status;
		}
		fill(data, dnnl_memory_desc_get_size(memory), memory->data_type);
	}
	return dnnl_success;
}

static dnnl_status_t set_up(
	struct bench_onednn *conv, const struct bench_layer *layer, enum bench_onednn_type type)
{
	const float scale = 1.0f / 256.0f;
	dnnl_primitive_attr_t attributes = NULL;
	dnnl_status_t status = dnnl_engine_create(&conv->engine, dnnl_cpu, 0);
	if (status == dnnl_success) {
		status = dnnl_stream_create(&conv->stream, conv->engine, dnnl_stream_default_flags);
	}
	if (status == dnnl_success) {
		status = dnnl_primitive_attr_create(&attributes);
	}
	if (status == dnnl_success && type == BENCH_ONEDNN_INT8) {
		status = dnnl_primitive_attr_set_output_scales(attributes, 1, 0, &scale);
	}
	if (status == dnnl_success) {
		status = describe(conv, layer, type, attributes);
	}
	if (status == dnnl_success) {
		status = dnnl_primitive_create(&conv->primitive, conv->description);
	}
	dnnl_primitive_attr_destroy(attributes);
	return status == dnnl_success ? create_memories(conv) : status;
}

struct bench_onednn *bench_onednn_create(
	const struct bench_layer *layer, enum bench_onednn_type type)
{
	struct bench_onednn *conv = calloc(1, sizeof(*conv));
	if (conv != NULL &&
		(set_up(conv, layer, type) != dnnl_success ||
			dnnl_primitive_desc_query(conv->description, dnnl_query_impl_info_str, 0,
				&conv->kernel) != dnnl_success)) {
		bench_onednn_destroy(conv);
		return NULL;
	}
	return conv;
}

void bench_onednn_destroy(struct bench_onednn *conv)
{
	if (conv == NULL) {
		return;
	}
	for (size_t i = 0; i < MEMORIES; i++) {
		dnnl_memory_destroy(conv->memories[i]);
	}
	dnnl_primitive_destroy(conv->primitive);
	dnnl_primitive_desc_destroy(conv->description);
	dnnl_stream_destroy(conv->stream);
	dnnl_engine_destroy(conv->engine);
	free(conv);
}

void bench_onednn_run(void *user, size_t times)
{
	const struct bench_onednn *conv = user;
	dnnl_exec_arg_t arguments[MEMORIES];
	for (size_t i = 0; i < MEMORIES; i++) {
		arguments[i] = (dnnl_exec_arg_t){memory_roles[i].argument, conv->memories[i]};
	}
	for (size_t i = 0; i < times; i++) {
		dnnl_primitive_execute(conv->primitive, conv->stream, MEMORIES, arguments);
	}
	dnnl_stream_wait(conv->stream);
}

const char *bench_onednn_kernel(const struct bench_onednn *conv)
{
	return conv->kernel;
}
