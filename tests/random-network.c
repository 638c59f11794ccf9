/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/random-network.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/model-builder.h"

#define MAPS_MAX 32
#define LAYERS_MAX 8
#define EXITS_MAX 4
#define CLASSES 2
#define JSON_MAX 8192
#define VALUES_MAX 8192
#define BANDS_MAX 6
#define CHANNELS_MAX 6

struct network {
	struct choices *choices;
	struct model_builder builder;
	char json[JSON_MAX];
	struct kws_map_shape maps[MAPS_MAX]; /* "m0", "m1" and so on */
	size_t map_count;
	size_t current;  /* float; what the next layer takes unless it begins a branch */
	size_t channels; /* of most maps, so that many can be added */
	size_t tensors;  /* "t0", "t1" and so on */
	size_t exits;
};

uint32_t random_next(struct choices *choices)
{
	uint32_t x = choices->state; /* xorshift32 */
	x ^= x << 13;
	x ^= x >> 17;
	x ^= x << 5;
	return choices->state = x;
}

size_t choose(struct choices *choices, size_t count)
{
	if (choices->size == 0) {
		return random_next(choices) % count;
	}
	choices->size--;
	return *choices->data++ % count;
}

static bool chance(struct choices *choices, size_t in)
{
	return choose(choices, in) == 0;
}

__attribute__((format(printf, 2, 3))) static void append(
	struct network *network, const char *format, ...)
{
	size_t used = strlen(network->json);
	va_list arguments;
	va_start(arguments, format);
	int length = vsnprintf(network->json + used, JSON_MAX - used, format, arguments);
	va_end(arguments);
	if (length < 0 || (size_t)length >= JSON_MAX - used) {
		abort();
	}
}

/* ,'key':'tN' with a tensor of random eighths, or of random bits `mask`. */
static void append_tensor(
	struct network *network, const char *key, const size_t shape[4], bool bits, uint32_t mask)
{
	static union {
		float numbers[VALUES_MAX];
		uint32_t words[VALUES_MAX];
	} values;
	char name[16];
	size_t count = 1;
	for (size_t i = 0; i < 4 && shape[i] != 0; i++) {
		count *= shape[i];
	}
	if (count > VALUES_MAX) {
		abort();
	}
	for (size_t i = 0; i < count; i++) {
		uint32_t random = random_next(network->choices);
		if (bits) {
			values.words[i] = random & mask;
		} else {
			values.numbers[i] = (float)(int)(random % 17) / 8.0f - 1.0f;
		}
	}
	snprintf(name, sizeof(name), "t%zu", network->tensors++);
	model_builder_tensor(
		&network->builder, name, bits ? KWS_DTYPE_U32 : KWS_DTYPE_F32, shape, &values);
	append(network, ",'%s':'%s'", key, name);
}

static void append_vector(struct network *network, const char *key, size_t count)
{
	append_tensor(network, key, (const size_t[4]){count, 0, 0, 0}, false, 0);
}

static size_t add_map(struct network *network, const struct kws_map_shape *shape)
{
	if (network->map_count == MAPS_MAX) {
		abort();
	}
	network->maps[network->map_count] = *shape;
	return network->map_count++;
}

static void append_act(struct network *network)
{
	append(network, ",'act':'%s'", chance(network->choices, 2) ? "relu" : "none");
}

static size_t choose_channels(struct network *network)
{
	return chance(network->choices, 3) ? 1 + choose(network->choices, CHANNELS_MAX)
					   : network->channels;
}

/* Half of all windows leave the bands as they are, so that many maps can be added. */
static void keep_bands(struct network *network, struct kws_window *window)
{
	if (chance(network->choices, 2)) {
		window->kernel[1] = 1;
		window->stride[1] = 1;
		window->pad[2] = window->pad[3] = 0;
	}
}

/* A window that fits the current map. Time strides are rare: they soon use the rows up. */
static struct kws_window choose_window(struct network *network)
{
	const struct kws_map_shape *in = &network->maps[network->current];
	const size_t extents[2] = {in->rows, in->bands};
	struct kws_window window;
	for (size_t axis = 0; axis < 2; axis++) {
		size_t most = extents[axis] < 3 ? extents[axis] : 3;
		size_t kernel = 1 + choose(network->choices, most);
		window.kernel[axis] = kernel;
		window.stride[axis] = chance(network->choices, 4) ? 2 : 1;
		window.pad[2 * axis] = choose(network->choices, kernel);
		window.pad[2 * axis + 1] = choose(network->choices, kernel);
	}
	keep_bands(network, &window);
	return window;
}

