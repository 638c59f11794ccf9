/* SPDX-License-Identifier: Apache-2.0 */
#include "ipc/control.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <zmq.h>

#include "ipc/endpoint.h"
#include "ipc/frame.h"
#include "ipc/pump.h"
#include "ipc/remote.h"
#include "ipc/zap.h"

/* Per client: waiting requests cost up to 64 KiB each, waiting answers are small. */
#define REQUEST_QUEUE 64
#define ANSWER_QUEUE 1000
#define LINGER_MS 250

/* What encryption adds to a request, generously: rfc.zeromq.org/spec/26 has 33 bytes. */
#define CURVE_BYTES 64

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
	struct kws__remote remote;
	const struct kws_keyring *ring; /* who may ask through `remote` */
	struct kws__pump pump;
	const struct kws_rpc_method *methods;
	void *user;
	void (*closed)(void *user);
	bool closing;
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

/* The user id is the key that the ZAP handler accepted. An ipc connection has none: there the file
 * permissions have decided. */
static bool may_ask(const struct kws_control *control, zmq_msg_t *body)
{
	const char *key = zmq_msg_gets(body, "User-Id");
	if (key == NULL) {
		return true;
	}
	const struct kws_authorized *client =
		control->ring != NULL ? kws_keyring_find(control->ring, key) : NULL;
	return client != NULL && client->right == KWS_RIGHT_CONTROL;
}

static void handle_request(struct kws_control *control)
{
	struct inbound *in = &control->inbound;
	if (!may_ask(control, &in->body)) {
		control->counts.refused++;
		return;
	}
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

static bool receive_frame(void *user)
{
	struct kws_control *control = user;
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

static int open_socket(
	struct kws_control *control, void *context, const char *endpoint, struct kws_error *error)
{
	control->socket = zmq_socket(context, ZMQ_ROUTER);
	int64_t max_bytes = KWS_RPC_REQUEST_BYTES + CURVE_BYTES;
	if (control->socket == NULL ||
		kws__frame_set(control->socket, ZMQ_LINGER, LINGER_MS) != 0 ||
		kws__frame_set(control->socket, ZMQ_RCVHWM, REQUEST_QUEUE) != 0 ||
		kws__frame_set(control->socket, ZMQ_SNDHWM, ANSWER_QUEUE) != 0 ||
		zmq_setsockopt(control->socket, ZMQ_MAXMSGSIZE, &max_bytes, sizeof(max_bytes)) !=
			0) {
		return kws_fail(error, KWS_EIO, "cannot open the control socket: %s",
			zmq_strerror(zmq_errno()));
	}
	return kws_endpoint_bind(control->socket, endpoint, false, error);
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
		rc = kws__pump_open(&control->pump, loop, control->socket, "control", receive_frame,
			control, error);
	}
	if (rc < 0) {
		free_control(control);
		return rc;
	}
	*out = control;
	return 0;
}

int kws_control_open_remote(struct kws_control *control, const char *endpoint,
	const struct kws_key_pair *keys, const struct kws_keyring *ring, struct kws_error *error)
{
	control->ring = ring;
	return kws__remote_open(
		&control->remote, control->socket, endpoint, keys, KWS_ZAP_CONTROL, error);
}

void kws_control_close_remote(struct kws_control *control)
{
	kws__remote_close(&control->remote);
	kws__pump_kick(&control->pump);
}

int kws_control_reopen_remote(struct kws_control *control, struct kws_error *error)
{
	int rc = kws__remote_reopen(&control->remote, error);
	kws__pump_kick(&control->pump);
	return rc;
}

static void on_pump_closed(void *object)
{
	struct kws_control *control = object;
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
	kws__pump_close(&control->pump, on_pump_closed);
}

struct kws_control_counts kws_control_counts(const struct kws_control *control)
{
	return control->counts;
}
