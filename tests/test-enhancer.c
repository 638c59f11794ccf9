/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "dsp/enhancer.h"
#include "dsp/mel.h"

#define BLOCKS_PER_SECOND 100
#define PI 3.14159265358979323846

static const struct kws_enhancer_config off = {
	.denoise_db = -15,
	.agc_level = 8000,
	.vad_start_percent = 80,
	.vad_continue_percent = 65,
};

static struct kws_enhancer *create(const struct kws_enhancer_config *config)
{
	struct kws_enhancer *enhancer;
	assert_int_equal(kws_enhancer_create(&enhancer, config), 0);
	return enhancer;
}

/* White noise; the same for the same seed. */
static void fill_noise(float *samples, float amplitude, unsigned *seed)
{
	for (size_t i = 0; i < KWS_HOP_SAMPLES; i++) {
		samples[i] = amplitude * ((float)(rand_r(seed) % 20001) / 10000.0f - 1.0f);
	}
}

/* A voice's shape without its words: harmonics of 130 Hz that fall by 1/n, four syllables a second.
 */
static void fill_voice(float *samples, float amplitude, size_t block)
{
	for (size_t i = 0; i < KWS_HOP_SAMPLES; i++) {
		double seconds = (double)(block * KWS_HOP_SAMPLES + i) / (double)KWS_SAMPLE_RATE_HZ;
		double sum = 0.0;
		for (int n = 1; n <= 25; n++) {
			sum += sin(2.0 * PI * 130.0 * n * seconds) / n;
		}
		double syllable = sin(2.0 * PI * 2.0 * seconds);
		samples[i] = (float)((double)amplitude * sum * syllable * syllable);
	}
}

static double power_of(const float *samples)
{
	double power = 0.0;
	for (size_t i = 0; i < KWS_HOP_SAMPLES; i++) {
		power += (double)samples[i] * (double)samples[i] / KWS_HOP_SAMPLES;
	}
	return power;
}

static void all_off_changes_nothing(void **state)
{
	(void)state;
	struct kws_enhancer *enhancer = create(&off);
	float samples[KWS_HOP_SAMPLES];
	float before[KWS_HOP_SAMPLES];
	unsigned seed = 1;
	fill_noise(samples, 1.5f, &seed);
	memcpy(before, samples, sizeof(before));
	assert_true(kws_enhancer_process(enhancer, samples));
	assert_memory_equal(samples, before, sizeof(before));
	kws_enhancer_destroy(enhancer);
	kws_enhancer_destroy(NULL);
}

static void vad_alone_leaves_the_samples(void **state)
{
	(void)state;
	struct kws_enhancer_config config = off;
	config.vad = true;
	struct kws_enhancer *enhancer = create(&config);
	float samples[KWS_HOP_SAMPLES];
	float before[KWS_HOP_SAMPLES];
	fill_voice(samples, 1.0f, 3); /* beyond full scale too */
	memcpy(before, samples, sizeof(before));
	kws_enhancer_process(enhancer, samples);
	assert_memory_equal(samples, before, sizeof(before));
	kws_enhancer_destroy(enhancer);
}

/* Blocks of speech that were heard in two seconds of voice (amplitude 0: silence) over a faint
 * noise. */
static int count_speech(struct kws_enhancer *enhancer, float amplitude)
{
	int speech = 0;
	unsigned seed = 1;
	for (size_t block = 0; block < 2 * BLOCKS_PER_SECOND; block++) {
		float noise[KWS_HOP_SAMPLES];
		float samples[KWS_HOP_SAMPLES];
		fill_noise(noise, 0.001f, &seed);
		fill_voice(samples, amplitude, block);
		for (size_t i = 0; i < KWS_HOP_SAMPLES; i++) {
			samples[i] += noise[i];
		}
		speech += kws_enhancer_process(enhancer, samples);
	}
	return speech;
}

static void vad_tells_voice_from_silence(void **state)
{
	(void)state;
	struct kws_enhancer_config config = off;
	config.vad = true;
	struct kws_enhancer *enhancer = create(&config);
	count_speech(enhancer, 0.0f); /* learns the noise */
	assert_in_range(count_speech(enhancer, 0.0f), 0, BLOCKS_PER_SECOND / 5);
	assert_in_range(count_speech(enhancer, 0.1f), BLOCKS_PER_SECOND, 2 * BLOCKS_PER_SECOND);
	kws_enhancer_destroy(enhancer);
}

