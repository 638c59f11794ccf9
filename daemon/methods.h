/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KWS_DAEMON_METHODS_H
#define KWS_DAEMON_METHODS_H

#include <jansson.h>
#include <stdint.h>

#include "common/error.h"
#include "config/config.h"
#include "ipc/rpc.h"

/* What the control methods do to the daemon; daemon.c fills it. Each function gets `user`. */
struct kws_methods {
	void *user;
	const struct kws_config *(*config)(void *user);
	/* Takes settings over; `values` is an object of "section.key": "value", NULL reads the file
	 * again and the list of clients of other machines, each whether or not the other is good.
	 * Errors: with a sentence. */
	int (*reload)(void *user, const json_t *values, struct kws_error *error);
	/* Writes `values`, which the last `reload` took over, into the configuration file. Where
	 * that fails they stay in effect, but if one of them needs a restart they are taken back.
	 * Errors: with a sentence that says which. */
	int (*persist)(void *user, const json_t *values, struct kws_error *error);
	json_t *(*status)(void *user);             /* new reference, NULL without memory */
	json_t *(*devices)(void *user);            /* likewise */
	json_t *(*level)(void *user);              /* likewise */
	void (*mute)(void *user, uint64_t for_ms); /* 0: until unmute */
	void (*unmute)(void *user);
};

/* For kws_control_create(), with a struct kws_methods as user: each with a struct
 * kws_methods as user. Thread: loop. */
extern const struct kws_rpc_method kws_method_table[];

#endif
