/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KWS_DAEMON_OPTIONS_H
#define KWS_DAEMON_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>

#define KWS_OPTIONS_SETTINGS_MAX 64

/* The command line of kwsd. The strings that are pointers belong to argv, or to this. */
struct kws_options {
	const char *config_path;                        /* NULL: defaults only */
	const char *settings[KWS_OPTIONS_SETTINGS_MAX]; /* "section.key=value" */
	size_t setting_count;
	char log_level[32];   /* "log.level=LEVEL", one of the settings */
	const char *cpu_mask; /* NULL: the environment decides */
	bool check_config;
	bool print_config;
};

enum kws_options_result {
	KWS_OPTIONS_RUN,
	KWS_OPTIONS_DONE,  /* help or version was printed */
	KWS_OPTIONS_WRONG, /* a sentence is on stderr */
};

enum kws_options_result kws_options_parse(struct kws_options *options, int argc, char **argv);

#endif
