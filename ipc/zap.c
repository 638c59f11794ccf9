/* SPDX-License-Identifier: Apache-2.0 */
#include "ipc/zap.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <zmq.h>

#include "ipc/frame.h"
#include "ipc/pump.h"

#define VERSION "1.0"
#define MECHANISM "CURVE"
#define KEY_BYTES 32
#define REQUEST_ID_MAX_BYTES 255

enum request_frame {
	FRAME_VERSION,
	FRAME_REQUEST_ID,
	FRAME_DOMAIN,
	FRAME_ADDRESS,
	FRAME_IDENTITY,
	FRAME_MECHANISM,
	FRAME_CREDENTIALS,
};

struct kws_zap {
	void *socket;
	struct kws__pump pump;
	const struct kws_keyring *ring;
	kws_zap_decided_fn *decided;
	void *user;
};

static bool frame_is(const struct kws_zap_frame *frame, const char *text)
{
	return frame->size == strlen(text) && memcmp(frame->data, text, frame->size) == 0;
}

static void copy_printable(char *out, size_t size, const struct kws_zap_frame *frame)
{
	const unsigned char *bytes = frame->data;
	size_t length = frame->size < size - 1 ? frame->size : size - 1;
	for (size_t i = 0; i < length; i++) {
		out[i] = bytes[i] > 32 && bytes[i] < 127 ? (char)bytes[i] : '?';
	}
	out[length] = '\0';
}

static enum kws_right right_of_domain(const struct kws_zap_frame *domain)
{
	if (frame_is(domain, KWS_ZAP_EVENTS)) {
		return KWS_RIGHT_EVENTS;
	}
	return frame_is(domain, KWS_ZAP_CONTROL) ? KWS_RIGHT_CONTROL : KWS_RIGHT_NONE;
}

static void refuse(struct kws_zap_decision *decision, const char *status, const char *reason)
{
	decision->accepted = false;
	decision->status = status;
	decision->reason = reason;
}

static void decide_key(const struct kws_keyring *ring, const struct kws_zap_frame *credentials,
	struct kws_zap_decision *decision)
{
	uint8_t key[KEY_BYTES];
	memcpy(key, credentials->data, sizeof(key));
	zmq_z85_encode(decision->public_key, key, sizeof(key));
	const struct kws_authorized *client = kws_keyring_find(ring, decision->public_key);
	if (client == NULL) {
		refuse(decision, "400", "the key is not authorized");
		return;
	}
	decision->name = client->name;
	if (client->right < decision->wanted) {
		refuse(decision, "400", "the key may read events only");
		return;
	}
	decision->accepted = true;
	decision->status = "200";
	decision->reason = "";
}

void kws_zap_decide(const struct kws_keyring *ring, const struct kws_zap_frame *frames,
	size_t count, struct kws_zap_decision *decision)
{
	memset(decision, 0, sizeof(*decision));
	decision->name = "";
	if (count != KWS_ZAP_FRAMES || !frame_is(&frames[FRAME_VERSION], VERSION) ||
		frames[FRAME_REQUEST_ID].size > REQUEST_ID_MAX_BYTES) {
		refuse(decision, "500", "malformed request");
		return;
	}
	copy_printable(decision->address, sizeof(decision->address), &frames[FRAME_ADDRESS]);
	decision->wanted = right_of_domain(&frames[FRAME_DOMAIN]);
	if (decision->wanted == KWS_RIGHT_NONE) {
		refuse(decision, "400", "there is no such domain");
	} else if (!frame_is(&frames[FRAME_MECHANISM], MECHANISM) ||
		   frames[FRAME_CREDENTIALS].size != KEY_BYTES) {
		refuse(decision, "400", "not a CURVE key");
	} else {
		decide_key(ring, &frames[FRAME_CREDENTIALS], decision);
	}
}

