/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KWS_BENCH_REPORT_H
#define KWS_BENCH_REPORT_H

#include <jansson.h>

/* What a benchmark found, as JSON beside the table that it prints:
 * {"benchmark", "version", "cpu", "instructions": [...], LIST: [...], ...}. */
struct bench_report {
	json_t *root;
	const char *path; /* NULL: nobody wants it */
};

/* Takes `--json FILE` and the CPU mask of the environment; prints a line about the machine. Returns
 * the index in argv of the first argument of the benchmark's own. Ends the program with a sentence
 * when the mask is wrong or memory is out. */
int bench_report_begin(struct bench_report *report, const char *benchmark, int argc, char **argv);

/* Appends to a list of the report; takes the reference to `entry`. */
void bench_report_add(struct bench_report *report, const char *list, json_t *entry);

/* Writes the file. Returns the program's exit status. */
int bench_report_end(struct bench_report *report);

/* Ends the program with a sentence when the result of a call is not 0. */
void bench_check(int result, const char *what);

#endif
