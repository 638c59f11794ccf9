/* SPDX-License-Identifier: Apache-2.0 */
#include "ipc/client.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zmq.h>

#include "common/json.h"
#include "ipc/connection.h"
#include "ipc/endpoint.h"
#include "ipc/frame.h"
#include "ipc/rpc.h"
#include "ipc/text.h"

struct kws_client {
	struct kws__connection connection;
	char endpoint[KWS_ENDPOINT_BYTES]; /* for sentences */
	json_int_t last_id;
};

int kws_client_create(struct kws_client **out, const char *endpoint,
	const struct kws_curve_client *keys, struct kws_error *error)
{
	struct kws_client *client = calloc(1, sizeof(*client));
	if (client == NULL) {
		return kws_fail(error, KWS_ENOMEM, "out of memory");
	}
	snprintf(client->endpoint, sizeof(client->endpoint), "%s", endpoint);
	int rc = kws__connection_open(&client->connection, ZMQ_DEALER, endpoint, keys, error);
	if (rc < 0) {
		free(client);
		return rc;
	}
	*out = client;
	return 0;
}

void kws_client_destroy(struct kws_client *client)
{
	if (client != NULL) {
		kws__connection_close(&client->connection);
		free(client);
	}
}

static int send_request(
	struct kws_client *client, const char *method, json_t *params, struct kws_error *error)
{
	json_t *request = json_pack("{s:s, s:s, s:O*, s:I}", "jsonrpc", "2.0", "method", method,
		"params", params, "id", ++client->last_id);
	char *text = request != NULL ? kws_text_dump(request) : NULL;
	json_decref(request);
	if (text == NULL) {
		return kws_fail(error, KWS_ENOMEM, "out of memory");
	}
	int rc = 0;
	if (strlen(text) > KWS_RPC_REQUEST_BYTES) {
		rc = kws_fail(error, KWS_EINVAL, "the request is larger than %d bytes",
			KWS_RPC_REQUEST_BYTES);
	} else if (kws__frame_send(client->connection.socket, text, strlen(text), 0) != 0) {
		rc = kws_fail(
			error, KWS_ETIMEOUT, "kwsd takes no requests at %s", client->endpoint);
	}
	free(text);
	return rc;
}

static int parse_answer(const struct kws_client *client, zmq_msg_t *message, json_t **answer,
	struct kws_error *error)
{
	json_t *json = NULL;
	int rc = kws_json_load(&json, NULL, zmq_msg_data(message), zmq_msg_size(message), 0, error);
	if (rc == KWS_ENOMEM) {
		return rc;
	}
	if (!json_is_object(json)) {
		json_decref(json);
		return kws_fail(error, KWS_EFORMAT, "%s answered something else than an object",
			client->endpoint);
	}
	*answer = json;
	return 0;
}

/* The next message as JSON, which the caller owns. */
static int receive_answer(
	struct kws_client *client, int64_t deadline_ms, json_t **answer, struct kws_error *error)
{
	zmq_msg_t message;
	int rc = kws__connection_wait(&client->connection, deadline_ms);
	if (rc == KWS_ETIMEOUT) {
		return kws_fail(error, rc, "no answer from kwsd at %s", client->endpoint);
	}
	if (rc == KWS_EPERM) {
		return kws_fail(error, rc, "kwsd at %s refuses this key", client->endpoint);
	}
	zmq_msg_init(&message);
	if (rc < 0 || zmq_msg_recv(&message, client->connection.socket, ZMQ_DONTWAIT) < 0) {
		rc = kws_fail(error, KWS_EIO, "cannot receive from %s: %s", client->endpoint,
			zmq_strerror(zmq_errno()));
	} else {
		rc = parse_answer(client, &message, answer, error);
	}
	zmq_msg_close(&message);
	return rc;
}

/* An answer without an id is to a request so broken that the daemon found none in it. */
static bool is_ours(const struct kws_client *client, const json_t *answer)
{
	const json_t *id = json_object_get(answer, "id");
	return json_is_null(id) ||
	       (json_is_integer(id) && json_integer_value(id) == client->last_id);
}

static int read_answer(const struct kws_client *client, const json_t *answer, json_t **result,
	struct kws_error *error)
{
	const json_t *failure = json_object_get(answer, "error");
	if (failure != NULL) {
		const char *sentence = json_string_value(json_object_get(failure, "message"));
		return kws_fail(error, KWS_EIO, "%s",
			sentence != NULL ? sentence : "the daemon gave no reason");
	}
	*result = json_incref(json_object_get(answer, "result"));
	if (*result == NULL) {
		return kws_fail(
			error, KWS_EFORMAT, "%s answered without a result", client->endpoint);
	}
	return 0;
}

int kws_client_call(struct kws_client *client, const char *method, json_t *params, int timeout_ms,
	json_t **result, struct kws_error *error)
{
	int64_t deadline_ms = kws__frame_deadline(timeout_ms);
	int rc = send_request(client, method, params, error);
	while (rc == 0) {
		json_t *answer = NULL;
		rc = receive_answer(client, deadline_ms, &answer, error);
		if (rc < 0) {
			break;
		}
		bool ours = is_ours(client, answer);
		if (ours) {
			rc = read_answer(client, answer, result, error);
		}
		json_decref(answer);
		if (ours) {
			break;
		}
	}
	return rc;
}
