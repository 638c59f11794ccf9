/* SPDX-License-Identifier: Apache-2.0 */
/* A request to the authentication handler. The input is frames, each after one byte with its
 * length. Whatever comes in, accepted is only a key of the list for a socket that it has a right
 * to. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <zmq.h>

#include "ipc/zap.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define FRAMES_MAX 10

static const uint8_t reader[32] = "reader: 32 bytes, as a key has.";
static const uint8_t controller[32] = "control: 32 bytes, as a key is.";

static void require(int condition)
{
	if (!condition) {
		abort();
	}
}

static void add(
	struct kws_keyring *ring, const char *name, const uint8_t *key, enum kws_right right)
{
	char text[KWS_KEY_SIZE];
	require(zmq_z85_encode(text, key, sizeof(reader)) != NULL);
	require(kws_keyring_add(ring, name, text, right, NULL) == 0);
}

static size_t read_frames(struct kws_zap_frame *frames, const uint8_t *data, size_t size)
{
	size_t count = 0;
	while (size > 0 && count < FRAMES_MAX) {
		size_t length = data[0] < size - 1 ? data[0] : size - 1;
		frames[count++] = (struct kws_zap_frame){data + 1, length};
		data += 1 + length;
		size -= 1 + length;
	}
	return count;
}

static int frame_is(const struct kws_zap_frame *frame, const void *bytes, size_t size)
{
	return frame->size == size && memcmp(frame->data, bytes, size) == 0;
}

static void check_accepted(const struct kws_zap_frame *frames, size_t count)
{
	require(count == KWS_ZAP_FRAMES && frame_is(&frames[0], "1.0", 3));
	require(frame_is(&frames[5], "CURVE", 5));
	int may_control = frame_is(&frames[6], controller, sizeof(controller));
	int may_read = may_control || frame_is(&frames[6], reader, sizeof(reader));
	int control = frame_is(&frames[2], KWS_ZAP_CONTROL, strlen(KWS_ZAP_CONTROL));
	int events = frame_is(&frames[2], KWS_ZAP_EVENTS, strlen(KWS_ZAP_EVENTS));
	require((control && may_control) || (events && may_read));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct kws_keyring ring = {.count = 0};
	struct kws_zap_frame frames[FRAMES_MAX];
	struct kws_zap_decision decision;
	add(&ring, "reader", reader, KWS_RIGHT_EVENTS);
	add(&ring, "controller", controller, KWS_RIGHT_CONTROL);
	size_t count = read_frames(frames, data, size);
	kws_zap_decide(&ring, frames, count, &decision);
	require(decision.accepted == (strcmp(decision.status, "200") == 0));
	require(strlen(decision.address) < sizeof(decision.address));
	for (const char *c = decision.address; *c != '\0'; c++) {
		require(*c > 32 && *c < 127);
	}
	if (decision.accepted) {
		check_accepted(frames, count);
		require(strlen(decision.public_key) == KWS_KEY_CHARS && decision.name[0] != '\0');
	}
	return 0;
}
