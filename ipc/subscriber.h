/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KWS_IPC_SUBSCRIBER_H
#define KWS_IPC_SUBSCRIBER_H

#include <jansson.h>
#include <stdbool.h>

#include "common/error.h"
#include "ipc/curve.h"

/* The receiving end of the events, for programs that wait. ZeroMQ connects again by itself after a
 * restart of the daemon. Owns its ZeroMQ context. Thread: any, one at a time. */
struct kws_subscriber;

/* Connects to an event endpoint, subscribed to nothing; with `keys` (NULL: none; copied) to a
 * tcp:// one by CURVE. Errors: those of kws_curve_connect(), KWS_ENOMEM. */
int kws_subscriber_create(struct kws_subscriber **out, const char *endpoint,
	const struct kws_curve_client *keys, struct kws_error *error);

/* Accepts NULL. */
void kws_subscriber_destroy(struct kws_subscriber *subscriber);

/* Adds every topic that begins with `prefix` ("" is all). Takes effect a little later, when the
 * publisher hears of it. Errors: KWS_EIO. */
int kws_subscriber_add(struct kws_subscriber *subscriber, const char *prefix);

/* Whether, in the last wait for an event, it was connected, by CURVE where there are keys. */
bool kws_subscriber_is_connected(const struct kws_subscriber *subscriber);

/* Waits up to `timeout_ms` for one event. On success `*topic` (free) and `*event` (json_decref, an
 * object) belong to the caller. Errors: KWS_ETIMEOUT (nothing came), KWS_EFORMAT (a message that is
 * not a topic and a JSON object: skipped), KWS_EPERM (the key was refused: there will be no more),
 * KWS_EIO, KWS_ENOMEM. */
int kws_subscriber_receive(
	struct kws_subscriber *subscriber, int timeout_ms, char **topic, json_t **event);

#endif
