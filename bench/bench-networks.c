/* SPDX-License-Identifier: Apache-2.0 */
/* What a decision costs: the front end for each frame and whole networks up to each exit, with the
 * kernels of every instruction set that this processor has, in turns on one thread; and where the
 * time of all exits goes.
 *
 * With `--turns MODEL WINDOW` another program takes turns with it (bench_quicknet.py): it prints
 * the logits of all exits for the features in the file WINDOW, then for each line that it reads it
 * times the whole network and its binary layers alone and prints the nanoseconds of each. */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "bench/level.h"
#include "bench/network.h"
#include "bench/race.h"
#include "bench/report.h"
#include "bnn/net.h"
#include "dsp/mel.h"

#define SLICE_US 1000.0
#define ROUNDS 10
#define PASSES 4 /* a neighbour that takes half of the core stays for longer than one race */

/* A network with the kernels of one level. */
struct runner {
	struct kws_model *model;
	struct kws_net *net;
	struct bench_operations *operations;
	const float *window;
};

/* Whole windows up to an exit. */
struct windows {
	const struct runner *runner;
	size_t exits; /* to compute */
};

/* One exit with the kernels of each level. */
struct contest {
	struct windows windows[BENCH_LEVELS_MAX];
	struct bench_entry entries[BENCH_LEVELS_MAX];
};

struct bench {
	struct bench_level levels[BENCH_LEVELS_MAX];
	size_t level_count;
	struct bench_report report;
};

static bool open_runner(struct runner *runner, const char *path, const struct bench_level *level)
{
	bench_level_enter(level);
	runner->model = bench_load_model(path);
	if (runner->model != NULL) {
		bench_check(kws_net_create(&runner->net, runner->model, 1), path);
		runner->window = bench_window();
		runner->operations = bench_operations_create(runner->model);
		bench_operations_fill(runner->operations, runner->window);
	}
	bench_level_leave();
	return runner->model != NULL;
}

static void close_runner(struct runner *runner)
{
	bench_operations_destroy(runner->operations);
	kws_net_destroy(runner->net);
	kws_model_destroy(runner->model);
}

/* An entry's run: windows alone, all of their rows, the exits one after the other. */
static void run_windows(void *user, size_t times)
{
	const struct windows *windows = user;
	const struct runner *runner = windows->runner;
	for (size_t i = 0; i < times; i++) {
		kws_net_begin(runner->net, runner->window);
		for (size_t exit = 0; exit < windows->exits; exit++) {
			kws_net_run_exit(runner->net, exit);
		}
	}
}

static void print_exit(const struct bench *bench, const struct kws_op_cost *cost, size_t exit,
	const struct bench_entry *entries)
{
	printf("%4zu %12.2f %11.2f", exit + 1, (double)cost->binary_macs / 1e6,
		(double)cost->float_macs / 1e6);
	for (size_t i = 0; i < bench->level_count; i++) {
		printf(" %10.1f", entries[i].best_ns / 1e3);
	}
	printf(" %8.0f%% %11.0f\n", 100.0 * entries[0].spread,
		(double)cost->binary_macs / entries[0].best_ns);
}

static void report_exit(struct bench *bench, const struct kws_model *model,
	const struct bench_entry *entries, size_t exit)
{
	struct kws_op_cost cost = kws_graph_cost(kws_model_graph(model), exit);
	print_exit(bench, &cost, exit, entries);
	for (size_t i = 0; i < bench->level_count; i++) {
		bench_report_add(&bench->report, "networks",
			json_pack("{s:s, s:s, s:I, s:I, s:I, s:f, s:f}", "network",
				kws_model_name(model), "kernels", bench->levels[i].name, "exit",
				(json_int_t)exit + 1, "binary_macs", (json_int_t)cost.binary_macs,
				"float_macs", (json_int_t)cost.float_macs, "us",
				entries[i].best_ns / 1e3, "spread", entries[i].spread));
	}
}

/* Every exit with the kernels of each level, several times over (see PASSES). */
static void bench_exits(struct bench *bench, const struct runner *runners)
{
	struct contest contests[KWS_EXITS_MAX] = {0};
	size_t exits = kws_model_graph(runners[0].model)->exit_count;
	for (size_t exit = 0; exit < exits; exit++) {
		for (size_t i = 0; i < bench->level_count; i++) {
			contests[exit].windows[i] = (struct windows){&runners[i], exit + 1};
			contests[exit].entries[i] = (struct bench_entry){
				.run = run_windows, .user = &contests[exit].windows[i]};
		}
	}
	for (size_t i = 0; i < PASSES * exits; i++) {
		bench_race(contests[i % exits].entries, bench->level_count, SLICE_US, ROUNDS);
	}
	for (size_t exit = 0; exit < exits; exit++) {
		report_exit(bench, runners[0].model, contests[exit].entries, exit);
	}
}

