/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KWS_DAEMON_MUTE_H
#define KWS_DAEMON_MUTE_H

#include <stdbool.h>
#include <stdint.h>

/* Whether the daemon listens: what comes in while it is muted is counted and thrown away. */
struct kws_mute {
	bool on;
	uint64_t until_ms; /* 0: until it is told otherwise */
	uint64_t frames;   /* thrown away since it is on, at the stream's rate */
};

/* `for_ms` 0: for ever. */
static inline void kws_mute_begin(struct kws_mute *mute, uint64_t now_ms, uint64_t for_ms)
{
	mute->until_ms = for_ms > 0 ? now_ms + for_ms : 0;
	mute->frames = mute->on ? mute->frames : 0;
	mute->on = true;
}

/* Whether its time has come to an end. */
static inline bool kws_mute_is_over(const struct kws_mute *mute, uint64_t now_ms)
{
	return mute->on && mute->until_ms != 0 && now_ms >= mute->until_ms;
}

#endif
