/* SPDX-License-Identifier: Apache-2.0 */
#include "audio/mix.h"

#include "common/sample.h"

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

static inline void mix_one(const int16_t *in, size_t frames, unsigned stride, float *out)
{
	for (size_t f = 0; f < frames; f++) {
		out[f] = (float)in[f * stride] / FULL_SCALE;
	}
}

void kws_mix_to_mono(
	const int16_t *in, size_t frames, unsigned channels, unsigned channel, float *out)
{
	if (channels == 1) {
		mix_one(in, frames, 1, out); /* a known stride lets it take whole vectors */
	} else if (channel == 0) {
		mix_mean(in, frames, channels, out);
	} else {
		mix_one(in + channel - 1, frames, channels, out);
	}
}

void kws_mix_to_int16(const float *in, size_t samples, int16_t *out)
{
	for (size_t i = 0; i < samples; i++) {
		out[i] = kws_sample_to_int16(in[i]);
	}
}
