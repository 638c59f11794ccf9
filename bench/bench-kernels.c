/* SPDX-License-Identifier: Apache-2.0 */
/* The binary convolutions of the four backbones and of the command model, with the kernels of every
 * instruction set that this processor has: the inner tile alone and the whole operation, as a share
 * of the register peak, beside the same shape in oneDNN, all in turns on one thread. */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "bench/convolution.h"
#include "bench/level.h"
#include "bench/onednn.h"
#include "bench/peak.h"
#include "bench/race.h"
#include "bench/report.h"

#define SLICE_US 200.0
#define ROUNDS 10
#define PASSES 3

/* What one layer's race is between; those of a level stand together. */
enum { ENTRY_CLOCK, ENTRY_F32, ENTRY_INT8, ENTRIES_FIXED };
enum { ENTRY_PEAK, ENTRY_TILE, ENTRY_LAYER, ENTRIES_OF_LEVEL };

/* The least of QuickNet's layers: 3x3 with 64, 128, 256 and 512 channels. */
struct least {
	double tile_share;
	double layer_share;
	double f32_ratio;
	double int8_ratio;
};

struct bench {
	struct bench_level levels[BENCH_LEVELS_MAX];
	const struct bench_peak *peaks[BENCH_LEVELS_MAX]; /* NULL: none for that level */
	double peak_rates[BENCH_LEVELS_MAX];              /* the best so far, in MAC/ns */
	size_t level_count;
	struct least least[BENCH_LEVELS_MAX];
	bool onednn;
	struct bench_report report;
};

/* One layer's contestants and their times. */
struct race {
	const struct bench_layer *layer;
	struct bench_entry entries[ENTRIES_FIXED + BENCH_LEVELS_MAX * ENTRIES_OF_LEVEL];
	struct bench_onednn *f32;
	struct bench_onednn *int8;
	struct bench_tile *tiles[BENCH_LEVELS_MAX];
	struct bench_convolution *convolutions[BENCH_LEVELS_MAX];
};

static const struct bench_peak *find_peak(const char *name)
{
	static const struct {
		const char *name;
		const struct bench_peak *peak;
	} peaks[] = {
		{"c", &bench_peak_c},
#ifdef HAVE_X86_PEAKS
		{"avx2", &bench_peak_avx2},
		{"avx512", &bench_peak_avx512},
#endif
#ifdef HAVE_NEON_PEAK
		{"neon", &bench_peak_neon},
#endif
	};
	for (size_t i = 0; i < sizeof(peaks) / sizeof(peaks[0]); i++) {
		if (strcmp(peaks[i].name, name) == 0) {
			return peaks[i].peak;
		}
	}
	return NULL;
}

static struct bench_entry *entry_of(struct race *race, size_t level, size_t which)
{
	return &race->entries[ENTRIES_FIXED + level * ENTRIES_OF_LEVEL + which];
}

static void enter_level(const struct bench *bench, struct race *race, size_t level)
{
	bench_level_enter(&bench->levels[level]);
	race->convolutions[level] = bench_convolution_create(race->layer);
	race->tiles[level] = bench_tile_create(race->convolutions[level]);
	bench_level_leave();
	if (bench->peaks[level] != NULL) {
		entry_of(race, level, ENTRY_PEAK)->run = bench->peaks[level]->run;
	}
	*entry_of(race, level, ENTRY_TILE) =
		(struct bench_entry){.run = bench_tile_run, .user = race->tiles[level]};
	*entry_of(race, level, ENTRY_LAYER) = (struct bench_entry){
		.run = bench_convolution_run, .user = race->convolutions[level]};
}

static void enter_onednn(struct race *race)
{
	race->f32 = bench_onednn_create(race->layer, BENCH_ONEDNN_F32);
	race->int8 = bench_onednn_create(race->layer, BENCH_ONEDNN_INT8);
	if (race->f32 != NULL) {
		race->entries[ENTRY_F32] =
			(struct bench_entry){.run = bench_onednn_run, .user = race->f32};
	}
	if (race->int8 != NULL) {
		race->entries[ENTRY_INT8] =
			(struct bench_entry){.run = bench_onednn_run, .user = race->int8};
	}
}

static void prepare(const struct bench *bench, struct race *race)
{
	race->entries[ENTRY_CLOCK] = (struct bench_entry){.run = bench_clock_run};
	if (bench->onednn) {
		enter_onednn(race);
	}
	for (size_t i = 0; i < bench->level_count; i++) {
		enter_level(bench, race, i);
	}
}

static void finish(const struct bench *bench, struct race *race)
{
	bench_onednn_destroy(race->f32);
	bench_onednn_destroy(race->int8);
	for (size_t i = 0; i < bench->level_count; i++) {
		bench_tile_destroy(race->tiles[i]);
		bench_convolution_destroy(race->convolutions[i]);
	}
}

/* Figures of a layer with the kernels of one level; a share or ratio of 0 was not measured. */
struct result {
	uint64_t macs;    /* of the layer, valid taps only */
	double tile_rate; /* binary multiply-accumulates in a nanosecond */
	double layer_rate;
	double peak_rate;
	double layer_us;
	double f32_ratio; /* oneDNN's time to ours */
	double int8_ratio;
	double spread; /* of the whole layer's rounds */
};

