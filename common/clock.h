/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KWS_COMMON_CLOCK_H
#define KWS_COMMON_CLOCK_H

#include <stdint.h>

/* CLOCK_MONOTONIC, which no change of the wall clock moves, in nanoseconds. Thread: any. RT-safe:
 * yes. */
uint64_t kws_clock_monotonic_ns(void);

#endif
