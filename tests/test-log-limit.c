/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "daemon/log-limit.h"

static const char lost[] = "lost %d";
static const char found[] = "found %d";

static unsigned send(struct kws_log_limit *limit, const char *place, uint64_t now_ms, int count)
{
	unsigned passed = 0;
	for (int i = 0; i < count; i++) {
		unsigned dropped;
		passed += kws_log_limit_pass(limit, place, now_ms, &dropped);
		assert_int_equal(dropped, 0);
	}
	return passed;
}

static void a_burst_passes_and_the_rest_is_counted(void **state)
{
	(void)state;
	struct kws_log_limit limit = {0};
	unsigned dropped;
	assert_int_equal(send(&limit, lost, 5, 100), KWS_LOG_LIMIT_BURST);
	assert_int_equal(send(&limit, found, 5, 3), 3); /* another kind has its own count */
	assert_false(kws_log_limit_pass(&limit, lost, 4 + KWS_LOG_LIMIT_PERIOD_MS, &dropped));
	assert_true(kws_log_limit_pass(&limit, lost, 5 + KWS_LOG_LIMIT_PERIOD_MS, &dropped));
	assert_int_equal(dropped, 101 - KWS_LOG_LIMIT_BURST);
	assert_true(kws_log_limit_pass(&limit, lost, 6 + KWS_LOG_LIMIT_PERIOD_MS, &dropped));
	assert_int_equal(dropped, 0); /* told once */
}

static void what_has_no_place_always_passes(void **state)
{
	(void)state;
	struct kws_log_limit limit = {0};
	assert_int_equal(send(&limit, NULL, 5, 100), 100);
	assert_int_equal(send(&limit, lost, 5, 100), KWS_LOG_LIMIT_BURST);
	assert_int_equal(send(&limit, NULL, 5, 100), 100);
}

static void more_kinds_than_room_are_no_reason_for_silence(void **state)
{
	(void)state;
	static const char places[3 * KWS_LOG_LIMIT_KINDS] = {0};
	struct kws_log_limit limit = {0};
	for (size_t i = 0; i < sizeof(places); i++) {
		assert_int_equal(send(&limit, &places[i], i, 1), 1);
	}
	/* the latest are still known */
	const char *last = &places[sizeof(places) - 1];
	assert_int_equal(send(&limit, last, sizeof(places), 100), KWS_LOG_LIMIT_BURST - 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_burst_passes_and_the_rest_is_counted),
		cmocka_unit_test(what_has_no_place_always_passes),
		cmocka_unit_test(more_kinds_than_room_are_no_reason_for_silence),
	};
	return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
