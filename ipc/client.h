/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KWS_IPC_CLIENT_H
#define KWS_IPC_CLIENT_H

#include <jansson.h>

#include "common/error.h"
#include "ipc/curve.h"

/* One side of the control protocol for programs that wait: asks a running kwsd and blocks until it
 * answers. Owns its ZeroMQ context. Thread: any, one at a time. */
struct kws_client;

/* Connects to a control endpoint; with `keys` (NULL: none; copied) a tcp:// one by CURVE.
 * Errors: those of kws_curve_connect(), KWS_ENOMEM. */
int kws_client_create(struct kws_client **out, const char *endpoint,
	const struct kws_curve_client *keys, struct kws_error *error);

/* Accepts NULL. */
void kws_client_destroy(struct kws_client *client);

/* Calls `method` with `params` (an object, borrowed; NULL for none) and waits up to `timeout_ms`
 * for the answer; the late answer to an earlier call is thrown away. On success `*result` belongs
 * to the caller. Errors: KWS_ETIMEOUT (no answer), KWS_EPERM (the key was refused), KWS_EIO (the
 * daemon answered with an error, whose sentence is in `error`), KWS_EFORMAT (the answer is not
 * JSON-RPC), KWS_EINVAL (the request is too large), KWS_ENOMEM. */
int kws_client_call(struct kws_client *client, const char *method, json_t *params, int timeout_ms,
	json_t **result, struct kws_error *error);

#endif
