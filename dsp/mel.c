/* SPDX-License-Identifier: Apache-2.0 */
/* The front end has no kernels for single instruction sets. On a Zen 5, of 1.6 us a frame kissfft
 * takes 1.3 and logf 0.1; window, power and bands share the rest, and this file compiled for AVX2
 * or AVX-512 took 1.6 us too. */
#include "dsp/mel.h"

#include <kiss_fftr.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/error.h"

#define SPECTRUM_BINS (KWS_FFT_POINTS / 2 + 1)
#define CLIP_SAMPLES KWS_SAMPLE_RATE_HZ
#define PI 3.14159265358979323846

#define TEXT(x) #x
#define TEXT_OF(x) TEXT(x)

/* One triangle touches few bins: bin indices [first, first + count) and their weights. */
struct mel_band {
	int first;
	int count;
	float weight[SPECTRUM_BINS];
};

struct kws_mel {
	kiss_fftr_cfg fft;
	float hann[KWS_FRAME_SAMPLES];
	struct mel_band bands[KWS_MEL_BANDS];
	float padded[KWS_FFT_POINTS];
	kiss_fft_cpx spectrum[SPECTRUM_BINS];
	float power[SPECTRUM_BINS];
	float clip[CLIP_SAMPLES];
};

static double mel_from_hz(double hz)
{
	return 2595.0 * log10(1.0 + hz / 700.0);
}

/* HTK: the edges are equidistant in mel, the triangles are linear in mel. */
static void init_band(struct mel_band *band, double low_mel, double centre_mel, double high_mel)
{
	band->first = 0;
	band->count = 0;
	for (int bin = 0; bin < SPECTRUM_BINS; bin++) {
		double mel = mel_from_hz((double)bin * KWS_SAMPLE_RATE_HZ / KWS_FFT_POINTS);
		double rising = (mel - low_mel) / (centre_mel - low_mel);
		double falling = (high_mel - mel) / (high_mel - centre_mel);
		double weight = rising < falling ? rising : falling;
		if (weight <= 0.0) {
			continue;
		}
		if (band->count == 0) {
			band->first = bin;
		}
		band->weight[band->count++] = (float)weight;
	}
}

static void init_tables(struct kws_mel *mel)
{
	for (int i = 0; i < KWS_FRAME_SAMPLES; i++) {
		mel->hann[i] = (float)(0.5 - 0.5 * cos(2.0 * PI * i / KWS_FRAME_SAMPLES));
	}
	double low = mel_from_hz(KWS_MEL_LOW_HZ);
	double step = (mel_from_hz(KWS_MEL_HIGH_HZ) - low) / (KWS_MEL_BANDS + 1);
	for (int b = 0; b < KWS_MEL_BANDS; b++) {
		init_band(
			&mel->bands[b], low + b * step, low + (b + 1) * step, low + (b + 2) * step);
	}
}

int kws_mel_create(struct kws_mel **out)
{
	struct kws_mel *mel = calloc(1, sizeof(*mel));
	if (mel == NULL) {
		return KWS_ENOMEM;
	}
	mel->fft = kiss_fftr_alloc(KWS_FFT_POINTS, 0, NULL, NULL);
	if (mel->fft == NULL) {
		free(mel);
		return KWS_ENOMEM;
	}
	init_tables(mel);
	*out = mel;
	return 0;
}

void kws_mel_destroy(struct kws_mel *mel)
{
	if (mel == NULL) {
		return;
	}
	kiss_fftr_free(mel->fft);
	free(mel);
}

void kws_mel_frame(struct kws_mel *mel, const float *samples, float *out)
{
	for (int i = 0; i < KWS_FRAME_SAMPLES; i++) {
		mel->padded[i] = samples[i] * mel->hann[i];
	}
	/* padded[KWS_FRAME_SAMPLES..] stays zero from create */
	kiss_fftr(mel->fft, mel->padded, mel->spectrum);
	for (int i = 0; i < SPECTRUM_BINS; i++) {
		float re = mel->spectrum[i].r;
		float im = mel->spectrum[i].i;
		mel->power[i] = re * re + im * im;
	}
	for (int b = 0; b < KWS_MEL_BANDS; b++) {
		const struct mel_band *band = &mel->bands[b];
		float energy = 0.0f;
		for (int i = 0; i < band->count; i++) {
			energy += band->weight[i] * mel->power[band->first + i];
		}
		if (!(energy > (float)KWS_MEL_FLOOR)) {
			energy = (float)KWS_MEL_FLOOR; /* also for NaN */
		}
		out[b] = (logf(energy) + (float)KWS_MEL_LOG_OFFSET) * (float)KWS_MEL_LOG_SCALE;
	}
}

void kws_mel_clip(struct kws_mel *mel, const float *samples, size_t count, float *out)
{
	if (count > CLIP_SAMPLES) {
		samples += (count - CLIP_SAMPLES) / 2;
		count = CLIP_SAMPLES;
	}
	size_t before = (CLIP_SAMPLES - count) / 2;
	memset(mel->clip, 0, sizeof(mel->clip));
	if (count > 0) {
		memcpy(mel->clip + before, samples, count * sizeof(*samples));
	}
	for (int f = 0; f < KWS_WINDOW_FRAMES; f++) {
		kws_mel_frame(mel, mel->clip + f * KWS_HOP_SAMPLES, out + f * KWS_MEL_BANDS);
	}
}

/* clang-format tears string literals between macros apart. */
/* clang-format off */
const char *kws_mel_describe(void)
{
	/* The macros' own text: a changed constant changes the line without a second place to edit. */
	return "rate=" TEXT_OF(KWS_SAMPLE_RATE_HZ)
		" frame=" TEXT_OF(KWS_FRAME_SAMPLES)
		" hop=" TEXT_OF(KWS_HOP_SAMPLES)
		" window=hann-periodic"
		" fft=" TEXT_OF(KWS_FFT_POINTS)
		" power=2 mel=htk"
		" bands=" TEXT_OF(KWS_MEL_BANDS)
		" low=" TEXT_OF(KWS_MEL_LOW_HZ)
		" high=" TEXT_OF(KWS_MEL_HIGH_HZ)
		" floor=" TEXT_OF(KWS_MEL_FLOOR)
		" log=ln offset=" TEXT_OF(KWS_MEL_LOG_OFFSET)
		" scale=" TEXT_OF(KWS_MEL_LOG_SCALE)
		" frames=" TEXT_OF(KWS_WINDOW_FRAMES);
}
/* clang-format on */
