/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KWS_CLI_KWSCTL_KEYS_H
#define KWS_CLI_KWSCTL_KEYS_H

#include "cli/kwsctl.h"
#include "ipc/curve.h"

/* Where kwsd has its keys unless it is told otherwise. */
#define KWSCTL_DEFAULT_KEYS "/etc/kwsd/keys"

/* The keys to connect to `endpoint` with, from the options or the environment; `*keys` becomes NULL
 * where none are given, else `out`, which kws_keys_wipe() should end. Complains on an error, also
 * where options give keys to an endpoint that has none. */
enum kwsctl_status kwsctl_client_keys(const struct kwsctl_options *options, const char *endpoint,
	struct kws_curve_client *out, const struct kws_curve_client **keys);

/* The commands that work on files, without a daemon. */
enum kwsctl_status kwsctl_keygen(const struct kwsctl_options *options, const char *path);
enum kwsctl_status kwsctl_authorize(
	const struct kwsctl_options *options, const char *name, const char *public_key);
enum kwsctl_status kwsctl_revoke(const struct kwsctl_options *options, const char *name);

#endif
