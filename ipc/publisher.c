/* SPDX-License-Identifier: Apache-2.0 */
#include "ipc/publisher.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <zmq.h>

#include "ipc/curve.h"
#include "ipc/endpoint.h"
#include "ipc/event.h"
#include "ipc/frame.h"
#include "ipc/remote.h"
#include "ipc/text.h"
#include "ipc/zap.h"

#define BOOT_BYTES 17

struct kws_publisher {
	void *socket;
	struct kws__remote remote;
	json_t *sequences; /* topic -> last seq */
	char boot[BOOT_BYTES];
	const char *site;
	struct kws_publisher_counts counts;
};

static int make_boot(char boot[BOOT_BYTES])
{
	uint64_t number;
	if (getrandom(&number, sizeof(number), 0) != (ssize_t)sizeof(number)) {
		return KWS_EIO;
	}
	snprintf(boot, BOOT_BYTES, "%016llx", (unsigned long long)number);
	return 0;
}

/* For good: libzmq 4.3 gives the value of the bind to each connection that comes later. A lower one
 * set later would only reach those that are there, and silence them for ever: it counts as waiting
 * what they have read but not yet reported, and they report when they read on. */
static int queue_for(size_t data_bytes)
{
	size_t messages =
		data_bytes > 0 ? KWS_PUBLISHER_QUEUE_BYTES / data_bytes : KWS_PUBLISHER_QUEUE;
	if (messages < KWS_PUBLISHER_QUEUE_MIN) {
		return KWS_PUBLISHER_QUEUE_MIN;
	}
	return messages < KWS_PUBLISHER_QUEUE ? (int)messages : KWS_PUBLISHER_QUEUE;
}

static int open_socket(struct kws_publisher *publisher, void *context, const char *endpoint,
	size_t data_bytes, struct kws_error *error)
{
	publisher->socket = zmq_socket(context, ZMQ_PUB);
	int64_t max_bytes = KWS_CURVE_SUBSCRIPTION_BYTES;
	if (publisher->socket == NULL ||
		kws__frame_set(publisher->socket, ZMQ_LINGER, KWS_PUBLISHER_LINGER_MS) != 0 ||
		kws__frame_set(publisher->socket, ZMQ_SNDHWM, queue_for(data_bytes)) != 0 ||
		zmq_setsockopt(publisher->socket, ZMQ_MAXMSGSIZE, &max_bytes, sizeof(max_bytes)) !=
			0) {
		return kws_fail(error, KWS_EIO, "cannot open the event socket: %s",
			zmq_strerror(zmq_errno()));
	}
	return kws_endpoint_bind(publisher->socket, endpoint, false, error);
}

int kws_publisher_create(struct kws_publisher **out, void *context, const char *endpoint,
	size_t data_bytes, struct kws_error *error)
{
	struct kws_publisher *publisher = calloc(1, sizeof(*publisher));
	if (publisher == NULL) {
		return kws_fail(error, KWS_ENOMEM, "out of memory");
	}
	publisher->sequences = json_object();
	int rc = publisher->sequences != NULL ? make_boot(publisher->boot) : KWS_ENOMEM;
	if (rc < 0) {
		kws_fail(error, rc, "cannot start the event publisher: %s", kws_strerror(rc));
	} else {
		rc = open_socket(publisher, context, endpoint, data_bytes, error);
	}
	if (rc < 0) {
		kws_publisher_destroy(publisher);
		return rc;
	}
	*out = publisher;
	return 0;
}

int kws_publisher_open_remote(struct kws_publisher *publisher, const char *endpoint,
	const struct kws_key_pair *keys, struct kws_error *error)
{
	return kws__remote_open(
		&publisher->remote, publisher->socket, endpoint, keys, KWS_ZAP_EVENTS, error);
}

void kws_publisher_close_remote(struct kws_publisher *publisher)
{
	kws__remote_close(&publisher->remote);
}

int kws_publisher_reopen_remote(struct kws_publisher *publisher, struct kws_error *error)
{
	return kws__remote_reopen(&publisher->remote, error);
}

void kws_publisher_destroy(struct kws_publisher *publisher)
{
	if (publisher == NULL) {
		return;
	}
	if (publisher->socket != NULL) {
		zmq_close(publisher->socket);
	}
	json_decref(publisher->sequences);
	free(publisher);
}

void kws_publisher_set_site(struct kws_publisher *publisher, const char *site)
{
	publisher->site = site;
}

static json_int_t last_sequence(const struct kws_publisher *publisher, const char *topic)
{
	return json_integer_value(json_object_get(publisher->sequences, topic));
}

static int stamp(const struct kws_publisher *publisher, json_t *event, json_int_t seq, json_t **out)
{
	return kws_event_stamp(event, (uint64_t)seq, publisher->boot, publisher->site, out);
}

