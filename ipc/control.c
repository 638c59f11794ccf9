/* SPDX-License-Identifier: Apache-2.0 */
#include "ipc/control.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <zmq.h>

#include "ipc/endpoint.h"
#include "ipc/frame.h"

/* Per client: waiting requests cost up to 64 KiB each, waiting answers are small. */
#define REQUEST_QUEUE 64
#define ANSWER_QUEUE 1000
#define LINGER_MS 250

#define HANDLES 2 /* uv handles that must be closed before the memory goes */

/* The message that is being received, which may take several turns of the loop: a client may send a
 * thousand frames in one message. Frames: identity, an empty one from REQ clients, the request. */
struct inbound {
	unsigned frames;
	bool delimited; /* the second frame was empty and not the last */
	bool malformed;
	zmq_msg_t identity;
	zmq_msg_t body;
};

struct kws_control {
	void *socket;
	uv_poll_t poll;
	uv_idle_t idle;
	const struct kws_rpc_method *methods;
	void *user;
	void (*closed)(void *user);
	bool closing;
	int handles_open;
	struct inbound inbound;
	struct kws_control_counts counts;
};

static void send_answer(struct kws_control *control, const char *text)
{
	struct inbound *in = &control->inbound;
	if (kws__frame_send(control->socket, zmq_msg_data(&in->identity),
		    zmq_msg_size(&in->identity), ZMQ_SNDMORE) != 0 ||
		(in->delimited && kws__frame_send(control->socket, "", 0, ZMQ_SNDMORE) != 0) ||
		kws__frame_send(control->socket, text, strlen(text), 0) != 0) {
		control->counts.dropped++;
	}
}

static void handle_request(struct kws_control *control)
{
	struct inbound *in = &control->inbound;
	control->counts.requests++;
	char *reply = kws_rpc_handle(
		control->methods, control->user, zmq_msg_data(&in->body), zmq_msg_size(&in->body));
	if (reply != NULL) {
		send_answer(control, reply);
		free(reply);
	}
}

/* Sorts `frame` into the message; what is not moved stays with the caller. */
static void accept_frame(struct inbound *in, zmq_msg_t *frame, bool more)
{
	unsigned index = in->frames++;
	if (index == 0) {
		zmq_msg_move(&in->identity, frame);
		in->malformed = !more;
	} else if (index == 1 && zmq_msg_size(frame) == 0 && more) {
		in->delimited = true;
	} else if (index == (in->delimited ? 2U : 1U) && !more) {
		zmq_msg_move(&in->body, frame);
	} else {
		in->malformed = true;
		in->frames = 3; /* the count has done its work and must not wrap around */
	}
}

static void finish_message(struct kws_control *control)
{
	struct inbound *in = &control->inbound;
	if (in->malformed) {
		control->counts.malformed++;
	} else {
		handle_request(control);
	}
	zmq_msg_close(&in->identity);
	zmq_msg_close(&in->body);
	memset(in, 0, sizeof(*in));
	zmq_msg_init(&in->identity);
	zmq_msg_init(&in->body);
}

/* Returns whether there was a frame to receive. */
static bool receive_frame(struct kws_control *control)
{
	zmq_msg_t frame;
	zmq_msg_init(&frame);
	int got;
	do {
		got = zmq_msg_recv(&frame, control->socket, ZMQ_DONTWAIT);
	} while (got < 0 && errno == EINTR);
	if (got >= 0) {
		bool more = zmq_msg_more(&frame) != 0;
		accept_frame(&control->inbound, &frame, more);
		if (!more) {
			finish_message(control);
		}
	}
	zmq_msg_close(&frame);
	return got >= 0;
}

static void on_idle(uv_idle_t *idle);

/* ZMQ_FD tells only that something changed since the last call into the socket, and the send of an
 * answer is such a call: it swallows the news of requests that arrived meanwhile. So every way in
 * goes on receiving until the socket says that it is empty; if that takes longer than a turn, the
 * idle handle calls again, because the descriptor would not. */
