/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/pause.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define STALL_MS 60000
#define TICK_MS 100

/* Ticks with nothing new from `from_ms` on; in how many of them there was a pause. */
static unsigned silence(struct kws_pause *pause, uint64_t from_ms, uint64_t for_ms)
{
	unsigned pauses = 0;
	for (uint64_t ms = from_ms; ms < from_ms + for_ms; ms += TICK_MS) {
		pauses += kws_pause_is_on(pause, pause->arrivals, STALL_MS, ms);
	}
	return pauses;
}

static void lasts_until_the_capture_must_have_seen_the_stall(void **state)
{
	(void)state;
	struct kws_pause pause = {0};
	kws_pause_restart(&pause, 5000);
	assert_false(kws_pause_is_on(&pause, 1, STALL_MS, 5000));
	assert_int_equal(silence(&pause, 5000, 1000), 0);
	assert_int_equal(silence(&pause, 6000, 74000), 740);
	assert_int_equal(silence(&pause, 80100, 600000), 0);
	kws_pause_restart(&pause, 700000);
	assert_int_equal(silence(&pause, 700000, 2000), 10);
}

static void what_arrives_is_no_pause(void **state)
{
	(void)state;
	struct kws_pause pause = {0};
	uint64_t now_ms = 1000;
	for (uint32_t arrivals = UINT32_MAX - 100; arrivals != 100; arrivals++) {
		assert_false(kws_pause_is_on(&pause, arrivals, STALL_MS, now_ms));
		assert_int_equal(silence(&pause, now_ms, 900), 0);
		now_ms += 900;
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lasts_until_the_capture_must_have_seen_the_stall),
		cmocka_unit_test(what_arrives_is_no_pause),
	};
	return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
