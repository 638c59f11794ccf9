/* SPDX-License-Identifier: Apache-2.0 */
#include "audio/mix.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void one_channel_keeps_its_scale(void **state)
{
	(void)state;
	const int16_t in[] = {0, 1, -1, INT16_MAX, INT16_MIN};
	float out[5];
	for (unsigned channel = 0; channel <= 1; channel++) {
		kws_mix_to_mono(in, 5, 1, channel, out);
		for (int i = 0; i < 5; i++) {
			assert_true(out[i] == (float)in[i] / 32768.0f);
		}
		assert_true(out[4] == -1.0f);
	}
}

static void chooses_or_averages_channels(void **state)
{
	(void)state;
	const int16_t in[] = {100, 200, 600, INT16_MIN, INT16_MIN, INT16_MIN};
	float out[2];
	kws_mix_to_mono(in, 2, 3, 0, out);
	assert_true(fabsf(out[0] - 300.0f / 32768.0f) < 1e-8f);
	assert_true(out[1] == -1.0f); /* the sum must not overflow */
	for (unsigned channel = 1; channel <= 3; channel++) {
		kws_mix_to_mono(in, 2, 3, channel, out);
		assert_true(out[0] == (float)in[channel - 1] / 32768.0f);
	}
}

static void floats_round_and_clip(void **state)
{
	(void)state;
	const float in[] = {0.0f, 1.0f, -1.0f, 2.0f, -2.0f, INFINITY, -INFINITY, NAN,
		1.6f / 32768.0f, -1.6f / 32768.0f};
	const int16_t expected[] = {
		0, INT16_MAX, INT16_MIN, INT16_MAX, INT16_MIN, INT16_MAX, INT16_MIN, 0, 2, -2};
	int16_t out[10];
	kws_mix_to_int16(in, 10, out);
	for (int i = 0; i < 10; i++) {
		assert_int_equal(out[i], expected[i]);
	}
}

static void every_sample_survives_both_ways(void **state)
{
	(void)state;
	for (int value = INT16_MIN; value <= INT16_MAX; value++) {
		int16_t in = (int16_t)value;
		int16_t out;
		float middle;
		kws_mix_to_mono(&in, 1, 1, 1, &middle);
		kws_mix_to_int16(&middle, 1, &out);
		assert_int_equal(out, value);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_channel_keeps_its_scale),
		cmocka_unit_test(chooses_or_averages_channels),
		cmocka_unit_test(floats_round_and_clip),
		cmocka_unit_test(every_sample_survives_both_ways),
	};
	return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
