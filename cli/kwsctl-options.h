/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KWS_CLI_KWSCTL_OPTIONS_H
#define KWS_CLI_KWSCTL_OPTIONS_H

#include "cli/kwsctl.h"

/* kwsctl's command line: COMMAND and its arguments, with options before, between and behind. */

struct kwsctl_command {
	const char *name;
	int min_args;
	int max_args;
	int together;       /* so many arguments follow each other without an option between, so
			     * that all but the first may begin with '-': a value, a key */
	const char *allows; /* the letters of its options, as kwsctl-options.c has them */
	enum kwsctl_status (*run)(const struct kwsctl_command *command,
		const struct kwsctl_options *options, int count, char **args);
};

/* Options of the commands that call the daemon: endpoint, keys of the client, timeout, JSON. */
#define KWSCTL_CALL_OPTIONS "ekKtj"

/* Reads all of `argv` and moves the `*count` arguments of the command to argv[1]; `commands` ends
 * with a NULL name. --help and --version end the process. Else KWSCTL_USAGE, after a complaint: a
 * wrong option, one that the command has no use for, or a wrong number of arguments. */
enum kwsctl_status kwsctl_options_read(int argc, char **argv, const struct kwsctl_command *commands,
	struct kwsctl_options *options, const struct kwsctl_command **command, int *count);

/* `text` as a number of `unit` from 1 to `max`; 0 where it is NULL. KWSCTL_USAGE after a complaint.
 */
enum kwsctl_status kwsctl_options_number(
	const char *option, const char *text, const char *unit, int max, int *number);

#endif
