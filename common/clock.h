/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KWS_COMMON_CLOCK_H
#define KWS_COMMON_CLOCK_H

#include <stdint.h>
#include <time.h>

/* The system's clocks as one number. Thread: any. RT-safe: yes. */

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

/* The clock that no change of the wall clock moves. */
static inline uint64_t kws_clock_monotonic_ns(void)
{
	return (uint64_t)kws_clock_ns(CLOCK_MONOTONIC);
}

#endif
