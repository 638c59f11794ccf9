/* SPDX-License-Identifier: Apache-2.0 */
#include "audio/zeros.h"

static bool all_zero(const int16_t *samples, unsigned count)
{
	unsigned i = 0;
	while (i < count && samples[i] == 0) {
		i++;
	}
	return i == count;
}

/* How many of the last frames are zero where they are listened to. */
static size_t trailing_zeros(const int16_t *in, size_t frames, unsigned channels, unsigned channel)
{
	unsigned first = channel > 0 ? channel - 1 : 0;
	unsigned count = channel > 0 ? 1 : channels;
	size_t zeros = 0;
	while (zeros < frames && all_zero(in + (frames - 1 - zeros) * channels + first, count)) {
		zeros++;
	}
	return zeros;
}

enum kws_zeros_change kws_zeros_push(struct kws_zeros *zeros, const int16_t *in, size_t frames,
	unsigned channels, unsigned channel, uint64_t limit)
{
	size_t last = trailing_zeros(in, frames, channels, channel);
	zeros->frames = last == frames ? zeros->frames + frames : last;
	bool silent = limit > 0 && zeros->frames >= limit;
	if (silent == zeros->silent) {
		return KWS_ZEROS_SAME;
	}
	zeros->silent = silent;
	zeros->periods += silent;
	return silent ? KWS_ZEROS_BEGAN : KWS_ZEROS_ENDED;
}

void kws_zeros_restart(struct kws_zeros *zeros)
{
	zeros->frames = 0;
	zeros->silent = false;
}
