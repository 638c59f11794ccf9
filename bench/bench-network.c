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

static double time_exit(struct kws_net *net, const float *window, size_t exit)
{
	double best = 1e12;
	for (int round = 0; round < ROUNDS; round++) {
		double start = now_us();
		kws_net_begin(net, window);
		for (size_t i = 0; i <= exit; i++) {
			kws_net_run_exit(net, i);
		}
		double taken = now_us() - start;
		best = taken < best ? taken : best;
	}
	return best;
}

static void print_exits(const struct kws_graph *graph, struct kws_net *net, const float *window)
{
	double last = time_exit(net, window, graph->exit_count - 1);
	printf("exit   binary MAC    float MAC      time us  of the last  binary MAC/ns\n");
	for (size_t i = 0; i < graph->exit_count; i++) {
		struct kws_op_cost cost = kws_graph_cost(graph, i);
		double taken = time_exit(net, window, i);
		printf("%4zu %12llu %12llu %12.1f %11.0f%% %14.1f\n", i + 1,
			(unsigned long long)cost.binary_macs, (unsigned long long)cost.float_macs,
			taken, 100.0 * taken / last, (double)cost.binary_macs / taken / 1e3);
	}
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
	printf("%s, whole windows of %d frames, plain C kernels, one thread\n",
		kws_model_name(model), KWS_WINDOW_FRAMES);
	printf("front end: %.2f us for each frame of 10 ms\n", time_front_end(mel, window));
	print_exits(kws_model_graph(model), net, window);
	kws_mel_destroy(mel);
	kws_net_destroy(net);
	kws_model_destroy(model);
	return 0;
}
