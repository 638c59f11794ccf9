/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/kws.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "common/cpu.h"
#include "common/file.h"

static const struct {
	const char *name;
	int (*run)(int argc, char **argv);
	const char *help;
} commands[] = {
	{"scan", kws_scan_main, "the whole pipeline over audio files, as fast as it goes"},
	{"classify", kws_classify_main, "one-second clips: label, exit and entropy"},
	{"tune", kws_tune_main, "exit policy and thresholds for a wanted rate of false alarms"},
	{"info", kws_info_main, "what a model file holds and what it costs to run"},
};

#define COMMANDS (sizeof(commands) / sizeof(commands[0]))

static void print_help(FILE *out)
{
	fprintf(out, "usage: kws [--cpu-mask MASK] COMMAND [OPTION]... [FILE]...\n\n");
	for (size_t i = 0; i < COMMANDS; i++) {
		fprintf(out, "  %-10s %s\n", commands[i].name, commands[i].help);
	}
	fprintf(out, "\n`kws COMMAND --help` says more. --cpu-mask, or else $KWS_CPU_MASK, says "
		     "which vector\n"
		     "instructions may be used: c (none), avx2, avx512, neon or all (default).\n"
		     "Exit status: 0 done, 1 an input could not be used or the output not be "
		     "written,\n"
		     "2 wrong usage or configuration.\n");
}

static int run_command(int argc, char **argv)
{
	const char *name = argc > 0 ? argv[0] : "";
	for (size_t i = 0; i < COMMANDS; i++) {
		if (strcmp(name, commands[i].name) == 0) {
			optind = 0; /* getopt begins anew with the command's own options */
			return commands[i].run(argc, argv);
		}
	}
	if (name[0] != '\0') {
		fprintf(stderr, "kws: there is no command '%s'\n\n", name);
	}
	print_help(stderr);
	return KWS_EXIT_USAGE;
}

static int print_version(void)
{
	printf("kws %s\n", KWS_VERSION);
	return KWS_EXIT_OK;
}

static int run(int argc, char **argv)
{
	static const struct option options[] = {
		{"cpu-mask", required_argument, NULL, 'm'},
		{"help", no_argument, NULL, 'h'},
		{"version", no_argument, NULL, 'V'},
		{NULL, 0, NULL, 0},
	};
	const char *cpu_mask = NULL;
	struct kws_error error;
	int option;
	while ((option = getopt_long(argc, argv, "+hV", options, NULL)) != -1) {
		if (option == 'm') {
			cpu_mask = optarg;
			continue;
		}
		if (option == 'V') {
			return print_version();
		}
		print_help(option == 'h' ? stdout : stderr);
		return option == 'h' ? KWS_EXIT_OK : KWS_EXIT_USAGE;
	}
	if (kws_cpu_take_mask(cpu_mask, &error) != 0) {
		fprintf(stderr, "kws: %s\n", error.text);
		return KWS_EXIT_USAGE;
	}
	return run_command(argc - optind, argv + optind);
}

static int finish_output(int status)
{
	struct kws_error error;
	if (kws_file_flush(stdout, &error) == 0) {
		return status;
	}
	fprintf(stderr, "kws: %s\n", error.text);
	return KWS_EXIT_FAILED;
}

int main(int argc, char **argv)
{
	kws_file_hold_standard();
	return finish_output(run(argc, argv));
}
