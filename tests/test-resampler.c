/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "common/error.h"
#include "dsp/mel.h"
#include "dsp/resampler.h"

#define PI 3.14159265358979323846
#define QUALITY 4
#define TONE_HZ 440.0
#define AMPLITUDE 0.5
#define IN_MAX 96000 /* a second at the highest rate */
#define OUT_MAX 17000
#define BLOCK_MAX 900

static float in[IN_MAX];
static float out[OUT_MAX];
static float other[OUT_MAX];

static struct kws_resampler *create(unsigned rate_hz)
{
	struct kws_resampler *resampler;
	assert_int_equal(kws_resampler_create(&resampler, rate_hz, QUALITY), 0);
	return resampler;
}

static void fill_tone(unsigned rate_hz)
{
	for (size_t i = 0; i < rate_hz; i++) {
		in[i] = (float)(AMPLITUDE * sin(2.0 * PI * TONE_HZ * (double)i / rate_hz));
	}
}

/* Passes `count` samples in blocks of 1 to block_max (seed 0: all of that size) and through output
 * buffers of the same sizes. Returns how many samples came. */
static size_t convert(
	struct kws_resampler *resampler, size_t count, size_t block_max, unsigned seed, float *to)
{
	size_t taken = 0;
	size_t total = 0;
	for (;;) {
		size_t block = seed != 0 ? 1 + (size_t)rand_r(&seed) % block_max : block_max;
		size_t used = count - taken < block ? count - taken : block;
		size_t made = OUT_MAX - total < block ? OUT_MAX - total : block;
		kws_resampler_process(resampler, in + taken, &used, to + total, &made);
		taken += used;
		total += made;
		if (used == 0 && made == 0) {
			assert_int_equal(taken, count);
			return total;
		}
	}
}

/* Amplitude and phase of the tone in the middle of the output, where no edge is heard. 0.5 s hold
 * 220 whole periods. */
static void measure(double *amplitude, double *lag_samples, double *rest)
{
	const size_t first = 4000;
	const size_t count = 8000;
	double re = 0.0;
	double im = 0.0;
	double power = 0.0;
	for (size_t i = first; i < first + count; i++) {
		double angle = 2.0 * PI * TONE_HZ * (double)i / KWS_SAMPLE_RATE_HZ;
		re += (double)out[i] * sin(angle);
		im += (double)out[i] * cos(angle);
		power += (double)out[i] * (double)out[i];
	}
	re *= 2.0 / (double)count;
	im *= 2.0 / (double)count;
	*amplitude = sqrt(re * re + im * im);
	*lag_samples = -atan2(im, re) * KWS_SAMPLE_RATE_HZ / (2.0 * PI * TONE_HZ);
	*rest = sqrt(fabs(power / (double)count - *amplitude * *amplitude / 2.0));
}

/* The tone keeps its frequency, loudness and place: everything that is not it is 60 dB below. */
static void keeps_a_tone(void **state)
{
	(void)state;
	static const unsigned rates[] = {8000, 11025, 22050, 32000, 44100, 48000, 96000};
	for (size_t i = 0; i < sizeof(rates) / sizeof(rates[0]); i++) {
		struct kws_resampler *resampler = create(rates[i]);
		double amplitude;
		double lag_samples;
		double rest;
		fill_tone(rates[i]);
		size_t made = convert(resampler, rates[i], BLOCK_MAX, 0, out);
		assert_in_range(made, KWS_SAMPLE_RATE_HZ - 100, KWS_SAMPLE_RATE_HZ);
		measure(&amplitude, &lag_samples, &rest);
		assert_true(fabs(amplitude - AMPLITUDE) < 0.001 * AMPLITUDE);
		assert_true(fabs(lag_samples) < 0.01);
		assert_true(rest < 0.001 * AMPLITUDE);
		kws_resampler_destroy(resampler);
	}
}

