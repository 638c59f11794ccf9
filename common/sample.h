/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KWS_COMMON_SAMPLE_H
#define KWS_COMMON_SAMPLE_H

#include <math.h>
#include <stdint.h>

/* A sample in -1..1 (1.0 is 32768) to 16 bit: rounded to nearest, clipped, NaN as 0. Thread: any.
 * RT-safe: yes. */
static inline int16_t kws_sample_to_int16(float sample)
{
	float value = sample * 32768.0f;
	if (value >= INT16_MAX) {
		return INT16_MAX;
	}
	if (value <= INT16_MIN) {
		return INT16_MIN;
	}
	return isnan(value) ? 0 : (int16_t)lrintf(value);
}

#endif
