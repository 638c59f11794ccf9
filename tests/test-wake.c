/* SPDX-License-Identifier: Apache-2.0 */
/* No wake-up is lost: a thread publishes a number, wakes the loop and waits for the loop's answer
 * before it goes on, so that one lost wake-up stops everything and is seen. */
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include <cmocka.h>
#include <uv.h>

#include "daemon/wake.h"

#define ROUNDS 5000
#define BURST 1000
#define PATIENCE_S 5

struct exchange {
	struct kws_wake wake;
	uv_loop_t loop;
	atomic_uint published;
	atomic_uint answered;
	atomic_uint wakes;
	bool lost;
	bool closed;
};

static double now_s(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void on_closed(void *user)
{
	struct exchange *exchange = user;
	exchange->closed = true;
}

static void on_woken(void *user)
{
	struct exchange *exchange = user;
	unsigned seen = atomic_load_explicit(&exchange->published, memory_order_acquire);
	atomic_fetch_add_explicit(&exchange->wakes, 1, memory_order_relaxed);
	atomic_store_explicit(&exchange->answered, seen, memory_order_release);
	if (seen == UINT32_MAX) {
		kws_wake_finish(&exchange->wake, on_closed);
	}
}

static void publish(struct exchange *exchange, unsigned number)
{
	atomic_store_explicit(&exchange->published, number, memory_order_release);
	kws_wake_send(&exchange->wake);
}

static bool wait_for_answer(struct exchange *exchange, unsigned number)
{
	double end = now_s() + PATIENCE_S;
	unsigned spins = 0;
	while (atomic_load_explicit(&exchange->answered, memory_order_acquire) != number) {
		if (++spins % 64 != 0) {
			continue; /* answers come at once on a free machine: catch the narrow races
				   */
		}
		if (now_s() > end) {
			return false;
		}
		sched_yield(); /* on a busy one the loop needs this processor */
	}
	return true;
}

static void ping_pong(void *user)
{
	struct exchange *exchange = user;
	for (unsigned i = 1; i <= ROUNDS && !exchange->lost; i++) {
		publish(exchange, i);
		exchange->lost = !wait_for_answer(exchange, i);
	}
	publish(exchange, UINT32_MAX);
}

static void begin(struct exchange *exchange)
{
	assert_int_equal(uv_loop_init(&exchange->loop), 0);
	assert_int_equal(kws_wake_init(&exchange->wake, &exchange->loop, on_woken, exchange), 0);
}

/* When the loop has seen the number that ends all. */
static void end(struct exchange *exchange)
{
	assert_int_equal(uv_loop_close(&exchange->loop), 0);
	assert_true(exchange->closed);
}

static void test_no_wake_up_is_lost(void **state)
{
	struct exchange exchange = {0};
	uv_thread_t thread;
	(void)state;
	begin(&exchange);
	assert_int_equal(uv_thread_create(&thread, ping_pong, &exchange), 0);
	uv_run(&exchange.loop, UV_RUN_DEFAULT);
	uv_thread_join(&thread);
	end(&exchange);
	assert_false(exchange.lost);
	assert_true(atomic_load(&exchange.wakes) >= ROUNDS);
}

/* However often it was woken before it looks, the loop wakes once, and sees the last number. */
static void test_sends_coalesce(void **state)
{
	struct exchange exchange = {0};
	(void)state;
	begin(&exchange);
	for (unsigned i = 1; i <= BURST; i++) {
		publish(&exchange, i);
	}
	for (int turn = 0; turn < 3; turn++) {
		uv_run(&exchange.loop, UV_RUN_NOWAIT);
	}
	assert_int_equal(atomic_load(&exchange.wakes), 1);
	assert_int_equal(atomic_load(&exchange.answered), BURST);
	publish(&exchange, UINT32_MAX);
	uv_run(&exchange.loop, UV_RUN_DEFAULT);
	end(&exchange);
	assert_int_equal(atomic_load(&exchange.wakes), 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_no_wake_up_is_lost),
		cmocka_unit_test(test_sends_coalesce),
	};
	return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