int kws_publisher_stamp(
	const struct kws_publisher *publisher, const char *topic, json_t *event, json_t **out)
{
	return stamp(publisher, event, last_sequence(publisher, topic) + 1, out);
}

/* The next number is taken before the attempt: a message that failed is a loss to be seen. */
static int next_sequence(struct kws_publisher *publisher, const char *topic, json_int_t *seq)
{
	if (!kws_text_is_utf8(topic)) {
		return KWS_EINVAL;
	}
	*seq = last_sequence(publisher, topic) + 1;
	if (json_object_set_new(publisher->sequences, topic, json_integer(*seq)) != 0) {
		return KWS_ENOMEM;
	}
	return 0;
}

/* A third frame, in one block. libzmq shares it among the subscribers and frees it, in a thread of
 * its own, when the last one has it. */
struct block {
	size_t size;
	char data[];
};

/* Of the process, because blocks outlive their publisher by up to KWS_PUBLISHER_LINGER_MS. */
static atomic_size_t waiting_bytes;

static void free_block(void *data, void *hint)
{
	struct block *block = hint;
	(void)data;
	atomic_fetch_sub(&waiting_bytes, block->size);
	free(block);
}

static int make_frame(zmq_msg_t *frame, const void *data, size_t size)
{
	if (size > KWS_PUBLISHER_WAITING_BYTES ||
		atomic_load(&waiting_bytes) > KWS_PUBLISHER_WAITING_BYTES - size) {
		return KWS_EBUSY;
	}
	struct block *block = malloc(sizeof(*block) + size);
	if (block == NULL) {
		return KWS_ENOMEM;
	}
	if (zmq_msg_init_data(frame, block->data, size, free_block, block) != 0) {
		free(block);
		return KWS_ENOMEM;
	}
	block->size = size;
	memcpy(block->data, data, size);
	atomic_fetch_add(&waiting_bytes, size);
	return 0;
}

static int send_frame(void *socket, zmq_msg_t *frame)
{
	int sent;
	do {
		sent = zmq_msg_send(frame, socket, ZMQ_DONTWAIT);
	} while (sent < 0 && errno == EINTR);
	return sent < 0 ? -1 : 0;
}

static int send_two(struct kws_publisher *publisher, const char *topic, const char *text, int more)
{
	if (kws__frame_send(publisher->socket, topic, strlen(topic), ZMQ_SNDMORE) != 0 ||
		kws__frame_send(publisher->socket, text, strlen(text), more) != 0) {
		return KWS_EIO;
	}
	return 0;
}

/* The third frame is made first: a message that was begun must be ended. */
static int send_three(struct kws_publisher *publisher, const char *topic, const char *text,
	const void *data, size_t size)
{
	zmq_msg_t frame;
	int rc = make_frame(&frame, data, size);
	if (rc < 0) {
		return rc;
	}
	rc = send_two(publisher, topic, text, ZMQ_SNDMORE);
	if (rc == 0 && send_frame(publisher->socket, &frame) != 0) {
		rc = KWS_EIO;
	}
	zmq_msg_close(&frame); /* of what was sent, nothing is left here */
	return rc;
}

static int send_frames(struct kws_publisher *publisher, const char *topic, const char *text,
	const void *data, size_t size)
{
	return data != NULL ? send_three(publisher, topic, text, data, size)
			    : send_two(publisher, topic, text, 0);
}

static int send_event(struct kws_publisher *publisher, const char *topic, json_t *event,
	const void *data, size_t size)
{
	json_int_t seq;
	json_t *stamped;
	int rc = next_sequence(publisher, topic, &seq);
	if (rc == 0) {
		rc = stamp(publisher, event, seq, &stamped);
	}
	if (rc < 0) {
		return rc;
	}
	char *text = kws_event_dump(stamped);
	json_decref(stamped);
	rc = text != NULL ? send_frames(publisher, topic, text, data, size) : KWS_ENOMEM;
	free(text);
	return rc;
}

int kws_publisher_send(struct kws_publisher *publisher, const char *topic, json_t *event)
{
	return kws_publisher_send_data(publisher, topic, event, NULL, 0);
}

int kws_publisher_send_data(struct kws_publisher *publisher, const char *topic, json_t *event,
	const void *data, size_t size)
{
	int rc = send_event(publisher, topic, event, data, size);
	if (rc == 0) {
		publisher->counts.sent++;
	} else {
		publisher->counts.failed++;
	}
	return rc;
}

void kws_publisher_tick(struct kws_publisher *publisher)
{
	/* reading ZMQ_EVENTS is the documented way to make a socket process its commands */
	int events;
	size_t size = sizeof(events);
	zmq_getsockopt(publisher->socket, ZMQ_EVENTS, &events, &size);
}

const char *kws_publisher_boot(const struct kws_publisher *publisher)
{
	return publisher->boot;
}

struct kws_publisher_counts kws_publisher_counts(const struct kws_publisher *publisher)
{
	return publisher->counts;
}
