/* SPDX-License-Identifier: Apache-2.0 */
/* The account counts what the net computes, hop by hop: for each MODEL.safetensors given, every hop
 * from 1 to 32 rows, random depths, exits passed over, hops without any exit and new beginnings. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "bnn/account.h"

#define HOP_MAX 32
#define WINDOWS 60
#define SEED 7

struct pair {
	struct kws_net *net;
	struct kws_account *account;
	const float *window; /* what is in it does not matter */
};

static void *load(const char *path)
{
	struct kws_model *model;
	struct kws_error error;
	if (kws_model_load(&model, path, NULL, &error) != 0) {
		fprintf(stderr, "%s: %s\n", path, error.text);
		return NULL;
	}
	return model;
}

static int open_model(void **state)
{
	*state = load(*state);
	return *state != NULL ? 0 : -1;
}

static int close_model(void **state)
{
	kws_model_destroy(*state);
	return 0;
}

static void begin_window(struct pair *pair, bool anew)
{
	if (anew) {
		kws_net_begin(pair->net, pair->window);
		kws_account_begin(pair->account);
	} else {
		kws_net_advance(pair->net, pair->window);
		kws_account_advance(pair->account);
	}
}

static void run_exits(struct pair *pair, unsigned *seed)
{
	size_t exits = kws_net_graph(pair->net)->exit_count;
	size_t depth = (size_t)rand_r(seed) % (exits + 1); /* 0: no exit is asked */
	for (size_t exit = 0; exit < depth; exit++) {
		if (rand_r(seed) % 4 == 0) {
			continue; /* passed over */
		}
		kws_net_run_exit(pair->net, exit);
		kws_account_run_exit(pair->account, exit);
	}
}

static void compare(const struct pair *pair)
{
	struct kws_net_stats wanted = kws_net_stats(pair->net);
	struct kws_net_stats got = kws_account_stats(pair->account);
	assert_int_equal(got.rows, wanted.rows);
	assert_int_equal(got.binary_macs, wanted.binary_macs);
	assert_int_equal(got.float_macs, wanted.float_macs);
}

static void test_same_count(void **state)
{
	const struct kws_model *model = *state;
	const struct kws_map_shape *input = &kws_model_graph(model)->maps[0];
	float *window = calloc(input->rows * input->bands * input->channels, sizeof(*window));
	unsigned seed = SEED;
	for (size_t hop_frames = 1; hop_frames <= HOP_MAX; hop_frames++) {
		struct pair pair = {.window = window};
		assert_int_equal(kws_net_create(&pair.net, model, hop_frames), 0);
		assert_int_equal(kws_account_create(&pair.account, pair.net), 0);
		for (int i = 0; i < WINDOWS; i++) {
			begin_window(&pair, i == 0 || rand_r(&seed) % 20 == 0);
			run_exits(&pair, &seed);
			compare(&pair);
		}
		assert_true(kws_account_stats(pair.account).rows > 0);
		kws_account_destroy(pair.account);
		kws_net_destroy(pair.net);
	}
	free(window);
}

int main(int argc, char **argv)
{
	int failed = argc < 2;
	for (int i = 1; i < argc; i++) {
		const struct CMUnitTest tests[] = {
			cmocka_unit_test_prestate_setup_teardown(
				test_same_count, open_model, close_model, argv[i]),
		};
		failed += cmocka_run_group_tests_name(argv[i], tests, NULL, NULL);
	}
	return failed != 0;
}