/* An answer that cannot be sent leaves the handshake to its time limit. */
static void reply(struct kws_zap *zap, const struct kws_zap_frame *id,
	const struct kws_zap_decision *decision)
{
	const char *user_id = decision->accepted ? decision->public_key : "";
	const struct kws_zap_frame frames[] = {
		{VERSION, strlen(VERSION)}, *id, {decision->status, strlen(decision->status)},
		{decision->reason, strlen(decision->reason)}, {user_id, strlen(user_id)},
		{"", 0}, /* metadata */
	};
	size_t count = sizeof(frames) / sizeof(frames[0]);
	for (size_t i = 0; i < count; i++) {
		if (kws__frame_send(zap->socket, frames[i].data, frames[i].size,
			    i + 1 < count ? ZMQ_SNDMORE : 0) != 0) {
			return;
		}
	}
}

static void answer(struct kws_zap *zap, zmq_msg_t *messages, size_t count)
{
	struct kws_zap_frame frames[KWS_ZAP_FRAMES] = {{"", 0}};
	struct kws_zap_decision decision;
	for (size_t i = 0; i < count && i < KWS_ZAP_FRAMES; i++) {
		frames[i].data = zmq_msg_data(&messages[i]);
		frames[i].size = zmq_msg_size(&messages[i]);
	}
	kws_zap_decide(zap->ring, frames, count, &decision);
	reply(zap, &frames[FRAME_REQUEST_ID], &decision);
	if (zap->decided != NULL) {
		zap->decided(zap->user, &decision);
	}
}

/* One request, whose frames arrive together. Frames beyond the last are received over each other.
 */
static bool receive_request(void *user)
{
	struct kws_zap *zap = user;
	zmq_msg_t messages[KWS_ZAP_FRAMES + 1];
	size_t count = 0;
	int got;
	for (size_t i = 0; i <= KWS_ZAP_FRAMES; i++) {
		zmq_msg_init(&messages[i]);
	}
	do {
		zmq_msg_t *next = &messages[count < KWS_ZAP_FRAMES ? count : KWS_ZAP_FRAMES];
		do {
			got = zmq_msg_recv(next, zap->socket, ZMQ_DONTWAIT);
		} while (got < 0 && errno == EINTR);
		count += got >= 0;
		got = got >= 0 && zmq_msg_more(next) ? 1 : 0;
	} while (got);
	if (count > 0) {
		answer(zap, messages, count);
	}
	for (size_t i = 0; i <= KWS_ZAP_FRAMES; i++) {
		zmq_msg_close(&messages[i]);
	}
	return count > 0;
}

static void free_zap(void *user)
{
	struct kws_zap *zap = user;
	if (zap->socket != NULL) {
		zmq_close(zap->socket);
	}
	free(zap);
}

int kws_zap_create(struct kws_zap **out, uv_loop_t *loop, void *context,
	const struct kws_keyring *ring, kws_zap_decided_fn *decided, void *user,
	struct kws_error *error)
{
	struct kws_zap *zap = calloc(1, sizeof(*zap));
	if (zap == NULL) {
		return kws_fail(error, KWS_ENOMEM, "out of memory");
	}
	*zap = (struct kws_zap){.ring = ring, .decided = decided, .user = user};
	zap->socket = zmq_socket(context, ZMQ_REP);
	int rc = 0;
	if (zap->socket == NULL || kws__frame_set(zap->socket, ZMQ_LINGER, 0) != 0 ||
		zmq_bind(zap->socket, KWS_ZAP_ENDPOINT) != 0) {
		rc = kws_fail(error, KWS_EIO, "cannot open %s: %s", KWS_ZAP_ENDPOINT,
			zmq_strerror(zmq_errno()));
	}
	if (rc == 0) {
		rc = kws__pump_open(&zap->pump, loop, zap->socket, "authentication",
			receive_request, zap, error);
	}
	if (rc < 0) {
		free_zap(zap);
		return rc;
	}
	*out = zap;
	return 0;
}

void kws_zap_close(struct kws_zap *zap)
{
	if (zap != NULL) {
		kws__pump_close(&zap->pump, free_zap);
	}
}
