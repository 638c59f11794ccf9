/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KWS_DAEMON_SETTINGS_H
#define KWS_DAEMON_SETTINGS_H

#include <jansson.h>

#include "config/config.h"
#include "daemon/options.h"
#include "ipc/endpoint.h"

/* Reads the configuration anew: the file, then the command line, then `changes`, an object of
 * "section.key": "value" that `set` made while running (NULL: none). Start, reload and `set` all
 * come here, so one validation serves them. Where the configuration in use (`present`, NULL: none)
 * asks for the same endpoints and keys for other machines, the files of these are not read. Errors:
 * those of kws_config_load(), of kws_remote_check() and of the endpoints, of which no two may be
 * one, with `errors` filled; KWS_EINVAL: a change is no string. The caller owns *out. Thread: loop.
 */
int kws_settings_load(const struct kws_options *options, const json_t *changes,
	const struct kws_config *present, struct kws_config **out,
	struct kws_config_errors *errors);

/* The endpoints of the events and of the control protocol in a loaded configuration, those in the
 * runtime directory where `config` has none. Errors: those of kws_runtime_dir() and
 * kws_endpoint_default(). Thread: any. */
int kws_settings_endpoints(const struct kws_config *config, char events[KWS_ENDPOINT_BYTES],
	char control[KWS_ENDPOINT_BYTES], struct kws_error *error);

#endif
