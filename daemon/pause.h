/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KWS_DAEMON_PAUSE_H
#define KWS_DAEMON_PAUSE_H

#include <stdbool.h>
#include <stdint.h>

/* Shorter ones are none: devices deliver in blocks, and between two of them nobody may hang. */
#define KWS_PAUSE_MIN_MS 1000

/* A device that delivers nothing, for no longer than [audio] stall_ms lets it: then nothing can be
 * decided, and the watchdog must not end the daemon for it. What arrives counts, not what the loop
 * has taken: one that has stopped to take it gets no excuse from here. */
struct kws_pause {
	uint32_t arrivals; /* see struct kws_capture_status */
	uint64_t since_ms;
};

/* A stream begins. */
static inline void kws_pause_restart(struct kws_pause *pause, uint64_t now_ms)
{
	pause->since_ms = now_ms;
}

/* Whether the running stream is in a pause that may be. To be called a few times a second. */
static inline bool kws_pause_is_on(
	struct kws_pause *pause, uint32_t arrivals, uint64_t stall_ms, uint64_t now_ms)
{
	if (arrivals != pause->arrivals) {
		pause->arrivals = arrivals;
		pause->since_ms = now_ms;
	}
	uint64_t silent_ms = now_ms - pause->since_ms;
	/* the capture may notice a stall a quarter late; if it has not by then, its thread hangs */
	return silent_ms >= KWS_PAUSE_MIN_MS && silent_ms <= stall_ms + stall_ms / 4;
}

#endif