/* Power in the last of `seconds` of a steady sound, with and without treatment. */
static double gain_db(struct kws_enhancer *enhancer, float noise, float voice, size_t seconds)
{
	double before = 0.0;
	double after = 0.0;
	unsigned seed = 1;
	for (size_t block = 0; block < seconds * BLOCKS_PER_SECOND; block++) {
		float samples[KWS_HOP_SAMPLES];
		if (voice > 0.0f) {
			fill_voice(samples, voice, block);
		} else {
			fill_noise(samples, noise, &seed);
		}
		bool counts = block >= (seconds - 1) * BLOCKS_PER_SECOND;
		before += counts ? power_of(samples) : 0.0;
		kws_enhancer_process(enhancer, samples);
		after += counts ? power_of(samples) : 0.0;
	}
	return 10.0 * log10(after / before);
}

/* What is no number is silence to it, and what is too loud is as loud as it can be. */
static void odd_values_stay_16_bits(void **state)
{
	(void)state;
	const struct kws_enhancer_config config = {.denoise = true, .denoise_db = -15};
	const float odd[] = {NAN, INFINITY, -INFINITY, 2.0f, -2.0f};
	const float even[] = {0.0f, 1.0f, -1.0f, 1.0f, -1.0f};
	struct kws_enhancer *enhancers[2];
	float blocks[2][KWS_HOP_SAMPLES];
	for (size_t i = 0; i < 2; i++) {
		assert_int_equal(kws_enhancer_create(&enhancers[i], &config), 0);
	}
	for (size_t block = 0; block < 4; block++) {
		for (size_t s = 0; s < KWS_HOP_SAMPLES; s++) {
			blocks[0][s] = odd[(s + block) % 5];
			blocks[1][s] = even[(s + block) % 5];
		}
		kws_enhancer_process(enhancers[0], blocks[0]);
		kws_enhancer_process(enhancers[1], blocks[1]);
		assert_memory_equal(blocks[0], blocks[1], sizeof(blocks[0]));
	}
	kws_enhancer_destroy(enhancers[0]);
	kws_enhancer_destroy(enhancers[1]);
}

static void denoise_lowers_a_steady_noise(void **state)
{
	(void)state;
	struct kws_enhancer_config config = off;
	config.denoise = true;
	struct kws_enhancer *enhancer = create(&config);
	double got = gain_db(enhancer, 0.05f, 0.0f, 3);
	assert_true(got < -8.0);
	assert_true(got > -16.0); /* denoise_db is the most it takes away */
	kws_enhancer_destroy(enhancer);
}

static void agc_raises_a_quiet_voice(void **state)
{
	(void)state;
	struct kws_enhancer_config config = off;
	config.agc = true;
	struct kws_enhancer *enhancer = create(&config);
	assert_true(gain_db(enhancer, 0.0f, 0.01f, 8) > 6.0);
	kws_enhancer_destroy(enhancer);
}

/* How alike two blocks are, 1 for the same. */
static double likeness(const float *a, const float *b)
{
	double product = 0.0;
	for (size_t i = 0; i < KWS_HOP_SAMPLES; i++) {
		product += (double)a[i] * (double)b[i] / KWS_HOP_SAMPLES;
	}
	return product / sqrt(power_of(a) * power_of(b));
}

static void gives_samples_after_its_delay(void **state)
{
	(void)state;
	struct kws_enhancer_config config = off;
	config.denoise = true;
	struct kws_enhancer *enhancer = create(&config);
	unsigned seed = 1;
	float before[KWS_HOP_SAMPLES];
	float samples[KWS_HOP_SAMPLES];
	assert_int_equal(kws_enhancer_delay(enhancer), KWS_HOP_SAMPLES);
	fill_noise(samples, 0.1f, &seed);
	for (size_t block = 0; block < BLOCKS_PER_SECOND; block++) {
		float out[KWS_HOP_SAMPLES];
		memcpy(before, samples, sizeof(before));
		fill_noise(samples, 0.1f, &seed);
		memcpy(out, samples, sizeof(out));
		kws_enhancer_process(enhancer, out);
		if (block > 0) {
			assert_true(likeness(out, before) > 0.7);
			assert_true(likeness(out, samples) < 0.3);
		}
	}
	kws_enhancer_destroy(enhancer);
	enhancer = create(&off);
	assert_int_equal(kws_enhancer_delay(enhancer), 0);
	kws_enhancer_destroy(enhancer);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_off_changes_nothing),
		cmocka_unit_test(vad_alone_leaves_the_samples),
		cmocka_unit_test(vad_tells_voice_from_silence),
		cmocka_unit_test(odd_values_stay_16_bits),
		cmocka_unit_test(denoise_lowers_a_steady_noise),
		cmocka_unit_test(agc_raises_a_quiet_voice),
		cmocka_unit_test(gives_samples_after_its_delay),
	};
	return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
