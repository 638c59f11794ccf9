/* SPDX-License-Identifier: Apache-2.0 */
/* What a decision costs: the front end for each frame and the network up to each exit, on one core.
 * Each figure is the fastest of several rounds, since other programs only ever make a round slower;
 * compare figures of one run with each other, not with those of another machine. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "bnn/net.h"
#include "dsp/mel.h"

#define ROUNDS 20
#define HOPS 8          /* of a round */
#define WARM_UP_HOPS 64 /* until every phase has its rows */
#define WINDOW_SIZE (KWS_WINDOW_FRAMES * KWS_MEL_BANDS)

static double now_us(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

static float noise(void)
{
	return (float)rand() / (float)RAND_MAX * 2.0f - 1.0f;
}

static double time_front_end(struct kws_mel *mel, float *window)
{
	static float second[KWS_SAMPLE_RATE_HZ];
	double best = 1e12;
	for (int i = 0; i < KWS_SAMPLE_RATE_HZ; i++) {
		second[i] = noise() * 0.1f;
	}
	for (int round = 0; round < ROUNDS; round++) {
		double start = now_us();
		kws_mel_clip(mel, second, KWS_SAMPLE_RATE_HZ, window);
		double taken = (now_us() - start) / KWS_WINDOW_FRAMES;
		best = taken < best ? taken : best;
	}
	return best;
}

/* One window alone: all of its rows. */
static double time_whole(struct kws_net *net, const float *window, size_t exit)
{
	double best = 1e12;
	for (int round = 0; round < ROUNDS; round++) {
		double start = now_us();
		kws_net_begin(net, window);
		kws_net_run_exit(net, exit);
		double taken = now_us() - start;
		best = taken < best ? taken : best;
	}
	return best;
}

/* A hop of a stream in which every window goes as deep as this exit: only new rows. The content
 * does not matter for the time, so every window is the same memory. */
static double time_hop(
	struct kws_net *net, const float *window, size_t exit, struct kws_net_stats *cost)
{
	double best = 1e12;
	kws_net_begin(net, window);
	kws_net_run_exit(net, exit);
	for (int hop = 0; hop < WARM_UP_HOPS; hop++) {
		kws_net_advance(net, window);
		kws_net_run_exit(net, exit);
	}
	struct kws_net_stats before = kws_net_stats(net);
	for (int round = 0; round < ROUNDS; round++) {
		double start = now_us();
		for (int hop = 0; hop < HOPS; hop++) {
			kws_net_advance(net, window);
			kws_net_run_exit(net, exit);
		}
		double taken = (now_us() - start) / HOPS;
		best = taken < best ? taken : best;
	}
	struct kws_net_stats after = kws_net_stats(net);
	cost->binary_macs = (after.binary_macs - before.binary_macs) / (ROUNDS * HOPS);
	cost->float_macs = (after.float_macs - before.float_macs) / (ROUNDS * HOPS);
	return best;
}

static void print_whole(const struct kws_graph *graph, struct kws_net *net, const float *window)
{
	printf("\nwhole windows\nexit   binary MAC    float MAC      time us  binary MAC/ns\n");
	for (size_t i = 0; i < graph->exit_count; i++) {
		struct kws_op_cost cost = kws_graph_cost(graph, i);
		double taken = time_whole(net, window, i);
		printf("%4zu %12llu %12llu %12.1f %14.1f\n", i + 1,
			(unsigned long long)cost.binary_macs, (unsigned long long)cost.float_macs,
			taken, (double)cost.binary_macs / taken / 1e3);
	}
}

static int print_hops(const struct kws_model *model, size_t hop_frames, const float *window)
{
	const struct kws_graph *graph = kws_model_graph(model);
	struct kws_net *net;
	if (kws_net_create(&net, model, hop_frames) != 0) {
		return KWS_ENOMEM;
	}
	printf("\nhops of %zu ms in a stream\n"
	       "exit   binary MAC    float MAC      time us  of a whole window: MAC   time\n",
		hop_frames * 10);
	for (size_t i = 0; i < graph->exit_count; i++) {
		struct kws_net_stats hop;
		struct kws_op_cost whole = kws_graph_cost(graph, i);
		double taken = time_hop(net, window, i, &hop);
		printf("%4zu %12llu %12llu %12.1f %22.1f%% %5.1f%%\n", i + 1,
			(unsigned long long)hop.binary_macs, (unsigned long long)hop.float_macs,
			taken, 100.0 * (double)hop.binary_macs / (double)whole.binary_macs,
			100.0 * taken / time_whole(net, window, i));
	}
	kws_net_destroy(net);
	return 0;
}

int main(int argc, char **argv)
{
	static float window[WINDOW_SIZE];
	struct kws_error error;
	struct kws_model *model;
	struct kws_net *net;
	struct kws_mel *mel;
	if (argc != 2) {
		fprintf(stderr, "usage: bench-network MODEL\n");
		return 2;
	}
	if (kws_model_load(&model, argv[1], kws_mel_describe(), &error) != 0) {
		fprintf(stderr, "bench-network: %s: %s\n", argv[1], error.text);
		return 1;
	}
	if (kws_net_create(&net, model, 1) != 0 || kws_mel_create(&mel) != 0) {
		fprintf(stderr, "bench-network: out of memory\n");
		return 1;
	}
	printf("%s, windows of %d frames, plain C kernels, one thread\n", kws_model_name(model),
		KWS_WINDOW_FRAMES);
	printf("front end: %.2f us for each frame of 10 ms\n", time_front_end(mel, window));
	print_whole(kws_model_graph(model), net, window);
	for (size_t hop_frames = 1; hop_frames <= 8; hop_frames *= 2) {
		if (print_hops(model, hop_frames, window) != 0) {
			fprintf(stderr, "bench-network: out of memory\n");
		}
	}
	kws_mel_destroy(mel);
	kws_net_destroy(net);
	kws_model_destroy(model);
	return 0;
}
