/* SPDX-License-Identifier: Apache-2.0 */
#include "audio/zeros.h"

/* How many of the last samples are zero. */
static size_t trailing_zeros(const int16_t *samples, size_t count)
{
	size_t zeros = 0;
	while (zeros < count && samples[count - 1 - zeros] == 0) {
		zeros++;
	}
	return zeros;
}

enum kws_zeros_change kws_zeros_push(
	struct kws_zeros *zeros, const int16_t *samples, size_t count, uint64_t limit)
{
	size_t last = trailing_zeros(samples, count);
	zeros->samples = last == count ? zeros->samples + count : last;
	bool silent = limit > 0 && zeros->samples >= limit;
	if (silent == zeros->silent) {
		return KWS_ZEROS_SAME;
	}
	zeros->silent = silent;
	zeros->periods += silent;
	return silent ? KWS_ZEROS_BEGAN : KWS_ZEROS_ENDED;
}

void kws_zeros_restart(struct kws_zeros *zeros)
{
	zeros->samples = 0;
	zeros->silent = false;
}
