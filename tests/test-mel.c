/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>

#include "bnn/safetensors.h"
#include "dsp/mel.h"

/* The front end computes in single precision, the vectors in double. Rounding leaves a noise 140 dB
 * below the frame's loudest band: nothing in a band that is 80 dB below it (4.6 in the scale of the
 * features, ln and a quarter), a few 1e-4 deeper than that. */
#define TOLERANCE 1e-4f
#define TOLERANCE_DEEP 1e-3f
#define DEEP 4.6f

#define FLOOR_VALUE ((logf(1e-6f) + 4.0f) * 0.25f)

static int create_mel(void **state)
{
	return kws_mel_create((struct kws_mel **)state);
}

static int destroy_mel(void **state)
{
	kws_mel_destroy(*state);
	return 0;
}

static void fill_noise(float *samples, size_t count)
{
	unsigned seed = 1;
	for (size_t i = 0; i < count; i++) {
		samples[i] = (float)(rand_r(&seed) % 2001 - 1000) / 1000.0f;
	}
}

static void assert_close(const float *got, const float *wanted)
{
	float loudest = wanted[0];
	for (size_t i = 1; i < KWS_MEL_BANDS; i++) {
		loudest = wanted[i] > loudest ? wanted[i] : loudest;
	}
	for (size_t i = 0; i < KWS_MEL_BANDS; i++) {
		float tolerance = loudest - wanted[i] < DEEP ? TOLERANCE : TOLERANCE_DEEP;
		if (!(fabsf(got[i] - wanted[i]) <= tolerance)) {
			fail_msg("band %zu is %.6f, wanted %.6f", i, (double)got[i],
				(double)wanted[i]);
		}
	}
}

static struct kws_safetensors *open_vectors(void)
{
	struct kws_safetensors *file;
	struct kws_error error;
	if (kws_safetensors_open(&file, KWS_TEST_DATA "/mel-vectors.safetensors", &error) != 0) {
		fail_msg("%s", error.text);
	}
	return file;
}

static void gives_the_features_of_the_definition(void **state)
{
	struct kws_safetensors *file = open_vectors();
	const struct kws_tensor *samples = kws_safetensors_find(file, "samples");
	const struct kws_tensor *features = kws_safetensors_find(file, "features");
	assert_int_equal(samples->shape[1], KWS_FRAME_SAMPLES);
	assert_int_equal(features->shape[1], KWS_MEL_BANDS);
	for (size_t i = 0; i < samples->shape[0]; i++) {
		float got[KWS_MEL_BANDS];
		kws_mel_frame(*state, (const float *)samples->data + i * KWS_FRAME_SAMPLES, got);
		assert_close(got, (const float *)features->data + i * KWS_MEL_BANDS);
	}
	kws_safetensors_close(file);
}

static void describes_every_constant(void **state)
{
	(void)state;
	struct kws_safetensors *file = open_vectors();
	assert_string_equal(kws_mel_describe(), kws_safetensors_metadata(file, "features"));
	kws_safetensors_close(file);
}

static void not_a_number_is_the_floor(void **state)
{
	float samples[KWS_FRAME_SAMPLES];
	float got[KWS_MEL_BANDS];
	fill_noise(samples, KWS_FRAME_SAMPLES);
	samples[200] = NAN;
	kws_mel_frame(*state, samples, got);
	for (size_t i = 0; i < KWS_MEL_BANDS; i++) {
		assert_true(got[i] == FLOOR_VALUE);
	}
	samples[200] = 0.0f;
	kws_mel_frame(*state, samples, got); /* nothing of it stays behind */
	assert_true(got[0] > FLOOR_VALUE);
}

/* The window of a clip against frames taken from the second of sound that it stands for. */
static void assert_clip(struct kws_mel *mel, const float *clip, size_t count, const float *second)
{
	static float got[KWS_WINDOW_FRAMES][KWS_MEL_BANDS];
	kws_mel_clip(mel, clip, count, got[0]);
	for (size_t f = 0; f < KWS_WINDOW_FRAMES; f++) {
		float wanted[KWS_MEL_BANDS];
		kws_mel_frame(mel, second + f * KWS_HOP_SAMPLES, wanted);
		assert_memory_equal(got[f], wanted, sizeof(wanted));
	}
}

static void clip_of_a_second_is_taken_whole(void **state)
{
	static float sound[KWS_SAMPLE_RATE_HZ];
	fill_noise(sound, KWS_SAMPLE_RATE_HZ);
	assert_clip(*state, sound, KWS_SAMPLE_RATE_HZ, sound);
}

static void short_clip_is_padded_on_both_sides(void **state)
{
	static float second[KWS_SAMPLE_RATE_HZ];
	fill_noise(second + 2999, 10001); /* 5999 samples are missing: 2999 before, 3000 after */
	assert_clip(*state, second + 2999, 10001, second);
}

static void long_clip_is_cut_to_its_middle(void **state)
{
	static float sound[KWS_SAMPLE_RATE_HZ + 5001];
	fill_noise(sound, KWS_SAMPLE_RATE_HZ + 5001);
	assert_clip(*state, sound, KWS_SAMPLE_RATE_HZ + 5001, sound + 2500);
}

static void empty_clip_is_silence(void **state)
{
	static const float silence[KWS_SAMPLE_RATE_HZ];
	assert_clip(*state, NULL, 0, silence);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(gives_the_features_of_the_definition),
		cmocka_unit_test(describes_every_constant),
		cmocka_unit_test(not_a_number_is_the_floor),
		cmocka_unit_test(clip_of_a_second_is_taken_whole),
		cmocka_unit_test(short_clip_is_padded_on_both_sides),
		cmocka_unit_test(long_clip_is_cut_to_its_middle),
		cmocka_unit_test(empty_clip_is_silence),
	};
	kws_mel_destroy(NULL);
	return cmocka_run_group_tests(tests, create_mel, destroy_mel) != 0;
}
