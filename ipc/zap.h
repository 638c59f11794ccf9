/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KWS_IPC_ZAP_H
#define KWS_IPC_ZAP_H

#include <stdbool.h>
#include <stddef.h>
#include <uv.h>

#include "common/error.h"
#include "ipc/keyring.h"

/* Who may connect: the handler of the ZeroMQ Authentication Protocol
 * (https://rfc.zeromq.org/spec/27), which libzmq asks in the course of each CURVE handshake, after
 * the client has proved that it holds the secret of its public key. A domain stands for a socket
 * and so for a right. The handler runs in the loop: the list changes between two requests, and a
 * flood of them gets its bounded share of each turn like any other socket. */

#define KWS_ZAP_ENDPOINT "inproc://zeromq.zap.01"
#define KWS_ZAP_EVENTS "kwsd.events"
#define KWS_ZAP_CONTROL "kwsd.control"

/* A request without its envelope: version, request id, domain, address, identity, mechanism,
 * credentials. */
#define KWS_ZAP_FRAMES 7

struct kws_zap_frame {
	const void *data;
	size_t size;
};

struct kws_zap_decision {
	bool accepted;
	const char *status; /* "200", "400" refused, "500" the request is malformed; static */
	const char *reason; /* static */
	const char *name;   /* of the client; "" if it is unknown. Lives as long as the list */
	enum kws_right wanted;
	char public_key[KWS_KEY_SIZE]; /* "" if none was shown */
	char address[64];              /* printable ASCII, others '?' */
};

/* Decides on one request of `count` frames, which may hold anything. Accepted is only a key of
 * `ring` that has the right of the domain. Pure. Thread: any. */
void kws_zap_decide(const struct kws_keyring *ring, const struct kws_zap_frame *frames,
	size_t count, struct kws_zap_decision *decision);

/* The handler at KWS_ZAP_ENDPOINT. Thread: the loop's for everything. */
struct kws_zap;

typedef void kws_zap_decided_fn(void *user, const struct kws_zap_decision *decision);

/* Starts answering. Must come before any socket with CURVE is bound. `ring` outlives the handler
 * and may be changed between two calls from the loop; `decided` (may be NULL) is told each
 * decision. The user id of an accepted connection is its public key.
 * Errors: KWS_EIO (also when the context has a handler), KWS_ENOMEM. */
int kws_zap_create(struct kws_zap **out, uv_loop_t *loop, void *context,
	const struct kws_keyring *ring, kws_zap_decided_fn *decided, void *user,
	struct kws_error *error);

/* Stops; the memory is freed from a later turn of the loop. Without a handler each new connection
 * fails its handshake. Accepts NULL. */
void kws_zap_close(struct kws_zap *zap);

#endif
