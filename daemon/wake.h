/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KWS_DAEMON_WAKE_H
#define KWS_DAEMON_WAKE_H

#include <uv.h>

/* Wakes the loop from another thread after that thread has published something. The only place that
 * calls uv_async_send(), because a call without the fence in it can be lost (see wake.c). */
struct kws_wake {
	uv_async_t async;
	void (*woken)(void *user);
	void (*closed)(void *user);
	void *user;
};

/* `woken(user)` is called on the loop's thread at least once after each send; sends coalesce.
 * Returns 0 or a libuv error. Thread: loop. */
int kws_wake_init(struct kws_wake *wake, uv_loop_t *loop, void (*woken)(void *user), void *user);

/* Thread: any, also an audio callback: takes no lock, allocates nothing, makes at most one write to
 * a non-blocking descriptor. `wake` is a struct kws_wake, void so that it fits a callback. */
void kws_wake_send(void *wake);

/* Starts closing; nothing may send any more. The loop calls `closed(user)`, and only from then on
 * may the memory be freed. Thread: loop. */
void kws_wake_finish(struct kws_wake *wake, void (*closed)(void *user));

#endif
