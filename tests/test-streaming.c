/* SPDX-License-Identifier: Apache-2.0 */
/* A stream's windows computed from kept rows give the same bits as windows computed alone, for each
 * MODEL.safetensors given and for random networks: random streams, every hop from 1 to 32 rows, any
 * pattern of exits asked, windows passed over and new beginnings. A failure names the seed that
 * repeats it. With KWS_STREAMING_WINDOWS=N in the environment, N windows of each model and of
 * random networks. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/cpu-mask.h"
#include "tests/stream-walk.h"

#define WINDOWS 10 /* of a stream through a model given, which may be large */
#define RANDOM_WINDOWS 32
#define RANDOM_NETWORKS 2000
#define FIRST_SEED 2463534242u

static int open_model(void **state)
{
	struct kws_model *model;
	struct kws_error error;
	if (kws_model_load(&model, *state, NULL, &error) != 0) {
		fprintf(stderr, "%s: %s\n", (const char *)*state, error.text);
		return -1;
	}
	*state = model;
	return 0;
}

static int close_model(void **state)
{
	kws_model_destroy(*state);
	return 0;
}

/* Windows to compare, or more for a long search by hand. */
static unsigned long long wanted_windows(unsigned long long usual)
{
	const char *text = getenv("KWS_STREAMING_WINDOWS");
	return text != NULL ? strtoull(text, NULL, 10) : usual;
}

static void walk(
	const struct kws_model *model, struct choices *choices, size_t windows, uint32_t seed)
{
	char place[128];
	if (!stream_walk(model, 1 + seed % WALK_HOP_MAX, windows, choices, place)) {
		fail_msg("seed %u, %s", (unsigned)seed, place);
	}
}

static void test_streaming_equals_whole_windows(void **state)
{
	unsigned long long windows = wanted_windows(WALK_HOP_MAX * WINDOWS);
	uint32_t seed = FIRST_SEED;
	for (unsigned long long done = 0; done < windows; done += WINDOWS) {
		seed++;
		struct choices choices = {.state = seed != 0 ? seed : 1};
		walk(*state, &choices, WINDOWS, seed);
	}
}

static void test_random_networks(void **state)
{
	(void)state;
	unsigned long long windows = wanted_windows(RANDOM_NETWORKS * RANDOM_WINDOWS);
	uint32_t seed = FIRST_SEED;
	for (unsigned long long done = 0; done < windows; done += RANDOM_WINDOWS) {
		seed++;
		struct choices choices = {.state = seed != 0 ? seed : 1};
		struct kws_model *model = random_network(&choices);
		walk(model, &choices, RANDOM_WINDOWS, seed);
		kws_model_destroy(model);
	}
}

/* What a whole window costs, and the window four rows later in the same stream. */
static void count_both(
	const struct kws_model *model, struct kws_net_stats *whole, struct kws_net_stats *next)
{
	struct kws_net *net;
	const struct kws_graph *graph = kws_model_graph(model);
	float *window = calloc(graph->maps[0].rows, kws_map_row_bytes(&graph->maps[0]));
	assert_non_null(window);
	assert_int_equal(kws_net_create(&net, model, 4), 0);
	kws_net_begin(net, window);
	kws_net_run_exit(net, graph->exit_count - 1);
	*whole = kws_net_stats(net);
	kws_net_advance(net, window);
	kws_net_run_exit(net, graph->exit_count - 1);
	*next = kws_net_stats(net);
	next->rows -= whole->rows;
	next->binary_macs -= whole->binary_macs;
	kws_net_destroy(net);
	free(window);
}

static void test_fewer_rows_are_computed(void **state)
{
	const char *name = kws_model_name(*state);
	struct kws_net_stats whole;
	struct kws_net_stats next;
	count_both(*state, &whole, &next);
	assert_true(next.rows < whole.rows);
	assert_true(next.binary_macs <= whole.binary_macs);
	if (strcmp(name, "tiny-quicknet") == 0) {
		/* padding in every layer leaves the rows in the middle */
		assert_true(next.rows * 5 < whole.rows * 4);
		assert_true(next.binary_macs < whole.binary_macs);
	}
	if (strcmp(name, "commands") == 0) {
		/* the shipped network has no padding in time: at a hop of four frames each of its
		 * maps gains one row (the first two: two and one) */
		assert_true(next.binary_macs * 7 < whole.binary_macs);
	}
}

int main(int argc, char **argv)
{
	const struct CMUnitTest random_tests[] = {cmocka_unit_test(test_random_networks)};
	if (!take_cpu_mask()) {
		return TEST_SKIPPED;
	}
	int failed = argc < 2;
	failed += cmocka_run_group_tests_name("random networks", random_tests, NULL, NULL);
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
