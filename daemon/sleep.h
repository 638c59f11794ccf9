/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KWS_DAEMON_SLEEP_H
#define KWS_DAEMON_SLEEP_H

#include "common/clock.h"

#define KWS_SLEEP_NS_MIN 500000000

/* Notices that the system was suspended, by the clock that goes on then and the one that does not.
 * Thread: one at a time. */
struct kws_sleep {
	int64_t slept_ns; /* since the machine was started */
	uint64_t suspends;
};

static inline int64_t kws_sleep_now_ns(void)
{
	return kws_clock_ns(CLOCK_BOOTTIME) - kws_clock_ns(CLOCK_MONOTONIC);
}

static inline void kws_sleep_init(struct kws_sleep *sleep)
{
	*sleep = (struct kws_sleep){.slept_ns = kws_sleep_now_ns()};
}

/* How long it slept since the last call; 0: it did not, or only for a blink. */
static inline int64_t kws_sleep_take_ns(struct kws_sleep *sleep)
{
	int64_t slept_ns = kws_sleep_now_ns();
	int64_t new_ns = slept_ns - sleep->slept_ns;
	sleep->slept_ns = slept_ns;
	if (new_ns < KWS_SLEEP_NS_MIN) {
		return 0;
	}
	sleep->suspends++;
	return new_ns;
}

#endif