static void drain(struct kws_control *control)
{
	for (int i = 0; i < KWS_CONTROL_TURN_FRAMES; i++) {
		if (control->closing) {
			return;
		}
		if (!receive_frame(control)) {
			uv_idle_stop(&control->idle);
			return;
		}
	}
	if (!control->closing) {
		uv_idle_start(&control->idle, on_idle);
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

static int open_socket(
	struct kws_control *control, void *context, const char *endpoint, struct kws_error *error)
{
	control->socket = zmq_socket(context, ZMQ_ROUTER);
	int64_t max_bytes = KWS_RPC_REQUEST_BYTES;
	if (control->socket == NULL ||
		kws__frame_set(control->socket, ZMQ_LINGER, LINGER_MS) != 0 ||
		kws__frame_set(control->socket, ZMQ_RCVHWM, REQUEST_QUEUE) != 0 ||
		kws__frame_set(control->socket, ZMQ_SNDHWM, ANSWER_QUEUE) != 0 ||
		zmq_setsockopt(control->socket, ZMQ_MAXMSGSIZE, &max_bytes, sizeof(max_bytes)) !=
			0) {
		return kws_fail(error, KWS_EIO, "cannot open the control socket: %s",
			zmq_strerror(zmq_errno()));
	}
	return kws_endpoint_bind(control->socket, endpoint, error);
}

/* The poll handle is the only one that can fail, so it is the first: after it, both are open. */
static int open_handles(struct kws_control *control, uv_loop_t *loop, struct kws_error *error)
{
	int fd;
	size_t size = sizeof(fd);
	int rc = zmq_getsockopt(control->socket, ZMQ_FD, &fd, &size);
	if (rc != 0) {
		return kws_fail(error, KWS_EIO, "the control socket has no descriptor: %s",
			zmq_strerror(zmq_errno()));
	}
	rc = uv_poll_init(loop, &control->poll, fd);
	if (rc != 0) {
		return kws_fail(
			error, KWS_EIO, "cannot watch the control socket: %s", uv_strerror(rc));
	}
	uv_idle_init(loop, &control->idle);
	control->handles_open = HANDLES;
	control->poll.data = control;
	control->idle.data = control;
	uv_poll_start(&control->poll, UV_READABLE, on_poll);
	/* a request may have come between the bind and now: look once without being woken */
	uv_idle_start(&control->idle, on_idle);
	return 0;
}

static void free_control(struct kws_control *control)
{
	if (control->socket != NULL) {
		zmq_close(control->socket);
	}
	zmq_msg_close(&control->inbound.identity);
	zmq_msg_close(&control->inbound.body);
	free(control);
}

int kws_control_create(struct kws_control **out, uv_loop_t *loop, void *context,
	const char *endpoint, const struct kws_rpc_method *methods, void *user,
	struct kws_error *error)
{
	struct kws_control *control = calloc(1, sizeof(*control));
	if (control == NULL) {
		return kws_fail(error, KWS_ENOMEM, "out of memory");
	}
	control->methods = methods;
	control->user = user;
	zmq_msg_init(&control->inbound.identity);
	zmq_msg_init(&control->inbound.body);
	int rc = open_socket(control, context, endpoint, error);
	if (rc == 0) {
		rc = open_handles(control, loop, error);
	}
	if (rc < 0) {
		free_control(control);
		return rc;
	}
	*out = control;
	return 0;
}

static void on_handle_closed(uv_handle_t *handle)
{
	struct kws_control *control = handle->data;
	if (--control->handles_open > 0) {
		return;
	}
	void (*closed)(void *user) = control->closed;
	void *user = control->user;
	free_control(control);
	if (closed != NULL) {
		closed(user);
	}
}

void kws_control_close(struct kws_control *control, void (*closed)(void *user))
{
	if (control == NULL || control->closing) {
		return;
	}
	control->closing = true;
	control->closed = closed;
	uv_close((uv_handle_t *)&control->poll, on_handle_closed);
	uv_close((uv_handle_t *)&control->idle, on_handle_closed);
}

struct kws_control_counts kws_control_counts(const struct kws_control *control)
{
	return control->counts;
}