/* The whole turn of the phase cannot hide a delay: a click stays where it was. */
static void keeps_the_place_of_a_click(void **state)
{
	(void)state;
	struct kws_resampler *resampler = create(48000);
	memset(in, 0, sizeof(in));
	in[24000] = 1.0f;
	size_t made = convert(resampler, 48000, BLOCK_MAX, 0, out);
	size_t loudest = 0;
	for (size_t i = 1; i < made; i++) {
		loudest = fabsf(out[i]) > fabsf(out[loudest]) ? i : loudest;
	}
	assert_int_equal(loudest, 8000);
	kws_resampler_destroy(resampler);
}

static void does_not_depend_on_the_blocks(void **state)
{
	(void)state;
	static const unsigned rates[] = {8000, 44100, 48000};
	for (size_t i = 0; i < sizeof(rates) / sizeof(rates[0]); i++) {
		struct kws_resampler *resampler = create(rates[i]);
		fill_tone(rates[i]);
		size_t made = convert(resampler, rates[i], BLOCK_MAX, 0, out);
		for (unsigned seed = 1; seed <= 5; seed++) {
			kws_resampler_reset(resampler); /* as good as a new one */
			assert_int_equal(
				convert(resampler, rates[i], BLOCK_MAX, seed, other), made);
			assert_memory_equal(other, out, made * sizeof(float));
		}
		kws_resampler_destroy(resampler);
	}
}

/* So many zeros bring out the whole second, and no more than it. */
static void tells_its_latency(void **state)
{
	(void)state;
	static const unsigned rates[] = {8000, 16000, 44100, 48000};
	for (size_t i = 0; i < sizeof(rates) / sizeof(rates[0]); i++) {
		struct kws_resampler *resampler = create(rates[i]);
		size_t latency = kws_resampler_latency(resampler);
		assert_int_equal(latency > 0, rates[i] != KWS_SAMPLE_RATE_HZ);
		fill_tone(rates[i]);
		memset(in + rates[i], 0, latency * sizeof(float));
		size_t made = convert(resampler, rates[i] + latency, BLOCK_MAX, 0, out);
		assert_int_equal(made, KWS_SAMPLE_RATE_HZ);
		kws_resampler_destroy(resampler);
	}
}

static void reset_forgets_the_past(void **state)
{
	(void)state;
	struct kws_resampler *fresh = create(44100);
	struct kws_resampler *used = create(44100);
	fill_tone(44100);
	convert(used, 12345, BLOCK_MAX, 0, other);
	kws_resampler_reset(used);
	size_t made = convert(fresh, 44100, BLOCK_MAX, 0, out);
	assert_int_equal(convert(used, 44100, BLOCK_MAX, 0, other), made);
	assert_memory_equal(other, out, made * sizeof(float));
	kws_resampler_destroy(fresh);
	kws_resampler_destroy(used);
}

static void leaves_16_khz_alone(void **state)
{
	(void)state;
	struct kws_resampler *resampler = create(KWS_SAMPLE_RATE_HZ);
	fill_tone(KWS_SAMPLE_RATE_HZ);
	assert_int_equal(
		convert(resampler, KWS_SAMPLE_RATE_HZ, BLOCK_MAX, 3, out), KWS_SAMPLE_RATE_HZ);
	assert_memory_equal(out, in, KWS_SAMPLE_RATE_HZ * sizeof(float));
	kws_resampler_reset(resampler);
	kws_resampler_destroy(resampler);
}

static void refuses_bad_arguments(void **state)
{
	(void)state;
	struct kws_resampler *resampler;
	assert_int_equal(kws_resampler_create(&resampler, 0, QUALITY), KWS_EINVAL);
	assert_int_equal(kws_resampler_create(&resampler, 48000, -1), KWS_EINVAL);
	assert_int_equal(kws_resampler_create(&resampler, 48000, 11), KWS_EINVAL);
	kws_resampler_destroy(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keeps_a_tone),
		cmocka_unit_test(keeps_the_place_of_a_click),
		cmocka_unit_test(does_not_depend_on_the_blocks),
		cmocka_unit_test(tells_its_latency),
		cmocka_unit_test(reset_forgets_the_past),
		cmocka_unit_test(leaves_16_khz_alone),
		cmocka_unit_test(refuses_bad_arguments),
	};
	return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
