/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KWS_DAEMON_SETTINGS_H
#define KWS_DAEMON_SETTINGS_H

#include <jansson.h>

#include "config/config.h"
#include "daemon/options.h"

/* Reads the configuration anew: the file, then the command line, then `changes`, an object of
 * "section.key": "value" that `set` made while running (NULL: none). Start, reload and `set` all
 * come here, so one validation serves them. Errors: those of kws_config_load() and
 * kws_remote_check(), with `errors` filled; KWS_EINVAL: a change is no string. The caller owns
 * *out. Thread: loop. */
int kws_settings_load(const struct kws_options *options, const json_t *changes,
	struct kws_config **out, struct kws_config_errors *errors);

#endif
