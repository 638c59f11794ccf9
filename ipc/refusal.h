/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KWS_IPC_REFUSAL_H
#define KWS_IPC_REFUSAL_H

#include <stdint.h>

#include "common/error.h"

/* Tells a client that its key was refused, which libzmq reports to nobody who does not ask, and
 * after which it does not connect again. All zero watches nothing. Internal to ipc/. Thread: the
 * socket's owner. */
struct kws__refusal {
	void *monitor;
};

/* Watches `socket` from before its connect on. Errors: KWS_EIO. */
int kws__refusal_open(
	struct kws__refusal *refusal, void *context, void *socket, struct kws_error *error);

/* Before the socket is closed. */
void kws__refusal_close(struct kws__refusal *refusal, void *socket);

/* As kws__frame_wait(), and KWS_EPERM when the other side has refused. */
int kws__refusal_wait(struct kws__refusal *refusal, void *socket, int64_t deadline_ms);

#endif
