/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KWS_IPC_REMOTE_H
#define KWS_IPC_REMOTE_H

#include <stdbool.h>

#include "common/error.h"
#include "ipc/endpoint.h"
#include "ipc/keys.h"

/* The tcp:// endpoint of a socket that serves ipc:// as well; all zero is none. Internal to ipc/.
 * Thread: the socket's owner. */
struct kws__remote {
	void *socket;
	char endpoint[KWS_ENDPOINT_BYTES];
	char bound[KWS_ENDPOINT_BYTES]; /* as libzmq names it; "" while it is not bound */
};

/* Puts CURVE on the socket and binds it. Errors: those of ipc/curve.h and kws_endpoint_bind(). */
int kws__remote_open(struct kws__remote *remote, void *socket, const char *endpoint,
	const struct kws_key_pair *keys, const char *domain, struct kws_error *error);

/* Stops listening and closes every connection: libzmq cannot close a single one. Messages under way
 * are lost. Nothing happens where it is closed already. */
void kws__remote_close(struct kws__remote *remote);

/* Listens again after a close. Clients come back by themselves, within some 0.2 s on a local
 * network, and have to prove again who they are. Nothing happens where there is no endpoint or it
 * is open. Errors: those of kws_endpoint_bind(): libzmq may need a moment to close. */
int kws__remote_reopen(struct kws__remote *remote, struct kws_error *error);

#endif