/* Where the time goes with the fastest kernels: each kind of operation alone beside the whole. */
static void bench_kinds(struct bench *bench, struct runner *runner)
{
	struct bench_kind kinds[BENCH_KINDS_MAX];
	struct bench_entry entries[BENCH_KINDS_MAX + 1];
	size_t count = bench_kinds_find(runner->operations, kinds);
	double binary_ns = 0.0;
	for (size_t i = 0; i < count; i++) {
		entries[i] = (struct bench_entry){.run = bench_kind_run, .user = &kinds[i]};
	}
	struct windows all = {runner, kws_model_graph(runner->model)->exit_count};
	entries[count] = (struct bench_entry){.run = run_windows, .user = &all};
	for (size_t pass = 0; pass < PASSES; pass++) {
		bench_race(entries, count + 1, SLICE_US, ROUNDS);
	}
	double whole_ns = entries[count].best_ns;
	printf("all exits %.1f us:", whole_ns / 1e3);
	for (size_t i = 0; i < count; i++) {
		double ns = entries[i].best_ns;
		binary_ns = strcmp(kinds[i].name, "bconv2d") == 0 ? ns : binary_ns;
		printf(" %s %.1f (%.0f%%)", kinds[i].name, ns / 1e3, 100.0 * ns / whole_ns);
	}
	printf("; %.2f times its binary layers alone\n", whole_ns / binary_ns);
	for (size_t i = 0; i <= count; i++) {
		bench_report_add(&bench->report, "kinds",
			json_pack("{s:s, s:s, s:f}", "network", kws_model_name(runner->model),
				"kind", i < count ? kinds[i].name : "all", "us",
				entries[i].best_ns / 1e3));
	}
}

static void bench_network(struct bench *bench, const char *path)
{
	struct runner runners[BENCH_LEVELS_MAX];
	for (size_t i = 0; i < bench->level_count; i++) {
		if (!open_runner(&runners[i], path, &bench->levels[i])) {
			return; /* so it is with the first */
		}
	}
	printf("\n%s, a window of %d frames\n%4s %12s %11s", kws_model_name(runners[0].model),
		KWS_WINDOW_FRAMES, "exit", "binary MMAC", "float MMAC");
	for (size_t i = 0; i < bench->level_count; i++) {
		printf(" %7s us", bench->levels[i].name);
	}
	printf("   spread  bin. MAC/ns\n");
	bench_exits(bench, runners);
	bench_kinds(bench, &runners[0]);
	for (size_t i = 0; i < bench->level_count; i++) {
		close_runner(&runners[i]);
	}
}

/* An entry's run: frames of 10 ms. */
static void run_front_end(void *user, size_t times)
{
	static float samples[KWS_FRAME_SAMPLES];
	float features[KWS_MEL_BANDS];
	for (size_t i = 0; i < times; i++) {
		samples[i % KWS_FRAME_SAMPLES] = (float)(i % 1024) / 1024.0f - 0.5f;
		kws_mel_frame(user, samples, features);
	}
}

static void bench_front_end(struct bench *bench)
{
	struct kws_mel *mels[BENCH_LEVELS_MAX];
	struct bench_entry entries[BENCH_LEVELS_MAX];
	for (size_t i = 0; i < bench->level_count; i++) {
		bench_level_enter(&bench->levels[i]);
		bench_check(kws_mel_create(&mels[i]), "front end");
		bench_level_leave();
		entries[i] = (struct bench_entry){.run = run_front_end, .user = mels[i]};
	}
	bench_race(entries, bench->level_count, SLICE_US, ROUNDS);
	printf("\nfront end, a frame of 10 ms:");
	for (size_t i = 0; i < bench->level_count; i++) {
		printf(" %s %.2f us", bench->levels[i].name, entries[i].best_ns / 1e3);
		bench_report_add(&bench->report, "front_end",
			json_pack("{s:s, s:f, s:f}", "kernels", bench->levels[i].name, "us",
				entries[i].best_ns / 1e3, "spread", entries[i].spread));
		kws_mel_destroy(mels[i]);
	}
	printf("\n");
}

/* The logits of all exits, one after the other. */
static bool print_logits(const struct runner *runner, const char *path)
{
	static float window[KWS_WINDOW_FRAMES * KWS_MEL_BANDS];
	FILE *file = fopen(path, "rb");
	size_t read = file != NULL ? fread(window, sizeof(window), 1, file) : 0;
	if (file != NULL) {
		fclose(file);
	}
	if (read != 1) {
		fprintf(stderr, "bench: %s is no window of features\n", path);
		return false;
	}
	kws_net_begin(runner->net, window);
	for (size_t exit = 0; exit < kws_model_graph(runner->model)->exit_count; exit++) {
		const float *logits = kws_net_run_exit(runner->net, exit);
		for (size_t c = 0; c < kws_model_label_count(runner->model); c++) {
			printf("%.9g ", (double)logits[c]);
		}
	}
	printf("\n");
	fflush(stdout);
	return true;
}

static int take_turns(struct bench *bench, const char *path, const char *window_path)
{
	struct runner runner;
	char line[16];
	if (!open_runner(&runner, path, &bench->levels[0])) {
		return 1;
	}
	struct bench_kind binary = {runner.operations, "bconv2d"};
	struct windows all = {&runner, kws_model_graph(runner.model)->exit_count};
	bool ready = print_logits(&runner, window_path);
	while (ready && fgets(line, sizeof(line), stdin) != NULL) {
		struct bench_entry entries[] = {
			{.run = run_windows, .user = &all},
			{.run = bench_kind_run, .user = &binary},
		};
		bench_race(entries, 2, SLICE_US, 3);
		printf("%.0f %.0f\n", entries[0].best_ns, entries[1].best_ns);
		fflush(stdout);
	}
	close_runner(&runner);
	return ready ? 0 : 1;
}

int main(int argc, char **argv)
{
	struct bench bench = {0};
	int next = bench_report_begin(&bench.report, "networks", argc, argv);
	bench.level_count = bench_levels_find(bench.levels);
	if (next + 3 == argc && strcmp(argv[next], "--turns") == 0) {
		json_decref(bench.report.root);
		return take_turns(&bench, argv[next + 1], argv[next + 2]);
	}
	bench_front_end(&bench);
	for (int i = next; i < argc; i++) {
		bench_network(&bench, argv[i]);
	}
	return bench_report_end(&bench.report);
}
