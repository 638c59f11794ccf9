/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KWS_IPC_CONNECTION_H
#define KWS_IPC_CONNECTION_H

#include <stdbool.h>
#include <stdint.h>

#include "common/error.h"
#include "ipc/curve.h"

/* A client's socket in a context of its own, and what libzmq tells of its connection only to those
 * who ask: whether it stands, and that the key was refused, after which libzmq does not connect
 * again. Begin with all zeros. Internal to ipc/. Thread: any, one at a time. */
struct kws__connection {
	void *context;
	void *socket;
	void *monitor;
	bool stands; /* the handshake was good, and the connection did not end since */
	bool refused;
};

/* A socket of the ZeroMQ type `type`, connected to `endpoint`; with `keys` (NULL: none; copied) to
 * a tcp:// one by CURVE. On failure there is nothing to close. Errors: KWS_EIO, those of
 * kws_curve_connect(). */
int kws__connection_open(struct kws__connection *connection, int type, const char *endpoint,
	const struct kws_curve_client *keys, struct kws_error *error);

/* Accepts one that was never opened. */
void kws__connection_close(struct kws__connection *connection);

/* As kws__frame_wait(), and KWS_EPERM when the other side has refused. What `stands` says is of the
 * last wait. */
int kws__connection_wait(struct kws__connection *connection, int64_t deadline_ms);

#endif
