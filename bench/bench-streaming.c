/* SPDX-License-Identifier: Apache-2.0 */
/* What a hop of a stream costs beside the same exits of a whole window: for hops of 1 to 8 frames
 * and each exit, and on a recording where the default policy decides how deep each hop goes. */
#include <stdbool.h>
#include <stdio.h>

#include "bench/network.h"
#include "bench/race.h"
#include "bench/recording.h"
#include "bench/report.h"
#include "bnn/net.h"
#include "dsp/mel.h"

#define SLICE_US 1000.0
#define ROUNDS 8
#define PASSES 3        /* a neighbour that takes half of the core stays for longer than one race */
#define HOPS 4          /* of 1, 2, 4 and 8 frames */
#define HOPS_COUNTED 64 /* a multiple of every stride, so that each phase counts alike */
#define WARM_UP_HOPS 128 /* until every phase has its rows */
#define SPEECH_ROUNDS 5
#define SPEECH_SECONDS_MAX 30
#define HOPS_A_SECOND 100
#define LISTENERS 3

struct streamer {
	struct kws_net *net;
	const float *window;
	size_t exits; /* to compute */
	bool whole;   /* each window alone */
};

static void run_exits(const struct streamer *streamer)
{
	for (size_t exit = 0; exit < streamer->exits; exit++) {
		kws_net_run_exit(streamer->net, exit);
	}
}

/* An entry's run: hops. The content does not matter for the time, so every window is the same. */
static void run_hops(void *user, size_t times)
{
	const struct streamer *streamer = user;
	for (size_t i = 0; i < times; i++) {
		if (streamer->whole) {
			kws_net_begin(streamer->net, streamer->window);
		} else {
			kws_net_advance(streamer->net, streamer->window);
		}
		run_exits(streamer);
	}
}

/* Multiply-accumulates of one hop. */
struct cost {
	double binary;
	double floating;
};

static struct cost cost_between(
	struct kws_net_stats before, struct kws_net_stats after, size_t hops)
{
	return (struct cost){
		(double)(after.binary_macs - before.binary_macs) / (double)hops,
		(double)(after.float_macs - before.float_macs) / (double)hops,
	};
}

static struct cost count_hops(struct streamer *streamer)
{
	kws_net_begin(streamer->net, streamer->window);
	run_exits(streamer);
	run_hops(streamer, WARM_UP_HOPS);
	struct kws_net_stats before = kws_net_stats(streamer->net);
	run_hops(streamer, HOPS_COUNTED);
	return cost_between(before, kws_net_stats(streamer->net), HOPS_COUNTED);
}

/* How many times less the stream needs. */
static double times_less(struct cost whole, struct cost stream)
{
	return (whole.binary + whole.floating) / (stream.binary + stream.floating);
}

/* Whole windows against the stream, for one hop and one exit. */
struct contest {
	size_t hop_frames;
	struct streamer streamers[2];
	struct cost costs[2];
	struct bench_entry entries[2];
};

static void prepare(struct contest *contest, struct kws_net *nets[2], const float *window,
	size_t hop_frames, size_t exits)
{
	contest->hop_frames = hop_frames;
	for (size_t i = 0; i < 2; i++) {
		struct streamer *streamer = &contest->streamers[i];
		*streamer = (struct streamer){
			.net = nets[i], .window = window, .exits = exits, .whole = i == 0};
		contest->costs[i] = count_hops(streamer);
		contest->entries[i] = (struct bench_entry){.run = run_hops, .user = streamer};
	}
}

