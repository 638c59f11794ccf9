/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KWS_BENCH_RACE_H
#define KWS_BENCH_RACE_H

#include <stddef.h>
#include <stdint.h>

/* Times several things against each other: each round runs every entry for a slice of time, one
 * after the other, so that a slow moment of the machine meets all of them. Other programs only ever
 * make a round slower, so the fastest round is what counts; the spread says how far to trust it. */
struct bench_entry {
	/* Does the work `times` times over. */
	void (*run)(void *user, size_t times);
	void *user;
	/* the results, for one time; 0 before the first race */
	double best_ns; /* of all races */
	double spread;  /* how far the median of the last race's rounds is above it, as a share */
};

#define BENCH_ENTRIES_MAX 16

/* Warms every entry up, which also finds how often it fits into a slice, then runs rounds until
 * `rounds` of them in a row made none faster, or four times as many in all. An entry whose run is
 * NULL is left alone. */
void bench_race(struct bench_entry *entries, size_t count, double slice_us, size_t rounds);

double bench_now_ns(void);

/* An entry's run: `times` dependent additions of one cycle each, which tells the core's clock while
 * the others run. `user` is not used. */
void bench_clock_run(void *user, size_t times);

/* The processor's name, "AMD EPYC" for instance; static. */
const char *bench_cpu_model(void);

#endif
