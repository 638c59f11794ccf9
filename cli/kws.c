/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/kws.h"

#include <stdio.h>
#include <string.h>

static const struct {
	const char *name;
	int (*run)(int argc, char **argv);
	const char *help;
} commands[] = {
	{"scan", kws_scan_main, "the whole pipeline over audio files, as fast as it goes"},
	{"classify", kws_classify_main, "one-second clips: label, exit and entropy"},
	{"info", kws_info_main, "what a model file holds and what it costs to run"},
};

#define COMMANDS (sizeof(commands) / sizeof(commands[0]))

static void print_help(FILE *out)
{
	fprintf(out, "usage: kws COMMAND [OPTION]... [FILE]...\n\n");
	for (size_t i = 0; i < COMMANDS; i++) {
		fprintf(out, "  %-10s %s\n", commands[i].name, commands[i].help);
	}
	fprintf(out, "\n`kws COMMAND --help` says more.\n"
		     "Exit status: 0 done, 1 an input could not be used, 2 wrong usage.\n");
}

int main(int argc, char **argv)
{
	const char *name = argc > 1 ? argv[1] : "";
	for (size_t i = 0; i < COMMANDS; i++) {
		if (strcmp(name, commands[i].name) == 0) {
			return commands[i].run(argc - 1, argv + 1);
		}
	}
	if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0) {
		print_help(stdout);
		return KWS_EXIT_OK;
	}
	if (strcmp(name, "--version") == 0) {
		printf("kws %s\n", KWS_VERSION);
		return KWS_EXIT_OK;
	}
	if (name[0] != '\0') {
		fprintf(stderr, "kws: there is no command '%s'\n\n", name);
	}
	print_help(stderr);
	return KWS_EXIT_USAGE;
}