static void report_contest(
	struct bench_report *report, const struct kws_model *model, const struct contest *contest)
{
	struct cost whole = contest->costs[0];
	struct cost stream = contest->costs[1];
	size_t exits = contest->streamers[0].exits;
	double whole_us = contest->entries[0].best_ns / 1e3;
	double stream_us = contest->entries[1].best_ns / 1e3;
	printf("%5zu %4zu %11.3f %10.3f %9.1f %11.3f %10.3f %9.1f %10.1fx %6.1fx\n",
		contest->hop_frames, exits, whole.binary / 1e6, whole.floating / 1e6, whole_us,
		stream.binary / 1e6, stream.floating / 1e6, stream_us, times_less(whole, stream),
		whole_us / stream_us);
	bench_report_add(report, "hops",
		json_pack("{s:s, s:I, s:I, s:f, s:f, s:f, s:f, s:f, s:f}", "network",
			kws_model_name(model), "hop_frames", (json_int_t)contest->hop_frames,
			"exit", (json_int_t)exits, "whole_binary_macs", whole.binary,
			"whole_float_macs", whole.floating, "whole_us", whole_us,
			"stream_binary_macs", stream.binary, "stream_float_macs", stream.floating,
			"stream_us", stream_us));
}

/* Hops of 1, 2, 4 and 8 frames to each exit, several times over (see PASSES). */
static void bench_hops(struct bench_report *report, const struct kws_model *model)
{
	static struct contest contests[HOPS * KWS_EXITS_MAX];
	struct kws_net *nets[HOPS][2];
	size_t exits = kws_model_graph(model)->exit_count;
	const float *window = bench_window();
	for (size_t h = 0; h < HOPS; h++) {
		for (size_t i = 0; i < 2; i++) {
			bench_check(kws_net_create(&nets[h][i], model, 1u << h), "network");
		}
		for (size_t exit = 0; exit < exits; exit++) {
			prepare(&contests[h * exits + exit], nets[h], window, 1u << h, exit + 1);
		}
	}
	for (size_t i = 0; i < PASSES * HOPS * exits; i++) {
		bench_race(contests[i % (HOPS * exits)].entries, 2, SLICE_US, ROUNDS);
	}
	for (size_t i = 0; i < HOPS * exits; i++) {
		report_contest(report, model, &contests[i]);
	}
	for (size_t h = 0; h < HOPS; h++) {
		kws_net_destroy(nets[h][0]);
		kws_net_destroy(nets[h][1]);
	}
}

static void bench_model(struct bench_report *report, const struct kws_model *model)
{
	printf("\n%s: millions of multiply-accumulates and microseconds a hop\n"
	       "%10s | %32s | %32s | %s\n%5s %4s %11s %10s %9s %11s %10s %9s %11s %7s\n",
		kws_model_name(model), "", "whole window", "stream", "times less", "hop", "exit",
		"binary", "float", "us", "binary", "float", "us", "operations", "time");
	bench_hops(report, model);
}

/* A net that hears a recording and goes as deep as the default policy went. */
struct listener {
	struct kws_net *net;
	const struct bench_recording *recording;
	size_t exits;                       /* of the model */
	bool whole;                         /* each window alone */
	bool all;                           /* every exit, whatever the policy says */
	double best_ns[SPEECH_SECONDS_MAX]; /* of each second, over the rounds */
};

static void listen(struct listener *listener, size_t begin, size_t end)
{
	const struct bench_recording *recording = listener->recording;
	for (size_t hop = begin; hop < end; hop++) {
		const float *window = recording->frames + hop * KWS_MEL_BANDS;
		size_t depth = listener->all ? listener->exits : recording->depths[hop];
		if (hop == 0 || listener->whole) {
			kws_net_begin(listener->net, window);
		} else {
			kws_net_advance(listener->net, window);
		}
		for (size_t exit = 0; exit < depth; exit++) {
			kws_net_run_exit(listener->net, exit);
		}
	}
}

/* A second of the recording, in which the listeners take turns. */
static void time_second(struct listener *listeners, size_t second)
{
	size_t hops = listeners[0].recording->hops;
	size_t end = (second + 1) * HOPS_A_SECOND;
	for (size_t i = 0; i < LISTENERS; i++) {
		double *best = &listeners[i].best_ns[second];
		double start = bench_now_ns();
		listen(&listeners[i], second * HOPS_A_SECOND, end < hops ? end : hops);
		double taken = bench_now_ns() - start;
		*best = *best == 0.0 || taken < *best ? taken : *best;
	}
}

static double sum_us(const struct listener *listener)
{
	double sum = 0.0;
	for (size_t i = 0; i < SPEECH_SECONDS_MAX; i++) {
		sum += listener->best_ns[i];
	}
	return sum / 1e3;
}