/* Bands and rows under the window; type and channels are the caller's. */
static struct kws_map_shape slide(const struct network *network, const struct kws_window *window)
{
	struct kws_map_shape out = network->maps[network->current];
	out.rows = kws_window_positions(window, 0, out.rows);
	out.bands = kws_window_positions(window, 1, out.bands);
	return out;
}

static void append_window(struct network *network, const struct kws_window *window)
{
	append(network, ",'stride':[%zu,%zu],'pad':[%zu,%zu,%zu,%zu]", window->stride[0],
		window->stride[1], window->pad[0], window->pad[1], window->pad[2], window->pad[3]);
}

static void add_conv2d(struct network *network)
{
	struct kws_window window = choose_window(network);
	const struct kws_map_shape *in = &network->maps[network->current];
	struct kws_map_shape out = slide(network, &window);
	bool depthwise = chance(network->choices, 3);
	out.channels = depthwise ? in->channels : choose_channels(network);
	append(network, ",{'op':'conv2d','in':'m%zu','out':'m%zu','groups':%zu", network->current,
		network->map_count, depthwise ? in->channels : 1);
	append_window(network, &window);
	append_act(network);
	append_tensor(network, "weight",
		(const size_t[4]){window.kernel[0], window.kernel[1], depthwise ? 1 : in->channels,
			out.channels},
		false, 0);
	append_vector(network, "bias", out.channels);
	append(network, "}");
	network->current = add_map(network, &out);
}

static void add_pool(struct network *network)
{
	struct kws_window window = choose_window(network);
	struct kws_map_shape out = slide(network, &window);
	append(network, ",{'op':'%s','in':'m%zu','out':'m%zu','kernel':[%zu,%zu]",
		chance(network->choices, 2) ? "maxpool2d" : "avgpool2d", network->current,
		network->map_count, window.kernel[0], window.kernel[1]);
	append_window(network, &window);
	append(network, "}");
	network->current = add_map(network, &out);
}

/* A map that the binary convolution may add, or MAPS_MAX. */
static size_t choose_residual(
	struct network *network, const struct kws_window *window, const struct kws_map_shape *out)
{
	size_t centre = (window->kernel[0] - 1) / 2;
	if (window->stride[0] == 1 && window->pad[0] > centre) {
		return MAPS_MAX;
	}
	size_t offset = window->stride[0] == 1 ? centre - window->pad[0] : 0;
	size_t start = choose(network->choices, network->map_count);
	for (size_t i = 0; i < network->map_count; i++) {
		size_t at = (start + i) % network->map_count;
		const struct kws_map_shape *map = &network->maps[at];
		if (map->type == out->type && map->bands == out->bands &&
			map->channels == out->channels && map->rows >= out->rows + offset) {
			return at;
		}
	}
	return MAPS_MAX;
}

static size_t add_sign(struct network *network)
{
	struct kws_map_shape out = network->maps[network->current];
	append(network, ",{'op':'sign','in':'m%zu','out':'m%zu'", network->current,
		network->map_count);
	append_vector(network, "threshold", out.channels);
	append(network, "}");
	out.type = KWS_MAP_BITS;
	return add_map(network, &out);
}

/* Integers come back to floats through a concat. */
static void join(struct network *network, size_t first, size_t second)
{
	struct kws_map_shape out = network->maps[first];
	append(network, ",{'op':'concat','in':['m%zu','m%zu'],'out':'m%zu'", first, second,
		network->map_count);
	append_act(network);
	out.type = KWS_MAP_FLOAT;
	out.channels += network->maps[second].channels;
	append_vector(network, "scale", out.channels);
	append(network, "}");
	network->current = add_map(network, &out);
}

