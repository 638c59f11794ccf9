/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KWS_SYSTEMD_WATCHDOG_H
#define KWS_SYSTEMD_WATCHDOG_H

#include <stdbool.h>
#include <stdint.h>

/* The service manager's watchdog (systemd.service(5), WatchdogSec): it restarts a daemon that has
 * not said WATCHDOG=1 for a while. Ours says it only if work gets done: a timer that runs proves
 * nothing but that timers run. Thread: loop. */

/* Counters that only grow. */
struct kws_progress {
	uint64_t frames;  /* taken from the source */
	uint64_t hops;    /* decided */
	uint64_t excuses; /* times that there was a known reason for no hops: no device, one that
			     pauses as it may, muted, gaps */
};

struct kws_watchdog {
	uint64_t period_ms; /* 0: nobody watches */
	uint64_t due_ms;
	struct kws_progress told;
};

/* Reads $WATCHDOG_USEC and $WATCHDOG_PID, which must be ours or missing. `now_ms` is of any clock
 * that does not jump. */
void kws_watchdog_init(struct kws_watchdog *watchdog, uint64_t now_ms);

/* To be called a few times a second. Twice in the period, says WATCHDOG=1 if frames and hops have
 * advanced since the last time, or an excuse has. Returns false if it was due and nothing had
 * advanced. */
bool kws_watchdog_tick(
	struct kws_watchdog *watchdog, uint64_t now_ms, const struct kws_progress *progress);

#endif
