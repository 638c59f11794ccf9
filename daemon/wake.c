/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/wake.h"

#include <stdatomic.h>

static void on_async(uv_async_t *async)
{
	struct kws_wake *wake = async->data;
	/* Pairs with the fence in send: what was published before it is seen from here on. */
	atomic_thread_fence(memory_order_seq_cst);
	wake->woken(wake->user);
}

int kws_wake_init(struct kws_wake *wake, uv_loop_t *loop, void (*woken)(void *user), void *user)
{
	wake->woken = woken;
	wake->user = user;
	wake->async.data = wake;
	return uv_async_init(loop, &wake->async, on_async);
}

void kws_wake_send(void *wake)
{
	/* uv_async_send() begins with a relaxed read of "already pending?". Without this fence the
	 * processor may do that read before the caller's stores are visible; the loop then clears
	 * the flag, sees nothing new and sleeps. */
	atomic_thread_fence(memory_order_seq_cst);
	uv_async_send(&((struct kws_wake *)wake)->async);
}

static void on_closed(uv_handle_t *async)
{
	struct kws_wake *wake = async->data;
	wake->closed(wake->user);
}

void kws_wake_finish(struct kws_wake *wake, void (*closed)(void *user))
{
	wake->closed = closed;
	uv_close((uv_handle_t *)&wake->async, on_closed);
}
