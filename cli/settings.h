/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KWS_CLI_SETTINGS_H
#define KWS_CLI_SETTINGS_H

#include <stdbool.h>
#include <stddef.h>

#include "config/config.h"

#define KWS_CLI_SETTINGS_MAX 64

/* The daemon's configuration as the options of an offline tool give it: --config FILE and any
 * number of --set SECTION.KEY=VALUE, with options of its own that stand for one. Begin with {0}.
 * All functions complain on the standard error. */
struct kws_cli_settings {
	const char *config_path; /* NULL: the defaults */
	char *overrides[KWS_CLI_SETTINGS_MAX];
	size_t count;
	bool model_given; /* by kws_cli_settings_add_model() */
};

/* "section.key=value". False after a complaint. */
bool kws_cli_settings_add(struct kws_cli_settings *settings, const char *text);

/* The same of a key and its value. */
bool kws_cli_settings_set(struct kws_cli_settings *settings, const char *key, const char *value);

/* --model: the first replaces the models of the configuration, each further one stands beside. */
bool kws_cli_settings_add_model(struct kws_cli_settings *settings, const char *path);

/* Reads the file and the settings; the caller owns *out, which is set only on success. Returns the
 * exit status, if not 0 after a complaint. */
int kws_cli_settings_load(struct kws_config **out, const struct kws_cli_settings *settings);

void kws_cli_settings_finish(struct kws_cli_settings *settings);

#endif
