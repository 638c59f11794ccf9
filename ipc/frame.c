/* SPDX-License-Identifier: Apache-2.0 */
#include "ipc/frame.h"

#include <errno.h>
#include <zmq.h>

#include "common/clock.h"
#include "common/error.h"

int kws__frame_send(void *socket, const void *data, size_t size, int flags)
{
	int sent;
	do {
		sent = zmq_send(socket, data, size, flags | ZMQ_DONTWAIT);
	} while (sent < 0 && errno == EINTR);
	return sent < 0 ? -1 : 0;
}

int kws__frame_set(void *socket, int option, int value)
{
	return zmq_setsockopt(socket, option, &value, sizeof(value));
}

int64_t kws__frame_deadline(int timeout_ms)
{
	return (int64_t)kws_clock_ms(CLOCK_MONOTONIC) + timeout_ms;
}

int kws__frame_wait(void *socket, int64_t deadline_ms)
{
	zmq_pollitem_t item = {.socket = socket, .events = ZMQ_POLLIN};
	int ready;
	do {
		int64_t left_ms = deadline_ms - kws__frame_deadline(0);
		ready = zmq_poll(&item, 1, left_ms > 0 ? (long)left_ms : 0);
	} while (ready < 0 && errno == EINTR);
	if (ready < 0) {
		return KWS_EIO;
	}
	return ready > 0 ? 0 : KWS_ETIMEOUT;
}
