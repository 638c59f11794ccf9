/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/report.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/race.h"
#include "common/cpu.h"

void bench_check(int result, const char *what)
{
	if (result != 0) {
		fprintf(stderr, "bench: %s: %s\n", what, kws_strerror(result));
		exit(1);
	}
}

static json_t *checked(json_t *json)
{
	bench_check(json != NULL ? 0 : KWS_ENOMEM, "report");
	return json;
}

static json_t *instructions(void)
{
	json_t *list = checked(json_array());
#define XX(name, bit, text, implied)                            \
	if ((kws_cpu_flags() & (bit)) != 0) {                   \
		json_array_append_new(list, json_string(text)); \
	}
	KWS_CPU_FLAG_MAP(XX)
#undef XX
	return list;
}

static void print_machine(const char *benchmark, json_t *flags)
{
	size_t index;
	json_t *flag;
	printf("%s: kwsd " KWS_VERSION " on %s, one thread, kernels for: plain C", benchmark,
		bench_cpu_model());
	json_array_foreach (flags, index, flag) {
		printf(", %s", json_string_value(flag));
	}
	printf("\n");
}

int bench_report_begin(struct bench_report *report, const char *benchmark, int argc, char **argv)
{
	struct kws_error error;
	int next = 1;
	report->path = NULL;
	if (argc > 2 && strcmp(argv[1], "--json") == 0) {
		report->path = argv[2];
		next = 3;
	}
	if (kws_cpu_take_mask(NULL, &error) != 0) {
		fprintf(stderr, "bench: %s\n", error.text);
		exit(2);
	}
	json_t *flags = instructions();
	print_machine(benchmark, flags);
	report->root = checked(json_pack("{s:s, s:s, s:s, s:o}", "benchmark", benchmark, "version",
		KWS_VERSION, "cpu", bench_cpu_model(), "instructions", flags));
	return next;
}

void bench_report_add(struct bench_report *report, const char *list, json_t *entry)
{
	json_t *entries = json_object_get(report->root, list);
	if (entries == NULL) {
		entries = checked(json_array());
		json_object_set_new(report->root, list, entries);
	}
	json_array_append_new(entries, checked(entry));
}

int bench_report_end(struct bench_report *report)
{
	int result = 0;
	if (report->path != NULL && json_dump_file(report->root, report->path,
					    JSON_INDENT(1) | JSON_REAL_PRECISION(6)) != 0) {
		fprintf(stderr, "bench: cannot write %s\n", report->path);
		result = 1;
	}
	json_decref(report->root);
	return result;
}
