/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KWS_DAEMON_INTAKE_H
#define KWS_DAEMON_INTAKE_H

#include <uv.h>

#include "audio/capture.h"
#include "daemon/wake.h"

/* The daemon's capture and its exchange for another one. A device can often be opened only once, so
 * the old capture is closed before the new one is made. A sick device takes any time for that, so
 * it happens on a worker thread and the loop goes on. In the owner's memory. Thread: loop. */
struct kws_intake {
	struct kws_capture *capture; /* NULL: none, or the old one is being closed */
	struct kws_wake wake;
	uv_work_t closing;
	struct kws_capture *old; /* the worker's; NULL: nothing is being closed */
	uint64_t taken;          /* bytes of the standard input that all captures together took */
	void (*woken)(void *user);
	void (*emptied)(void *user);
	void (*finished)(void *user);
	void *user;
};

/* `woken(user)`: the capture has something to read. `emptied(user)`: what kws_intake_empty() began
 * is done. Returns 0 or a libuv error. */
int kws_intake_init(struct kws_intake *intake, uv_loop_t *loop, void (*woken)(void *user),
	void (*emptied)(void *user), void *user);

/* Starts to capture; there must be no capture, and none being closed. Errors: those of
 * kws_capture_create(). */
int kws_intake_open(struct kws_intake *intake, const struct kws_source_config *source);

/* kws_capture_set_debug() of the capture, if there is one. */
void kws_intake_set_debug(struct kws_intake *intake, bool debug);

/* As kws_capture_status(); without a capture it is closing. */
void kws_intake_status(struct kws_intake *intake, struct kws_capture_status *out);

/* Gives up the capture; `emptied` comes in a later turn of the loop, once for any number of calls
 * until then. */
void kws_intake_empty(struct kws_intake *intake);

/* Closes all; neither `woken` nor `emptied` comes any more. The loop calls `finished(user)`, and
 * only from then on may the memory be freed. */
void kws_intake_finish(struct kws_intake *intake, void (*finished)(void *user));

#endif
