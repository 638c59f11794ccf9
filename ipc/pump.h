/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KWS_IPC_PUMP_H
#define KWS_IPC_PUMP_H

#include <stdbool.h>
#include <uv.h>

#include "common/error.h"

/* Receives from a ZeroMQ socket in a libuv loop: struct kws__pump, below. Internal to ipc/.
 * Thread: the loop's. */

/* The calls of `receive` in one turn, before the loop's other handles get theirs. */
#define KWS__PUMP_TURN 16

/* Receives one frame or one message without blocking; false when there was none. May close the
 * pump. */
typedef bool kws__pump_receive_fn(void *user);

struct kws__pump {
	uv_poll_t poll;
	uv_idle_t idle;
	kws__pump_receive_fn *receive;
	void (*closed)(void *user);
	void *user;
	int handles_open;
	bool closing;
};

/* Starts, in the owner's memory, which stays until `closed`. `name` is for the sentence. After an
 * error nothing is open. Errors: KWS_EIO. */
int kws__pump_open(struct kws__pump *pump, uv_loop_t *loop, void *socket, const char *name,
	kws__pump_receive_fn *receive, void *user, struct kws_error *error);

/* Looks again in the next turn: to be called after a call into the socket that is no receive, such
 * as a bind, since it swallows the news of what has come. */
void kws__pump_kick(struct kws__pump *pump);

/* Stops at once and calls `closed` with the `user` of open from a later turn of the loop. */
void kws__pump_close(struct kws__pump *pump, void (*closed)(void *user));

#endif