static void add_bconv2d(struct network *network)
{
	struct kws_window window = choose_window(network);
	const struct kws_map_shape *in = &network->maps[network->current];
	struct kws_map_shape out = slide(network, &window);
	bool integers = chance(network->choices, 4);
	uint32_t mask = (1u << in->channels) - 1;
	size_t bits = add_sign(network);
	out.type = integers ? KWS_MAP_INT16 : KWS_MAP_FLOAT;
	out.channels = choose_channels(network);
	size_t residual = choose_residual(network, &window, &out);
	append(network, ",{'op':'bconv2d','in':'m%zu','out':'m%zu','pad_value':%zu,'output':'%s'",
		bits, network->map_count, choose(network->choices, 2),
		integers ? "int16" : "float");
	append_window(network, &window);
	append_tensor(network, "weight",
		(const size_t[4]){out.channels, window.kernel[0], window.kernel[1], 1}, true, mask);
	if (residual != MAPS_MAX) {
		append(network, ",'residual':'m%zu'", residual);
	}
	if (!integers) {
		append_vector(network, "slope", out.channels);
		append_vector(network, "scale", out.channels);
	}
	append(network, "}");
	size_t made = add_map(network, &out);
	if (integers) {
		join(network, made, made);
	} else {
		network->current = made;
	}
}

/* The current map beside an earlier one of the same rows and bands, if there is one. */
static void add_concat(struct network *network)
{
	const struct kws_map_shape *map = &network->maps[network->current];
	for (size_t i = 0; i < network->map_count; i++) {
		const struct kws_map_shape *other = &network->maps[i];
		if (i != network->current && other->type != KWS_MAP_BITS &&
			other->rows == map->rows && other->bands == map->bands &&
			other->channels + map->channels <= 2 * CHANNELS_MAX) {
			join(network, network->current, i);
			return;
		}
	}
}

static void add_exit(struct network *network)
{
	const struct kws_map_shape *in = &network->maps[network->current];
	bool all = chance(network->choices, 2);
	append(network, ",{'op':'exit','in':'m%zu','out':'e%zu','pool':'%s'", network->current,
		network->exits++, all ? "all" : "time");
	append_act(network);
	append_tensor(network, "weight",
		(const size_t[4]){CLASSES, in->channels * (all ? 1 : in->bands), 0, 0}, false, 0);
	append(network, "}");
}

/* Mostly the last map, so that networks get deep, and sometimes an earlier one: a branch. */
static void choose_current(struct network *network)
{
	if (!chance(network->choices, 3)) {
		return;
	}
	network->current = choose(network->choices, network->map_count);
	while (network->maps[network->current].type != KWS_MAP_FLOAT) {
		network->current--; /* the input at last */
	}
}

static void add_layer(struct network *network)
{
	static void (*const kinds[])(struct network *) = {
		add_conv2d, add_pool, add_bconv2d, add_bconv2d, add_concat};
	choose_current(network);
	kinds[choose(network->choices, sizeof(kinds) / sizeof(kinds[0]))](network);
}

static void add_input(struct network *network)
{
	struct kws_map_shape shape = {
		.type = KWS_MAP_FLOAT,
		.rows = 4 + choose(network->choices, 37),
		.bands = 1 + choose(network->choices, BANDS_MAX),
		.channels = 1 + choose(network->choices, 3),
	};
	append(network, "[{'op':'input','out':'m0','shape':[%zu,%zu,%zu]}", shape.rows, shape.bands,
		shape.channels);
	network->current = add_map(network, &shape);
	network->channels = 1 + choose(network->choices, CHANNELS_MAX);
}

struct kws_model *random_network(struct choices *choices)
{
	struct network network = {.choices = choices};
	struct kws_model *model;
	struct kws_error error;
	model_builder_init(&network.builder);
	model_builder_describe(&network.builder);
	add_input(&network);
	size_t layers = 1 + choose(choices, LAYERS_MAX);
	for (size_t i = 0; i < layers; i++) {
		add_layer(&network);
		if (network.exits + 1 < EXITS_MAX && chance(choices, 3)) {
			add_exit(&network);
		}
	}
	add_exit(&network);
	append(&network, "]");
	model_builder_json(&network.builder, "kws.graph", network.json);
	if (model_builder_parse(&network.builder, &model, NULL, &error) != 0) {
		fprintf(stderr, "%s\n%s\n", network.json, error.text);
		abort();
	}
	model_builder_finish(&network.builder);
	return model;
}
