/* SPDX-License-Identifier: Apache-2.0 */
/* Networks with known answers: for each MODEL.safetensors given, MODEL.vectors.safetensors holds
 * windows and every exit's logits, computed by another interpreter (train/kwstrain/reference.py).
 * The engine must give the same bits. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "bnn/net.h"
#include "bnn/safetensors.h"
#include "tests/cpu-mask.h"

struct vectors {
	struct kws_model *model;
	struct kws_net *net;
	struct kws_safetensors *file;
	const struct kws_tensor
		*windows; /* [count][rows][bands][channels] or [count][rows][bands] */
	const struct kws_tensor *logits; /* [count][exits][classes] */
};

static void open_vectors(struct vectors *vectors, const char *path)
{
	struct kws_error error = {""};
	char other[512];
	int stem = (int)(strlen(path) - strlen(".safetensors"));
	snprintf(other, sizeof(other), "%.*s.vectors.safetensors", stem, path);
	if (kws_model_load(&vectors->model, path, NULL, &error) != 0 ||
		kws_safetensors_open(&vectors->file, other, &error) != 0) {
		fail_msg("%s: %s", path, error.text);
	}
	assert_int_equal(kws_net_create(&vectors->net, vectors->model, 1), 0);
	vectors->windows = kws_safetensors_find(vectors->file, "windows");
	vectors->logits = kws_safetensors_find(vectors->file, "logits");
	assert_non_null(vectors->windows);
	assert_non_null(vectors->logits);
}

static void close_vectors(struct vectors *vectors)
{
	kws_safetensors_close(vectors->file);
	kws_net_destroy(vectors->net);
	kws_model_destroy(vectors->model);
}

static void assert_same_bits(const float *got, const float *wanted, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (memcmp(&got[i], &wanted[i], sizeof(float)) != 0) {
			fail_msg("logit %zu is %.9g, wanted %.9g", i, (double)got[i],
				(double)wanted[i]);
		}
	}
}

static void test_every_exit_matches(void **state)
{
	struct vectors vectors;
	open_vectors(&vectors, *state);
	const struct kws_graph *graph = kws_model_graph(vectors.model);
	size_t count = vectors.windows->shape[0];
	size_t window = vectors.windows->count / count;
	assert_int_equal(
		window, graph->maps[0].rows * graph->maps[0].bands * graph->maps[0].channels);
	assert_int_equal(vectors.logits->count, count * graph->exit_count * graph->classes);
	for (size_t i = 0; i < count; i++) {
		kws_net_begin(vectors.net, (const float *)vectors.windows->data + i * window);
		for (size_t e = 0; e < graph->exit_count; e++) {
			const float *wanted = (const float *)vectors.logits->data +
					      (i * graph->exit_count + e) * graph->classes;
			assert_same_bits(kws_net_run_exit(vectors.net, e), wanted, graph->classes);
		}
	}
	close_vectors(&vectors);
}

/* An exit passed over must not change what the deeper ones say. */
static void test_last_exit_alone_matches(void **state)
{
	struct vectors vectors;
	open_vectors(&vectors, *state);
	const struct kws_graph *graph = kws_model_graph(vectors.model);
	kws_net_begin(vectors.net, vectors.windows->data);
	assert_same_bits(kws_net_run_exit(vectors.net, graph->exit_count - 1),
		(const float *)vectors.logits->data + (graph->exit_count - 1) * graph->classes,
		graph->classes);
	close_vectors(&vectors);
}

int main(int argc, char **argv)
{
	if (!take_cpu_mask()) {
		return TEST_SKIPPED;
	}
	int failed = argc < 2;
	for (int i = 1; i < argc; i++) {
		const struct CMUnitTest tests[] = {
			cmocka_unit_test_prestate(test_every_exit_matches, argv[i]),
			cmocka_unit_test_prestate(test_last_exit_alone_matches, argv[i]),
		};
		failed += cmocka_run_group_tests_name(argv[i], tests, NULL, NULL);
	}
	return failed != 0;
}
