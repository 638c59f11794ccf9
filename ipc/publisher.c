/* SPDX-License-Identifier: Apache-2.0 */
#include "ipc/publisher.h"

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

static int open_socket(struct kws_publisher *publisher, void *context, const char *endpoint,
	struct kws_error *error)
{
	publisher->socket = zmq_socket(context, ZMQ_PUB);
	int64_t max_bytes = KWS_CURVE_SUBSCRIPTION_BYTES;
	if (publisher->socket == NULL ||
		kws__frame_set(publisher->socket, ZMQ_LINGER, KWS_PUBLISHER_LINGER_MS) != 0 ||
		kws__frame_set(publisher->socket, ZMQ_SNDHWM, KWS_PUBLISHER_QUEUE) != 0 ||
		zmq_setsockopt(publisher->socket, ZMQ_MAXMSGSIZE, &max_bytes, sizeof(max_bytes)) !=
			0) {
		return kws_fail(error, KWS_EIO, "cannot open the event socket: %s",
			zmq_strerror(zmq_errno()));
	}
	return kws_endpoint_bind(publisher->socket, endpoint, false, error);
}

int kws_publisher_create(
	struct kws_publisher **out, void *context, const char *endpoint, struct kws_error *error)
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
		rc = open_socket(publisher, context, endpoint, error);
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

/* The next number is taken before the attempt: a message that failed is a loss to be seen. */
static int next_sequence(struct kws_publisher *publisher, const char *topic, json_int_t *seq)
{
	if (!kws_text_is_utf8(topic)) {
		return KWS_EINVAL;
	}
	*seq = json_integer_value(json_object_get(publisher->sequences, topic)) + 1;
	if (json_object_set_new(publisher->sequences, topic, json_integer(*seq)) != 0) {
		return KWS_ENOMEM;
	}
	return 0;
}

/* `data` NULL: two frames. */
static int send_frames(struct kws_publisher *publisher, const char *topic, const char *text,
	const void *data, size_t size)
{
	int more = data != NULL ? ZMQ_SNDMORE : 0;
	if (kws__frame_send(publisher->socket, topic, strlen(topic), ZMQ_SNDMORE) != 0 ||
		kws__frame_send(publisher->socket, text, strlen(text), more) != 0 ||
		(data != NULL && kws__frame_send(publisher->socket, data, size, 0) != 0)) {
		return KWS_EIO;
	}
	return 0;
}

static int send_event(struct kws_publisher *publisher, const char *topic, json_t *event,
	const void *data, size_t size)
{
	json_int_t seq;
	json_t *stamped;
	int rc = next_sequence(publisher, topic, &seq);
	if (rc == 0) {
		rc = kws_event_stamp(event, (uint64_t)seq, publisher->boot, &stamped);
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
