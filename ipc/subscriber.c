/* SPDX-License-Identifier: Apache-2.0 */
#include "ipc/subscriber.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <zmq.h>

#include "common/json.h"
#include "ipc/connection.h"
#include "ipc/frame.h"

struct kws_subscriber {
	struct kws__connection connection;
};

int kws_subscriber_create(struct kws_subscriber **out, const char *endpoint,
	const struct kws_curve_client *keys, struct kws_error *error)
{
	struct kws_subscriber *subscriber = calloc(1, sizeof(*subscriber));
	if (subscriber == NULL) {
		return kws_fail(error, KWS_ENOMEM, "out of memory");
	}
	int rc = kws__connection_open(&subscriber->connection, ZMQ_SUB, endpoint, keys, error);
	if (rc < 0) {
		free(subscriber);
		return rc;
	}
	*out = subscriber;
	return 0;
}

void kws_subscriber_destroy(struct kws_subscriber *subscriber)
{
	if (subscriber != NULL) {
		kws__connection_close(&subscriber->connection);
		free(subscriber);
	}
}

int kws_subscriber_add(struct kws_subscriber *subscriber, const char *prefix)
{
	int rc = zmq_setsockopt(
		subscriber->connection.socket, ZMQ_SUBSCRIBE, prefix, strlen(prefix));
	return rc == 0 ? 0 : KWS_EIO;
}

bool kws_subscriber_is_connected(const struct kws_subscriber *subscriber)
{
	return subscriber->connection.stands;
}

/* The frames of one message; a third and later ones are received into nowhere and make it
 * malformed, for the next message must begin with its topic. */
static int receive_frames(void *socket, zmq_msg_t *topic, zmq_msg_t *event)
{
	if (zmq_msg_recv(topic, socket, ZMQ_DONTWAIT) < 0) {
		return KWS_EIO;
	}
	if (!zmq_msg_more(topic)) {
		return KWS_EFORMAT;
	}
	if (zmq_msg_recv(event, socket, ZMQ_DONTWAIT) < 0) {
		return KWS_EIO;
	}
	bool surplus = zmq_msg_more(event) != 0;
	while (zmq_msg_more(event) && zmq_msg_recv(event, socket, ZMQ_DONTWAIT) >= 0) {
	}
	return surplus ? KWS_EFORMAT : 0;
}

static int read_message(
	zmq_msg_t *topic_frame, zmq_msg_t *event_frame, char **topic, json_t **event)
{
	json_t *object;
	int rc = kws_json_load(
		&object, NULL, zmq_msg_data(event_frame), zmq_msg_size(event_frame), 0, NULL);
	if (rc < 0) {
		return rc;
	}
	if (!json_is_object(object)) {
		json_decref(object);
		return KWS_EFORMAT;
	}
	*topic = strndup(zmq_msg_data(topic_frame), zmq_msg_size(topic_frame));
	if (*topic == NULL) {
		json_decref(object);
		return KWS_ENOMEM;
	}
	*event = object;
	return 0;
}

int kws_subscriber_receive(
	struct kws_subscriber *subscriber, int timeout_ms, char **topic, json_t **event)
{
	zmq_msg_t topic_frame;
	zmq_msg_t event_frame;
	int rc = kws__connection_wait(&subscriber->connection, kws__frame_deadline(timeout_ms));
	if (rc < 0) {
		return rc;
	}
	zmq_msg_init(&topic_frame);
	zmq_msg_init(&event_frame);
	rc = receive_frames(subscriber->connection.socket, &topic_frame, &event_frame);
	if (rc == 0) {
		rc = read_message(&topic_frame, &event_frame, topic, event);
	}
	zmq_msg_close(&topic_frame);
	zmq_msg_close(&event_frame);
	return rc;
}
