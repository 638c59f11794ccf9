/* SPDX-License-Identifier: Apache-2.0 */
/* A stream's windows computed from kept rows give the same bits as windows computed alone: for each
 * MODEL.safetensors given, random streams, every hop from 1 to 32 rows, any pattern of exits asked,
 * windows passed over and new beginnings. A failure names the seed that repeats it. With
 * KWS_STREAMING_WINDOWS=N in the environment, N windows of each model. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "bnn/net.h"
#include "tests/cpu-mask.h"

#define HOP_MAX 32
#define WINDOWS 10

struct streams {
	struct kws_model *model;
	const struct kws_graph *graph;
	size_t row_size;
	float *samples; /* enough rows for WINDOWS hops of HOP_MAX and a window */
};

/* xorshift32: the same sequence everywhere */
static uint32_t random_next(uint32_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 17;
	*state ^= *state << 5;
	return *state;
}

static size_t random_below(uint32_t *state, size_t bound)
{
	return random_next(state) % bound;
}

static void fill_stream(struct streams *streams, uint32_t *seed)
{
	size_t rows = streams->graph->maps[0].rows + WINDOWS * HOP_MAX;
	for (size_t i = 0; i < rows * streams->row_size; i++) {
		streams->samples[i] = (float)random_below(seed, 4001) / 1000.0f - 2.0f;
	}
}

static int open_model(void **state)
{
	struct streams *streams = calloc(1, sizeof(*streams));
	struct kws_error error;
	if (kws_model_load(&streams->model, *state, NULL, &error) != 0) {
		fprintf(stderr, "%s: %s\n", (const char *)*state, error.text);
		return -1;
	}
	streams->graph = kws_model_graph(streams->model);
	const struct kws_map_shape *input = &streams->graph->maps[0];
	streams->row_size = input->bands * input->channels;
	streams->samples =
		calloc((input->rows + WINDOWS * HOP_MAX) * streams->row_size, sizeof(float));
	*state = streams;
	return 0;
}

static int close_model(void **state)
{
	struct streams *streams = *state;
	kws_model_destroy(streams->model);
	free(streams->samples);
	free(streams);
	return 0;
}

static void compare_exit(const struct streams *streams, struct kws_net *stream,
	struct kws_net *alone, size_t exit, const char *place)
{
	const float *got = kws_net_run_exit(stream, exit);
	const float *wanted = kws_net_run_exit(alone, exit);
	if (memcmp(got, wanted, streams->graph->classes * sizeof(float)) != 0) {
		fail_msg("%s, exit %zu: the logits differ", place, exit + 1);
	}
}

/* One stream; some windows ask no exit, some only a few, some begin anew. */
static void run_stream(struct streams *streams, size_t hop, uint32_t seed)
{
	struct kws_net *stream;
	struct kws_net *alone;
	uint32_t random = seed;
	assert_int_equal(kws_net_create(&stream, streams->model, hop), 0);
	assert_int_equal(kws_net_create(&alone, streams->model, 1), 0);
	fill_stream(streams, &random);
	for (size_t w = 0; w < WINDOWS; w++) {
		const float *window = streams->samples + w * hop * streams->row_size;
		char place[96];
		snprintf(place, sizeof(place), "seed %u, hop %zu, window %zu", (unsigned)seed, hop,
			w);
		if (w == 0 || random_below(&random, 8) == 0) {
			kws_net_begin(stream, window);
		} else {
			kws_net_advance(stream, window);
		}
		kws_net_begin(alone, window);
		size_t asked = random_below(&random, streams->graph->exit_count + 1);
		for (size_t e = 0; e < asked; e++) {
			if (random_below(&random, 4) != 0) {
				compare_exit(streams, stream, alone, e, place);
			}
		}
	}
	kws_net_destroy(stream);
	kws_net_destroy(alone);
}

/* Windows to compare: those of one stream for each hop, or more for a long search by hand. */
static unsigned long long wanted_windows(void)
{
	const char *text = getenv("KWS_STREAMING_WINDOWS");
	return text != NULL ? strtoull(text, NULL, 10) : HOP_MAX * WINDOWS;
}

static void test_streaming_equals_whole_windows(void **state)
{
	unsigned long long windows = wanted_windows();
	uint32_t seed = 2463534242u;
	for (unsigned long long done = 0; done < windows; done += WINDOWS) {
		seed++;
		run_stream(*state, 1 + seed % HOP_MAX, seed != 0 ? seed : 1);
	}
}

/* Every row counted: a second look at the same stream computes new rows only. */
static void test_fewer_rows_are_computed(void **state)
{
	struct streams *streams = *state;
	struct kws_net *net;
	uint32_t seed = 1;
	size_t last = streams->graph->exit_count - 1;
	assert_int_equal(kws_net_create(&net, streams->model, 4), 0);
	fill_stream(streams, &seed);
	kws_net_begin(net, streams->samples);
	kws_net_run_exit(net, last);
	struct kws_net_stats whole = kws_net_stats(net);
	kws_net_advance(net, streams->samples + 4 * streams->row_size);
	kws_net_run_exit(net, last);
	struct kws_net_stats both = kws_net_stats(net);
	assert_true(both.rows - whole.rows <= whole.rows);
	assert_true(both.binary_macs - whole.binary_macs <= whole.binary_macs);
	if (strcmp(kws_model_name(streams->model), "commands") == 0) {
		/* the shipped network has no padding in time: at a hop of four frames each of its
		 * maps gains one row (the first two: two and one) */
		assert_true((both.binary_macs - whole.binary_macs) * 7 < whole.binary_macs);
	}
	kws_net_destroy(net);
}

int main(int argc, char **argv)
{
	if (!take_cpu_mask()) {
		return TEST_SKIPPED;
	}
	int failed = argc < 2;
	for (int i = 1; i < argc; i++) {
		const struct CMUnitTest tests[] = {
			{"streaming equals whole windows", test_streaming_equals_whole_windows,
				open_model, close_model, argv[i]},
			{"fewer rows are computed", test_fewer_rows_are_computed, open_model,
				close_model, argv[i]},
		};
		failed += cmocka_run_group_tests_name(argv[i], tests, NULL, NULL);
	}
	return failed != 0;
}
