/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KWS_DAEMON_CLOCK_H
#define KWS_DAEMON_CLOCK_H

#include <stdint.h>
#include <time.h>

/* Linux's clocks as one number. Thread: any. RT-safe: yes. */

static inline int64_t kws_clock_ns(clockid_t clock)
{
	struct timespec now;
	clock_gettime(clock, &now);
	return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

/* Not for a clock that can be before its zero. */
static inline uint64_t kws_clock_ms(clockid_t clock)
{
	return (uint64_t)kws_clock_ns(clock) / 1000000;
}

#endif
