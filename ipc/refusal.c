/* SPDX-License-Identifier: Apache-2.0 */
#include "ipc/refusal.h"

#include <errno.h>
#include <stdio.h>
#include <zmq.h>

#include "ipc/frame.h"

int kws__refusal_open(
	struct kws__refusal *refusal, void *context, void *socket, struct kws_error *error)
{
	char endpoint[64];
	/* unique in the context, which the client has for itself */
	snprintf(endpoint, sizeof(endpoint), "inproc://refusal-%p", socket);
	refusal->monitor = zmq_socket(context, ZMQ_PAIR);
	if (refusal->monitor == NULL || kws__frame_set(refusal->monitor, ZMQ_LINGER, 0) != 0 ||
		zmq_socket_monitor(socket, endpoint, ZMQ_EVENT_HANDSHAKE_FAILED_AUTH) != 0 ||
		zmq_connect(refusal->monitor, endpoint) != 0) {
		return kws_fail(error, KWS_EIO, "cannot watch the connection: %s",
			zmq_strerror(zmq_errno()));
	}
	return 0;
}

void kws__refusal_close(struct kws__refusal *refusal, void *socket)
{
	if (refusal->monitor != NULL) {
		zmq_socket_monitor(socket, NULL, 0);
		zmq_close(refusal->monitor);
		refusal->monitor = NULL;
	}
}

int kws__refusal_wait(struct kws__refusal *refusal, void *socket, int64_t deadline_ms)
{
	zmq_pollitem_t items[] = {
		{.socket = socket, .events = ZMQ_POLLIN},
		{.socket = refusal->monitor, .events = ZMQ_POLLIN},
	};
	int ready;
	if (refusal->monitor == NULL) {
		return kws__frame_wait(socket, deadline_ms);
	}
	do {
		int64_t left_ms = deadline_ms - kws__frame_deadline(0);
		ready = zmq_poll(items, 2, left_ms > 0 ? (long)left_ms : 0);
	} while (ready < 0 && errno == EINTR);
	if (ready < 0) {
		return KWS_EIO;
	}
	if (items[0].revents != 0) {
		return 0; /* what came before the refusal is still to be had */
	}
	/* only one kind of event is watched, and after it nothing more can come */
	return ready > 0 ? KWS_EPERM : KWS_ETIMEOUT;
}