static double mean_depth(const struct bench_recording *recording)
{
	double sum = 0.0;
	for (size_t i = 0; i < recording->hops; i++) {
		sum += recording->depths[i];
	}
	return sum / (double)recording->hops;
}

static void print_listener(const char *name, const struct cost *cost, double us,
	const struct cost *stream, double stream_us)
{
	printf("%-36s %11.3f %10.3f %9.1f %10.1fx %6.1fx\n", name, cost->binary / 1e6,
		cost->floating / 1e6, us, times_less(*cost, *stream), us / stream_us);
}

static void report_speech(struct bench_report *report, const struct kws_model *model,
	const struct listener listeners[LISTENERS], const struct cost costs[LISTENERS])
{
	static const char *const names[] = {"stream, default policy",
		"whole windows, the same exits", "whole windows, all exits"};
	const struct bench_recording *recording = listeners[0].recording;
	double hops = (double)recording->hops;
	printf("\n%s on %.0f s of speech, hop 1 frame, mean exit %.2f\n%-36s %11s %10s %9s %11s "
	       "%7s\n",
		kws_model_name(model), hops / HOPS_A_SECOND, mean_depth(recording), "a hop",
		"binary MMAC", "float MMAC", "us", "operations", "time");
	for (size_t i = 0; i < LISTENERS; i++) {
		double us = sum_us(&listeners[i]) / hops;
		print_listener(names[i], &costs[i], us, &costs[0], sum_us(&listeners[0]) / hops);
		bench_report_add(report, "speech",
			json_pack("{s:s, s:s, s:f, s:f, s:f, s:f}", "network",
				kws_model_name(model), "way", names[i], "mean_exit",
				listeners[i].all ? (double)listeners[i].exits
						 : mean_depth(recording),
				"binary_macs", costs[i].binary, "float_macs", costs[i].floating,
				"us", us));
	}
}

static void bench_speech(struct bench_report *report, const struct kws_model *model,
	const struct bench_recording *recording)
{
	struct listener listeners[LISTENERS] = {
		{.whole = false}, {.whole = true}, {.whole = true, .all = true}};
	struct cost costs[LISTENERS];
	for (size_t i = 0; i < LISTENERS; i++) {
		listeners[i].recording = recording;
		listeners[i].exits = kws_model_graph(model)->exit_count;
		bench_check(kws_net_create(&listeners[i].net, model, 1), "network");
	}
	for (size_t round = 0; round < SPEECH_ROUNDS; round++) {
		for (size_t at = 0; at * HOPS_A_SECOND < recording->hops; at++) {
			time_second(listeners, at);
		}
	}
	for (size_t i = 0; i < LISTENERS; i++) {
		costs[i] = cost_between((struct kws_net_stats){0}, kws_net_stats(listeners[i].net),
			SPEECH_ROUNDS * recording->hops);
		kws_net_destroy(listeners[i].net);
	}
	report_speech(report, model, listeners, costs);
}

static void bench_list(struct bench_report *report, struct kws_model *model, const char *list)
{
	struct bench_recording recording;
	struct kws_error error = {"out of memory"};
	if (bench_recording_read(&recording, list, SPEECH_SECONDS_MAX, model, &error) != 0) {
		printf("\nno speech to listen to: %s\n", error.text);
		return;
	}
	bench_speech(report, model, &recording);
	bench_recording_finish(&recording);
}

/* Arguments: a list of recordings, the model that listens to them, other models. */
int main(int argc, char **argv)
{
	struct bench_report report;
	int next = bench_report_begin(&report, "streaming", argc, argv);
	if (next >= argc) {
		fprintf(stderr,
			"usage: bench-streaming [--json FILE] LIST-OF-RECORDINGS MODEL...\n");
		return 2;
	}
	for (int i = next + 1; i < argc; i++) {
		struct kws_model *model = bench_load_model(argv[i]);
		if (model != NULL) {
			bench_model(&report, model);
			if (i == next + 1) {
				bench_list(&report, model, argv[next]);
			}
			kws_model_destroy(model);
		}
	}
	return bench_report_end(&report);
}
