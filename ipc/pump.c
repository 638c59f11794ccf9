/* SPDX-License-Identifier: Apache-2.0 */
#include "ipc/pump.h"

#include <zmq.h>

#define HANDLES 2 /* uv handles that must be closed before the memory goes */

static void on_idle(uv_idle_t *idle);

/* ZMQ_FD tells only that something changed since the last call into the socket, and the send of an
 * answer is such a call: it swallows the news of requests that arrived meanwhile. So every way in
 * goes on receiving until the socket says that it is empty; if that takes longer than a turn, the
 * idle handle calls again, because the descriptor would not. */
static void drain(struct kws__pump *pump)
{
	for (int i = 0; i < KWS__PUMP_TURN; i++) {
		if (pump->closing) {
			return;
		}
		if (!pump->receive(pump->user)) {
			uv_idle_stop(&pump->idle);
			return;
		}
	}
	if (!pump->closing) {
		uv_idle_start(&pump->idle, on_idle);
	}
}

static void on_idle(uv_idle_t *idle)
{
	drain(idle->data);
}

static void on_poll(uv_poll_t *poll, int status, int events)
{
	/* an error of the descriptor shows in the socket as well */
	(void)status;
	(void)events;
	drain(poll->data);
}

int kws__pump_open(struct kws__pump *pump, uv_loop_t *loop, void *socket, const char *name,
	kws__pump_receive_fn *receive, void *user, struct kws_error *error)
{
	int fd;
	size_t size = sizeof(fd);
	*pump = (struct kws__pump){.receive = receive, .user = user};
	int rc = zmq_getsockopt(socket, ZMQ_FD, &fd, &size);
	if (rc != 0) {
		return kws_fail(error, KWS_EIO, "the %s socket has no descriptor: %s", name,
			zmq_strerror(zmq_errno()));
	}
	/* the only handle that can fail, so it is the first: after it, both are open */
	rc = uv_poll_init(loop, &pump->poll, fd);
	if (rc != 0) {
		return kws_fail(
			error, KWS_EIO, "cannot watch the %s socket: %s", name, uv_strerror(rc));
	}
	uv_idle_init(loop, &pump->idle);
	pump->handles_open = HANDLES;
	pump->poll.data = pump;
	pump->idle.data = pump;
	uv_poll_start(&pump->poll, UV_READABLE, on_poll);
	/* something may have come between the bind and now: look once without being woken */
	uv_idle_start(&pump->idle, on_idle);
	return 0;
}

void kws__pump_kick(struct kws__pump *pump)
{
	if (!pump->closing) {
		uv_idle_start(&pump->idle, on_idle);
	}
}

static void on_handle_closed(uv_handle_t *handle)
{
	struct kws__pump *pump = handle->data;
	if (--pump->handles_open == 0) {
		pump->closed(pump->user);
	}
}

void kws__pump_close(struct kws__pump *pump, void (*closed)(void *user))
{
	pump->closing = true;
	pump->closed = closed;
	uv_close((uv_handle_t *)&pump->poll, on_handle_closed);
	uv_close((uv_handle_t *)&pump->idle, on_handle_closed);
}
