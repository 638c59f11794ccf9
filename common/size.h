/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KWS_COMMON_SIZE_H
#define KWS_COMMON_SIZE_H

#include <stddef.h>

/* Thread: any. RT-safe: yes. */

static inline size_t kws_size_min(size_t a, size_t b)
{
	return a < b ? a : b;
}

static inline size_t kws_size_max(size_t a, size_t b)
{
	return a > b ? a : b;
}

#endif