/* The best of all races so far: the peak does not depend on the layer, and one that was disturbed
 * must not flatter us. */
static double peak_rate(struct bench *bench, struct race *race, size_t level)
{
	const struct bench_peak *peak = bench->peaks[level];
	double ns = entry_of(race, level, ENTRY_PEAK)->best_ns;
	if (peak != NULL && (double)peak->macs / ns > bench->peak_rates[level]) {
		bench->peak_rates[level] = (double)peak->macs / ns;
	}
	return bench->peak_rates[level];
}

static struct result result_of(struct bench *bench, struct race *race, size_t level)
{
	const struct bench_entry *tile = entry_of(race, level, ENTRY_TILE);
	const struct bench_entry *layer = entry_of(race, level, ENTRY_LAYER);
	uint64_t macs = bench_convolution_macs(race->convolutions[level]);
	struct result result = {
		.macs = macs,
		.tile_rate = (double)bench_tile_macs(race->tiles[level]) / tile->best_ns,
		.layer_rate = (double)macs / layer->best_ns,
		.peak_rate = peak_rate(bench, race, level),
		.layer_us = layer->best_ns / 1e3,
		.f32_ratio = race->entries[ENTRY_F32].best_ns / layer->best_ns,
		.int8_ratio = race->entries[ENTRY_INT8].best_ns / layer->best_ns,
		.spread = layer->spread,
	};
	return result;
}

static double share(double rate, double peak)
{
	return peak > 0.0 ? 100.0 * rate / peak : 0.0;
}

/* The first and longest measurement of the peaks. */
static void find_peaks(struct bench *bench)
{
	struct race race = {.entries = {{.run = bench_clock_run}}};
	for (size_t i = 0; i < bench->level_count; i++) {
		bench->peaks[i] = find_peak(bench->levels[i].name);
		if (bench->peaks[i] != NULL) {
			entry_of(&race, i, ENTRY_PEAK)->run = bench->peaks[i]->run;
		}
	}
	bench_race(race.entries, ENTRIES_FIXED + bench->level_count * ENTRIES_OF_LEVEL, SLICE_US,
		6 * ROUNDS);
	double clock_ghz = 1.0 / race.entries[ENTRY_CLOCK].best_ns;
	printf("clock %.2f GHz by a chain of additions; register peak in binary MAC/ns and /cycle:",
		clock_ghz);
	for (size_t i = 0; i < bench->level_count; i++) {
		double rate = peak_rate(bench, &race, i);
		if (rate > 0.0) {
			printf(" %s %.0f %.0f", bench->levels[i].name, rate, rate / clock_ghz);
		}
	}
	printf("\n");
}

static void print_header(void)
{
	printf("\n%-18s %-28s %-7s %8s %6s %5s %9s %7s %6s %5s %7s %8s %8s\n", "network",
		"rows x bands x channels", "kernels", "tile/ns", "/cycle", "peak", "layer us",
		"MAC/ns", "/cycle", "peak", "spread", "f32", "int8");
}

/* A column of `width` with a share in percent, or "-" for what was not measured. */
static void print_share(int width, double percent)
{
	if (percent > 0.0) {
		printf(" %*.0f%%", width - 1, percent);
	} else {
		printf(" %*s", width, "-");
	}
}

/* The same with a ratio. */
static void print_ratio(int width, double ratio)
{
	if (ratio > 0.0) {
		printf(" %*.1fx", width - 1, ratio);
	} else {
		printf(" %*s", width, "-");
	}
}

static void print_result(struct race *race, const char *kernels, const struct result *result)
{
	const struct bench_layer *layer = race->layer;
	double cycle_ns = race->entries[ENTRY_CLOCK].best_ns;
	char shape[64];
	snprintf(shape, sizeof(shape), "%zux%zux%zu %zux%zu/%zu -> %zu", layer->rows, layer->bands,
		layer->inputs, layer->kernel[0], layer->kernel[1], layer->stride[0],
		layer->outputs);
	printf("%-18s %-28s %-7s %8.0f %6.0f", layer->network, shape, kernels, result->tile_rate,
		result->tile_rate * cycle_ns);
	print_share(5, share(result->tile_rate, result->peak_rate));
	printf(" %9.2f %7.0f %6.0f", result->layer_us, result->layer_rate,
		result->layer_rate * cycle_ns);
	print_share(5, share(result->layer_rate, result->peak_rate));
	printf(" %6.0f%%", 100.0 * result->spread);
	print_ratio(8, result->f32_ratio);
	print_ratio(8, result->int8_ratio);
	printf("\n");
}

