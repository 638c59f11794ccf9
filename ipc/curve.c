/* SPDX-License-Identifier: Apache-2.0 */
#include "ipc/curve.h"

#include <stdint.h>
#include <string.h>
#include <zmq.h>

#include "ipc/endpoint.h"
#include "ipc/frame.h"

/* Debian's header shows it to users of draft interfaces only, but every libzmq since 4.3.0 has it.
 * A libzmq that does not know it makes kws_curve_server_apply() fail. */
#ifndef ZMQ_ZAP_ENFORCE_DOMAIN
#define ZMQ_ZAP_ENFORCE_DOMAIN 93
#endif

/* A peer that was switched off is noticed after a minute, not when TCP gives up after a quarter of
 * an hour. */
#define KEEPALIVE_IDLE_S 30
#define KEEPALIVE_INTERVAL_S 10
#define KEEPALIVE_COUNT 3

int kws_curve_client_read(struct kws_curve_client *client, const char *key_path,
	const char *server_key, struct kws_error *error)
{
	int rc = kws_keys_read(key_path, true, &client->own, error);
	return rc < 0 ? rc : kws_keys_read_public(server_key, client->server_key, error);
}

static int fail_options(struct kws_error *error)
{
	int rc = kws_keys_supported(error);
	return rc < 0 ? rc
		      : kws_fail(error, KWS_EIO, "cannot set CURVE up: %s",
				zmq_strerror(zmq_errno()));
}

static int set_text(void *socket, int option, const char *text)
{
	return zmq_setsockopt(socket, option, text, strlen(text));
}

static int set_keepalive(void *socket)
{
	return kws__frame_set(socket, ZMQ_TCP_KEEPALIVE, 1) != 0 ||
			       kws__frame_set(socket, ZMQ_TCP_KEEPALIVE_IDLE, KEEPALIVE_IDLE_S) !=
				       0 ||
			       kws__frame_set(socket, ZMQ_TCP_KEEPALIVE_INTVL,
				       KEEPALIVE_INTERVAL_S) != 0 ||
			       kws__frame_set(socket, ZMQ_TCP_KEEPALIVE_CNT, KEEPALIVE_COUNT) != 0
		       ? -1
		       : 0;
}

static int apply_client(
	void *socket, const struct kws_curve_client *client, struct kws_error *error)
{
	/* with the NUL, which makes it Z85 */
	if (zmq_setsockopt(socket, ZMQ_CURVE_SERVERKEY, client->server_key, KWS_KEY_SIZE) != 0 ||
		zmq_setsockopt(socket, ZMQ_CURVE_PUBLICKEY, client->own.public_key, KWS_KEY_SIZE) !=
			0 ||
		zmq_setsockopt(socket, ZMQ_CURVE_SECRETKEY, client->own.secret_key, KWS_KEY_SIZE) !=
			0 ||
		set_keepalive(socket) != 0) {
		return fail_options(error);
	}
	return 0;
}

int kws_curve_connect(void *socket, const char *endpoint, const struct kws_curve_client *client,
	struct kws_error *error)
{
	bool curve = client != NULL && kws_endpoint_is_tcp(endpoint);
	int64_t max_bytes = KWS_CURVE_ANSWER_BYTES;
	if (zmq_setsockopt(socket, ZMQ_MAXMSGSIZE, &max_bytes, sizeof(max_bytes)) != 0) {
		return kws_fail(error, KWS_EIO, "cannot limit the size of messages: %s",
			zmq_strerror(zmq_errno()));
	}
	int rc = curve ? apply_client(socket, client, error) : 0;
	return rc < 0 ? rc : kws_endpoint_connect(socket, endpoint, curve, error);
}

int kws_curve_server_apply(
	void *socket, const struct kws_key_pair *keys, const char *domain, struct kws_error *error)
{
	if (kws__frame_set(socket, ZMQ_CURVE_SERVER, 1) != 0 ||
		zmq_setsockopt(socket, ZMQ_CURVE_SECRETKEY, keys->secret_key, KWS_KEY_SIZE) != 0 ||
		set_text(socket, ZMQ_ZAP_DOMAIN, domain) != 0 ||
		kws__frame_set(socket, ZMQ_ZAP_ENFORCE_DOMAIN, 1) != 0 ||
		set_keepalive(socket) != 0) {
		return fail_options(error);
	}
	return 0;
}
