/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KWS_IPC_CURVE_H
#define KWS_IPC_CURVE_H

#include "common/error.h"
#include "ipc/keys.h"

/* CURVE on a socket: encryption, and proof of who is at the other end. What is set holds for the
 * binds and connects that follow, so one socket can serve ipc:// without and tcp:// with it.
 * Thread: the socket's owner. */

/* The largest message to a publisher is a subscription, and a CURVE handshake needs some 300 bytes
 * too. */
#define KWS_CURVE_SUBSCRIPTION_BYTES 1024

struct kws_curve_client {
	struct kws_key_pair own;
	char server_key[KWS_KEY_SIZE];
};

/* Reads a client's key file and the server's public key, which is given as such or as the path of a
 * key file. Errors: those of kws_keys_read(). */
int kws_curve_client_read(struct kws_curve_client *client, const char *key_path,
	const char *server_key, struct kws_error *error);

/* The largest message that a client takes; kws.audio, which carries sound, has the largest, below
 * 1 MiB. */
#define KWS_CURVE_ANSWER_BYTES (16 << 20)

/* kws_endpoint_connect(), by CURVE where there are keys and the endpoint is tcp://: file
 * permissions guard the others. `client` may be NULL. Errors: those of kws_endpoint_connect(),
 * KWS_EUNSUPPORTED. */
int kws_curve_connect(void *socket, const char *endpoint, const struct kws_curve_client *client,
	struct kws_error *error);

/* Makes the socket a server whose clients the handler of ipc/zap.h judges under `domain`: without a
 * handler nobody gets in. Errors: KWS_EIO, KWS_EUNSUPPORTED. */
int kws_curve_server_apply(
	void *socket, const struct kws_key_pair *keys, const char *domain, struct kws_error *error);

#endif
