/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/race.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define ROUNDS_MAX 256
#define PATIENCE 4   /* times as many rounds as asked for, at most */
#define CLEARLY 0.99 /* a share of the best time so far */
#define TIMES_MAX ((size_t)1 << 30)

double bench_now_ns(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

static double time_ns(const struct bench_entry *entry, size_t times)
{
	double start = bench_now_ns();
	entry->run(entry->user, times);
	return bench_now_ns() - start;
}

/* Doubles until a slice is filled at least half, then scales. */
static size_t find_times(const struct bench_entry *entry, double slice_ns)
{
	size_t times = 1;
	double taken = time_ns(entry, times);
	while (taken < slice_ns / 2 && times < TIMES_MAX) {
		times *= 2;
		taken = time_ns(entry, times);
	}
	double scaled = (double)times * slice_ns / taken;
	return scaled < 1.0 ? 1 : (size_t)scaled;
}

static int compare_doubles(const void *a, const void *b)
{
	double x = *(const double *)a;
	double y = *(const double *)b;
	return (x > y) - (x < y);
}

static void note(struct bench_entry *entry, double best_ns, double median_ns)
{
	if (entry->best_ns > 0.0 && entry->best_ns < best_ns) {
		best_ns = entry->best_ns; /* of an earlier race */
	}
	entry->best_ns = best_ns;
	entry->spread = median_ns / best_ns - 1.0;
}

/* One round; whether it was clearly the fastest yet for any entry. */
static bool run_round(const struct bench_entry *entries, const size_t *times, size_t count,
	double (*taken)[ROUNDS_MAX], size_t round, double *best)
{
	bool better = false;
	for (size_t i = 0; i < count; i++) {
		taken[i][round] = times[i] > 0 ? time_ns(&entries[i], times[i]) : 0.0;
		if (round == 0 || taken[i][round] < best[i]) {
			better = better || round == 0 || taken[i][round] < best[i] * CLEARLY;
			best[i] = taken[i][round];
		}
	}
	return better;
}

void bench_race(struct bench_entry *entries, size_t count, double slice_us, size_t rounds)
{
	static double taken[BENCH_ENTRIES_MAX][ROUNDS_MAX];
	size_t times[BENCH_ENTRIES_MAX];
	double best[BENCH_ENTRIES_MAX];
	if (count > BENCH_ENTRIES_MAX || rounds > ROUNDS_MAX) {
		abort();
	}
	for (size_t i = 0; i < count; i++) {
		times[i] = entries[i].run != NULL ? find_times(&entries[i], slice_us * 1e3) : 0;
	}
	size_t done = 0;
	size_t since_better = 0;
	while (since_better < rounds && done < rounds * PATIENCE && done < ROUNDS_MAX) {
		bool better = run_round(entries, times, count, taken, done, best);
		since_better = better ? 1 : since_better + 1;
		done++;
	}
	for (size_t i = 0; i < count; i++) {
		if (times[i] > 0) {
			qsort(taken[i], done, sizeof(double), compare_doubles);
			note(&entries[i], taken[i][0] / (double)times[i],
				taken[i][done / 2] / (double)times[i]);
		}
	}
}

void bench_clock_run(void *user, size_t times)
{
	size_t x = times;
	size_t y = 1;
	(void)user;
	for (size_t i = 0; i < times / 8; i++) {
		/* register + register: some cores add constants for nothing */
#define ADD                                      \
	__asm__ volatile("" : "+r"(x), "+r"(y)); \
	x += y;
		ADD ADD ADD ADD ADD ADD ADD ADD
#undef ADD
	}
	__asm__ volatile("" : : "r"(x));
}

const char *bench_cpu_model(void)
{
	static char name[128] = "unknown processor";
	char line[256];
	FILE *file = fopen("/proc/cpuinfo", "r");
	while (file != NULL && fgets(line, sizeof(line), file) != NULL) {
		char *colon = strchr(line, ':');
		if (strncmp(line, "model name", 10) == 0 && colon != NULL) {
			snprintf(name, sizeof(name), "%.*s", (int)strcspn(colon + 2, "\n"),
				colon + 2);
			break;
		}
	}
	if (file != NULL) {
		fclose(file);
	}
	return name;
}
