/* SPDX-License-Identifier: Apache-2.0 */
#include "audio/mix.h"

#include <math.h>

#define FULL_SCALE 32768.0f

static void mix_mean(const int16_t *in, size_t frames, unsigned channels, float *out)
{
	float scale = 1.0f / (FULL_SCALE * (float)channels);
	for (size_t f = 0; f < frames; f++) {
		int32_t sum = 0; /* exact: it holds 65536 channels */
		for (unsigned c = 0; c < channels; c++) {
			sum += in[f * channels + c];
		}
		out[f] = (float)sum * scale;
	}
}

void kws_mix_to_mono(
	const int16_t *in, size_t frames, unsigned channels, unsigned channel, float *out)
{
	if (channel == 0) {
		mix_mean(in, frames, channels, out);
		return;
	}
	for (size_t f = 0; f < frames; f++) {
		out[f] = (float)in[f * channels + channel - 1] / FULL_SCALE;
	}
}

void kws_mix_to_int16(const float *in, size_t samples, int16_t *out)
{
	for (size_t i = 0; i < samples; i++) {
		float value = in[i] * FULL_SCALE;
		if (value >= INT16_MAX) {
			out[i] = INT16_MAX;
		} else if (value <= INT16_MIN) {
			out[i] = INT16_MIN;
		} else {
			out[i] = isnan(value) ? 0 : (int16_t)lrintf(value);
		}
	}
}
