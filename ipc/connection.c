/* SPDX-License-Identifier: Apache-2.0 */
#include "ipc/connection.h"

#include <errno.h>
#include <string.h>
#include <zmq.h>

#include "ipc/frame.h"

#define WATCHED \
	(ZMQ_EVENT_HANDSHAKE_SUCCEEDED | ZMQ_EVENT_HANDSHAKE_FAILED_AUTH | ZMQ_EVENT_DISCONNECTED)

static int open_socket(struct kws__connection *connection, int type, struct kws_error *error)
{
	connection->context = zmq_ctx_new();
	if (connection->context != NULL) {
		connection->socket = zmq_socket(connection->context, type);
	}
	if (connection->socket == NULL || kws__frame_set(connection->socket, ZMQ_LINGER, 0) != 0) {
		return kws_fail(
			error, KWS_EIO, "cannot open a socket: %s", zmq_strerror(zmq_errno()));
	}
	return 0;
}

/* From before the connect on. */
static int watch(struct kws__connection *connection, struct kws_error *error)
{
	static const char endpoint[] = "inproc://monitor"; /* the context has no other */
	connection->monitor = zmq_socket(connection->context, ZMQ_PAIR);
	if (connection->monitor == NULL ||
		kws__frame_set(connection->monitor, ZMQ_LINGER, 0) != 0 ||
		zmq_socket_monitor(connection->socket, endpoint, WATCHED) != 0 ||
		zmq_connect(connection->monitor, endpoint) != 0) {
		return kws_fail(error, KWS_EIO, "cannot watch the connection: %s",
			zmq_strerror(zmq_errno()));
	}
	return 0;
}

int kws__connection_open(struct kws__connection *connection, int type, const char *endpoint,
	const struct kws_curve_client *keys, struct kws_error *error)
{
	int rc = open_socket(connection, type, error);
	if (rc == 0) {
		rc = watch(connection, error);
	}
	if (rc == 0) {
		rc = kws_curve_connect(connection->socket, endpoint, keys, error);
	}
	if (rc < 0) {
		kws__connection_close(connection);
	}
	return rc;
}

void kws__connection_close(struct kws__connection *connection)
{
	if (connection->monitor != NULL) {
		zmq_socket_monitor(connection->socket, NULL, 0);
		zmq_close(connection->monitor);
	}
	if (connection->socket != NULL) {
		zmq_close(connection->socket);
	}
	if (connection->context != NULL) {
		zmq_ctx_term(connection->context);
	}
	*connection = (struct kws__connection){0};
}

/* An event has two frames: its number, of 16 bits, with a value, and the endpoint. */
static void take_event(struct kws__connection *connection, zmq_msg_t *frame)
{
	uint16_t event = 0;
	if (zmq_msg_size(frame) >= sizeof(event)) {
		memcpy(&event, zmq_msg_data(frame), sizeof(event));
	}
	connection->stands = event == ZMQ_EVENT_HANDSHAKE_SUCCEEDED;
	connection->refused |= event == ZMQ_EVENT_HANDSHAKE_FAILED_AUTH;
}

static void take_events(struct kws__connection *connection)
{
	zmq_msg_t frame;
	bool first = true;
	zmq_msg_init(&frame);
	while (zmq_msg_recv(&frame, connection->monitor, ZMQ_DONTWAIT) >= 0) {
		if (first) {
			take_event(connection, &frame);
		}
		first = !zmq_msg_more(&frame);
	}
	zmq_msg_close(&frame);
}

int kws__connection_wait(struct kws__connection *connection, int64_t deadline_ms)
{
	zmq_pollitem_t items[] = {
		{.socket = connection->socket, .events = ZMQ_POLLIN},
		{.socket = connection->monitor, .events = ZMQ_POLLIN},
	};
	for (;;) {
		int64_t left_ms = deadline_ms - kws__frame_deadline(0);
		int ready = zmq_poll(items, 2, left_ms > 0 ? (long)left_ms : 0);
		if (ready < 0 && errno != EINTR) {
			return KWS_EIO;
		}
		if (ready == 0) {
			return KWS_ETIMEOUT;
		}
		if (ready > 0 && items[1].revents != 0) {
			take_events(connection);
		}
		if (ready > 0 && items[0].revents != 0) {
			return 0; /* what came before the refusal is still to be had */
		}
		if (connection->refused) {
			return KWS_EPERM;
		}
	}
}