static json_t *json_of(struct race *race, const char *kernels, const struct result *result)
{
	const struct bench_layer *layer = race->layer;
	return json_pack("{s:s, s:[I,I,I], s:I, s:[I,I], s:[I,I], s:[I,I,I,I], s:I, s:b, s:I, s:s,"
			 "s:f, s:f, s:f, s:f, s:f, s:f, s:f, s:f, s:s, s:s}",
		"network", layer->network, "input", (json_int_t)layer->rows,
		(json_int_t)layer->bands, (json_int_t)layer->inputs, "outputs",
		(json_int_t)layer->outputs, "kernel", (json_int_t)layer->kernel[0],
		(json_int_t)layer->kernel[1], "stride", (json_int_t)layer->stride[0],
		(json_int_t)layer->stride[1], "pad", (json_int_t)layer->pad[0],
		(json_int_t)layer->pad[1], (json_int_t)layer->pad[2], (json_int_t)layer->pad[3],
		"pad_value", (json_int_t)layer->pad_value, "residual", layer->residual,
		"binary_macs", (json_int_t)result->macs, "kernels", kernels, "cycle_ns",
		race->entries[ENTRY_CLOCK].best_ns, "peak_macs_per_ns", result->peak_rate,
		"tile_macs_per_ns", result->tile_rate, "layer_macs_per_ns", result->layer_rate,
		"layer_us", result->layer_us, "layer_spread", result->spread, "onednn_f32_us",
		race->entries[ENTRY_F32].best_ns / 1e3, "onednn_int8_us",
		race->entries[ENTRY_INT8].best_ns / 1e3, "onednn_f32_kernel",
		race->f32 != NULL ? bench_onednn_kernel(race->f32) : "none", "onednn_int8_kernel",
		race->int8 != NULL ? bench_onednn_kernel(race->int8) : "none");
}

static double least_of(double a, double b)
{
	return a > 0.0 && a < b ? a : b; /* 0: none yet */
}

static void take_least(struct least *least, const struct result *result)
{
	double tile = share(result->tile_rate, result->peak_rate);
	double layer = share(result->layer_rate, result->peak_rate);
	least->tile_share = least_of(least->tile_share, tile);
	least->layer_share = least_of(least->layer_share, layer);
	least->f32_ratio = least_of(least->f32_ratio, result->f32_ratio);
	least->int8_ratio = least_of(least->int8_ratio, result->int8_ratio);
}

static void print_least(const struct bench *bench)
{
	printf("\nthe least of QuickNet's four shapes (3x3, 64 to 512 channels)\n%-7s %11s %12s "
	       "%10s "
	       "%10s\n",
		"kernels", "tile, peak", "layer, peak", "f32", "int8");
	for (size_t i = 0; i < bench->level_count; i++) {
		const struct least *least = &bench->least[i];
		printf("%-7s", bench->levels[i].name);
		print_share(11, least->tile_share);
		print_share(12, least->layer_share);
		print_ratio(10, least->f32_ratio);
		print_ratio(10, least->int8_ratio);
		printf("\n");
	}
}

static void report(struct bench *bench, struct race *race)
{
	for (size_t i = 0; i < bench->level_count; i++) {
		struct result result = result_of(bench, race, i);
		print_result(race, bench->levels[i].name, &result);
		if (strcmp(race->layer->network, "QuickNet") == 0) {
			take_least(&bench->least[i], &result);
		}
		bench_report_add(
			&bench->report, "layers", json_of(race, bench->levels[i].name, &result));
	}
}

/* All layers in turns, several times: a neighbour that takes half of the core stays for longer than
 * one race. */
static void bench_layers(struct bench *bench, const struct bench_layer *layers, size_t count)
{
	static struct race races[BENCH_LAYERS_MAX];
	for (size_t i = 0; i < count; i++) {
		races[i].layer = &layers[i];
		prepare(bench, &races[i]);
	}
	for (size_t i = 0; i < PASSES * count; i++) {
		bench_race(races[i % count].entries,
			ENTRIES_FIXED + bench->level_count * ENTRIES_OF_LEVEL, SLICE_US, ROUNDS);
		for (size_t level = 0; level < bench->level_count; level++) {
			peak_rate(bench, &races[i % count], level);
		}
	}
	print_header();
	for (size_t i = 0; i < count; i++) {
		report(bench, &races[i]);
		finish(bench, &races[i]);
	}
}

static size_t find_layers(struct bench_layer *layers, char **paths, size_t count)
{
	size_t layer_count = bench_layers_of_backbones(layers);
	for (size_t i = 0; i < count; i++) {
		layer_count = bench_layers_of_file(layers, layer_count, paths[i]);
	}
	return layer_count;
}

int main(int argc, char **argv)
{
	static struct bench_layer layers[BENCH_LAYERS_MAX];
	struct bench bench = {0};
	int next = bench_report_begin(&bench.report, "kernels", argc, argv);
	size_t count = find_layers(layers, argv + next, (size_t)(argc - next));
	const char *missing = bench_onednn_init();
	bench.onednn = missing == NULL;
	if (missing != NULL) {
		printf("%s\n", missing);
	}
	bench.level_count = bench_levels_find(bench.levels);
	find_peaks(&bench);
	bench_layers(&bench, layers, count);
	print_least(&bench);
	return bench_report_end(&bench.report);
}
