/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/stream-walk.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bnn/account.h"

struct walk {
	const struct kws_graph *graph;
	struct kws_net *stream;
	struct kws_net *alone;
	struct kws_account *account; /* of the stream */
	float *samples;
	struct choices *choices;
};

static void begin_walk(struct walk *walk, const struct kws_model *model, size_t hop_frames,
	size_t steps, struct choices *choices)
{
	walk->graph = kws_model_graph(model);
	walk->choices = choices;
	size_t rows = walk->graph->maps[0].rows + (steps - 1) * hop_frames;
	size_t count = rows * kws_map_row_elements(&walk->graph->maps[0]);
	walk->samples = malloc(count * sizeof(float));
	if (walk->samples == NULL || kws_net_create(&walk->stream, model, hop_frames) != 0 ||
		kws_net_create(&walk->alone, model, 1) != 0 ||
		kws_account_create(&walk->account, walk->stream) != 0) {
		abort();
	}
	for (size_t i = 0; i < count; i++) {
		walk->samples[i] = (float)(random_next(choices) % 4001) / 1000.0f - 2.0f;
	}
}

static void end_walk(struct walk *walk)
{
	kws_account_destroy(walk->account);
	kws_net_destroy(walk->alone);
	kws_net_destroy(walk->stream);
	free(walk->samples);
}

static void begin_window(struct walk *walk, const float *window, bool anew)
{
	if (anew) {
		kws_net_begin(walk->stream, window);
		kws_account_begin(walk->account);
	} else {
		kws_net_advance(walk->stream, window);
		kws_account_advance(walk->account);
	}
	kws_net_begin(walk->alone, window);
}

static bool exit_agrees(struct walk *walk, size_t exit)
{
	const float *got = kws_net_run_exit(walk->stream, exit);
	const float *wanted = kws_net_run_exit(walk->alone, exit);
	kws_account_run_exit(walk->account, exit);
	return memcmp(got, wanted, walk->graph->classes * sizeof(float)) == 0;
}

static bool counts_agree(const struct walk *walk)
{
	struct kws_net_stats got = kws_net_stats(walk->stream);
	struct kws_net_stats wanted = kws_account_stats(walk->account);
	return got.rows == wanted.rows && got.binary_macs == wanted.binary_macs &&
	       got.float_macs == wanted.float_macs;
}

/* Goes to a depth of its own, and passes some of the exits before it over. */
static bool step_agrees(struct walk *walk, char what[64])
{
	size_t depth = choose(walk->choices, walk->graph->exit_count + 1);
	size_t passed_over = choose(walk->choices, 256); /* bit e: exit e */
	for (size_t exit = 0; exit < depth; exit++) {
		bool pass = (passed_over & (size_t)1 << exit) != 0 && exit + 1 < depth;
		if (!pass && !exit_agrees(walk, exit)) {
			snprintf(what, 64, "exit %zu: the logits differ", exit + 1);
			return false;
		}
	}
	if (!counts_agree(walk)) {
		snprintf(what, 64, "the account counts otherwise");
		return false;
	}
	return true;
}

bool stream_walk(const struct kws_model *model, size_t hop_frames, size_t steps,
	struct choices *choices, char place[128])
{
	struct walk walk;
	bool agrees = true;
	begin_walk(&walk, model, hop_frames, steps, choices);
	size_t hop_size = hop_frames * kws_map_row_elements(&walk.graph->maps[0]);
	for (size_t step = 0; agrees && step < steps; step++) {
		begin_window(&walk, walk.samples + step * hop_size,
			step == 0 || choose(choices, 16) == 0);
		char what[64];
		agrees = step_agrees(&walk, what);
		if (!agrees) {
			snprintf(place, 128, "hop %zu, window %zu, %s", hop_frames, step, what);
		}
	}
	end_walk(&walk);
	return agrees;
}
