/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "dsp/level.h"

static void assert_db(float got, float wanted)
{
	if (!(fabsf(got - wanted) < 0.01f)) {
		fail_msg("%.3f dB, wanted %.3f dB", (double)got, (double)wanted);
	}
}

/* Blocks of a square wave: its RMS and its peak are the amplitude. */
static void push_square(struct kws_level *level, float amplitude, size_t blocks)
{
	float samples[KWS_HOP_SAMPLES];
	for (size_t i = 0; i < KWS_HOP_SAMPLES; i++) {
		samples[i] = i % 20 < 10 ? amplitude : -amplitude;
	}
	for (size_t i = 0; i < blocks; i++) {
		kws_level_push(level, samples);
	}
}

static void nothing_heard_is_silence(void **state)
{
	(void)state;
	struct kws_level level;
	kws_level_init(&level);
	assert_db(kws_level_rms_dbfs(&level), KWS_LEVEL_SILENCE_DBFS);
	assert_db(kws_level_peak_dbfs(&level), KWS_LEVEL_SILENCE_DBFS);
	assert_db(kws_level_snr_db(&level), 0.0f);
	push_square(&level, 0.0f, 5);
	assert_db(kws_level_rms_dbfs(&level), KWS_LEVEL_SILENCE_DBFS);
	assert_db(kws_level_snr_db(&level), 0.0f);
}

static void measures_from_the_first_block(void **state)
{
	(void)state;
	struct kws_level level;
	kws_level_init(&level);
	push_square(&level, 1.0f, 1);
	assert_db(kws_level_rms_dbfs(&level), 0.0f);
	assert_db(kws_level_peak_dbfs(&level), 0.0f);
	push_square(&level, 0.0f, 1); /* half the power */
	assert_db(kws_level_rms_dbfs(&level), -3.0103f);
	assert_db(kws_level_peak_dbfs(&level), 0.0f);
}

static void peak_of_a_negative_sample_counts(void **state)
{
	(void)state;
	struct kws_level level;
	float samples[KWS_HOP_SAMPLES] = {[7] = 0.1f, [31] = -0.5f};
	kws_level_init(&level);
	kws_level_push(&level, samples);
	assert_db(kws_level_peak_dbfs(&level), -6.0206f);
}

static void forgets_after_a_second(void **state)
{
	(void)state;
	struct kws_level level;
	kws_level_init(&level);
	push_square(&level, 1.0f, 1);
	push_square(&level, 0.01f, KWS_WINDOW_FRAMES - 1);
	assert_db(kws_level_peak_dbfs(&level), 0.0f);
	push_square(&level, 0.01f, 1);
	assert_db(kws_level_peak_dbfs(&level), -40.0f);
	assert_db(kws_level_rms_dbfs(&level), -40.0f);
}

static void snr_is_over_the_quietest_of_ten_seconds(void **state)
{
	(void)state;
	struct kws_level level;
	kws_level_init(&level);
	push_square(&level, 0.1f, 50);
	push_square(&level, 0.001f, 1);
	push_square(&level, 0.1f, KWS_LEVEL_FLOOR_SECONDS * KWS_WINDOW_FRAMES - 51);
	assert_db(kws_level_snr_db(&level), 40.0f);
	push_square(&level, 0.1f, 1); /* the quiet second makes place for the eleventh */
	assert_db(kws_level_snr_db(&level), 0.0f);
}

/* The last second and the last ten are the same where the blocks are more than 32 bits count. */
static void runs_for_years(void **state)
{
	(void)state;
	struct kws_level level;
	kws_level_init(&level);
	level.blocks = UINT32_MAX - KWS_LEVEL_FLOOR_SECONDS * KWS_WINDOW_FRAMES;
	push_square(&level, 0.1f, KWS_LEVEL_FLOOR_SECONDS * KWS_WINDOW_FRAMES - 50);
	push_square(&level, 0.001f, 1);
	push_square(&level, 1.0f, 1);
	push_square(&level, 0.1f, 60); /* the last ones beyond 32 bits */
	assert_true(level.blocks > UINT32_MAX);
	assert_db(kws_level_peak_dbfs(&level), 0.0f);
	assert_db(kws_level_snr_db(&level), 60.0f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_heard_is_silence),
		cmocka_unit_test(measures_from_the_first_block),
		cmocka_unit_test(peak_of_a_negative_sample_counts),
		cmocka_unit_test(forgets_after_a_second),
		cmocka_unit_test(snr_is_over_the_quietest_of_ten_seconds),
		cmocka_unit_test(runs_for_years),
	};
	return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
