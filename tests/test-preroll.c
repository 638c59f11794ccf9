/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>

#include "dsp/mel.h"
#include "pipeline/preroll.h"

/* Sample i of the stream is i, as 16 bits. */
static void push(struct kws_preroll *preroll, uint64_t end)
{
	float block[KWS_HOP_SAMPLES];
	for (size_t i = 0; i < KWS_HOP_SAMPLES; i++) {
		block[i] = (float)(end - KWS_HOP_SAMPLES + i) / 32768.0f;
	}
	kws_preroll_push(preroll, block, end);
}

static void expect(const struct kws_preroll *preroll, size_t max, size_t count, uint64_t end)
{
	int16_t samples[5 * KWS_HOP_SAMPLES];
	uint64_t told;
	assert_int_equal(kws_preroll_copy(preroll, samples, max, &told), count);
	if (count > 0) {
		assert_int_equal(told, end);
		assert_int_equal(samples[0], end - count);
		assert_int_equal(samples[count - 1], end - 1);
	}
}

static void keeps_the_latest(void **state)
{
	(void)state;
	struct kws_preroll *preroll;
	assert_int_equal(kws_preroll_create(&preroll, 3 * KWS_HOP_SAMPLES - 1), 0);
	expect(preroll, 1000, 0, 0);
	for (uint64_t block = 1; block <= 10; block++) {
		push(preroll, block * KWS_HOP_SAMPLES);
		expect(preroll, 5 * KWS_HOP_SAMPLES, (block < 3 ? block : 3) * KWS_HOP_SAMPLES,
			block * KWS_HOP_SAMPLES);
	}
	expect(preroll, 7, 7, 10 * KWS_HOP_SAMPLES);
	kws_preroll_destroy(preroll);
}

static void begins_anew_after_a_gap(void **state)
{
	(void)state;
	struct kws_preroll *preroll;
	assert_int_equal(kws_preroll_create(&preroll, 3 * KWS_HOP_SAMPLES), 0);
	push(preroll, KWS_HOP_SAMPLES);
	push(preroll, 2 * KWS_HOP_SAMPLES);
	push(preroll, 5 * KWS_HOP_SAMPLES);
	expect(preroll, 1000, KWS_HOP_SAMPLES, 5 * KWS_HOP_SAMPLES);
	kws_preroll_clear(preroll);
	expect(preroll, 1000, 0, 0);
	push(preroll, 6 * KWS_HOP_SAMPLES);
	expect(preroll, 1000, KWS_HOP_SAMPLES, 6 * KWS_HOP_SAMPLES);
	kws_preroll_destroy(preroll);
}

static void loud_and_odd_values_stay_16_bits(void **state)
{
	(void)state;
	static const float values[] = {1.0f, 2.0f, -1.0f, -2.0f, INFINITY, -INFINITY, NAN, 0.0f};
	static const int16_t wanted[] = {
		INT16_MAX, INT16_MAX, INT16_MIN, INT16_MIN, INT16_MAX, INT16_MIN, 0, 0};
	struct kws_preroll *preroll;
	float block[KWS_HOP_SAMPLES] = {0};
	int16_t samples[KWS_HOP_SAMPLES];
	uint64_t end;
	assert_int_equal(kws_preroll_create(&preroll, 1), 0);
	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		block[i] = values[i];
	}
	kws_preroll_push(preroll, block, KWS_HOP_SAMPLES);
	assert_int_equal(
		kws_preroll_copy(preroll, samples, KWS_HOP_SAMPLES, &end), KWS_HOP_SAMPLES);
	for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++) {
		assert_int_equal(samples[i], wanted[i]);
	}
	kws_preroll_destroy(preroll);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keeps_the_latest),
		cmocka_unit_test(begins_anew_after_a_gap),
		cmocka_unit_test(loud_and_odd_values_stay_16_bits),
	};
	return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
