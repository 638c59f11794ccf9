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
	uint64_t before = zeros->samples;
	size_t last = trailing_zeros(samples, count);
	zeros->samples = last == count ? before + count : last;
	if (limit == 0) {
		return KWS_ZEROS_SAME;
	}
	if (last < count && before >= limit) {
		return KWS_ZEROS_ENDED;
	}
	if (zeros->samples >= limit && (before < limit || last < count)) {
		zeros->periods++;
		return KWS_ZEROS_BEGAN;
	}
	return KWS_ZEROS_SAME;
}
