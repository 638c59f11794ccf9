/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "audio/zeros.h"

static const int16_t silence[100];

static enum kws_zeros_change push_mono(
	struct kws_zeros *zeros, const int16_t *samples, size_t count, uint64_t limit)
{
	return kws_zeros_push(zeros, samples, count, 1, 0, limit);
}

static void tells_the_beginning_and_the_end_once(void **state)
{
	(void)state;
	struct kws_zeros zeros = {0};
	static const int16_t click[4] = {0, 0, 5, 0};
	assert_int_equal(push_mono(&zeros, silence, 100, 250), KWS_ZEROS_SAME);
	assert_int_equal(push_mono(&zeros, silence, 100, 250), KWS_ZEROS_SAME);
	assert_int_equal(push_mono(&zeros, silence, 100, 250), KWS_ZEROS_BEGAN);
	assert_int_equal(push_mono(&zeros, silence, 100, 250), KWS_ZEROS_SAME);
	assert_int_equal(push_mono(&zeros, click, 4, 250), KWS_ZEROS_ENDED);
	assert_int_equal(zeros.frames, 1);
	assert_int_equal(push_mono(&zeros, click, 4, 250), KWS_ZEROS_SAME);
	assert_int_equal(zeros.periods, 1);
}

static void a_quiet_signal_is_no_silence(void **state)
{
	(void)state;
	struct kws_zeros zeros = {0};
	int16_t quiet[100] = {0};
	quiet[50] = -1;
	for (int i = 0; i < 100; i++) {
		assert_int_equal(push_mono(&zeros, quiet, 100, 100), KWS_ZEROS_SAME);
	}
	assert_int_equal(zeros.periods, 0);
}

/* A lone sample in each block: as dead as before. */
static void one_block_can_begin_it(void **state)
{
	(void)state;
	struct kws_zeros zeros = {0};
	int16_t block[100] = {0};
	block[9] = 1;
	assert_int_equal(push_mono(&zeros, block, 100, 90), KWS_ZEROS_BEGAN);
	assert_int_equal(push_mono(&zeros, block, 100, 90), KWS_ZEROS_SAME);
	assert_int_equal(push_mono(&zeros, block, 100, 91), KWS_ZEROS_ENDED);
	assert_int_equal(zeros.periods, 1);
}

static void tells_it_again_after_a_restart(void **state)
{
	(void)state;
	struct kws_zeros zeros = {0};
	assert_int_equal(push_mono(&zeros, silence, 100, 100), KWS_ZEROS_BEGAN);
	kws_zeros_restart(&zeros);
	assert_int_equal(push_mono(&zeros, silence, 99, 100), KWS_ZEROS_SAME);
	assert_int_equal(push_mono(&zeros, silence, 1, 100), KWS_ZEROS_BEGAN);
	assert_int_equal(zeros.periods, 2);
}

static void a_lower_limit_counts_at_once(void **state)
{
	(void)state;
	struct kws_zeros zeros = {0};
	assert_int_equal(push_mono(&zeros, silence, 100, 1000), KWS_ZEROS_SAME);
	assert_int_equal(push_mono(&zeros, silence, 100, 150), KWS_ZEROS_BEGAN);
	assert_int_equal(push_mono(&zeros, silence, 100, 0), KWS_ZEROS_ENDED);
}

static void without_a_limit_nothing_is_told(void **state)
{
	(void)state;
	struct kws_zeros zeros = {0};
	for (int i = 0; i < 10; i++) {
		assert_int_equal(push_mono(&zeros, silence, 100, 0), KWS_ZEROS_SAME);
	}
}

/* Three channels; the first and the last one have a signal. */
static void only_what_is_listened_to_counts(void **state)
{
	(void)state;
	static const int16_t frames[4 * 3] = {5, 0, 0, 6, 0, 0, 7, 0, 0, 8, 0, 9};
	static const struct {
		unsigned channel;
		uint64_t zeros;
	} cases[] = {{0, 0}, {1, 0}, {2, 8}, {3, 0}};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct kws_zeros zeros = {0};
		kws_zeros_push(&zeros, frames, 4, 3, cases[i].channel, 8);
		kws_zeros_push(&zeros, frames, 4, 3, cases[i].channel, 8);
		assert_int_equal(zeros.frames, cases[i].zeros);
		assert_int_equal(zeros.silent, cases[i].zeros == 8);
	}
	struct kws_zeros zeros = {0};
	assert_int_equal(kws_zeros_push(&zeros, frames, 3, 3, 3, 3), KWS_ZEROS_BEGAN);
	assert_int_equal(kws_zeros_push(&zeros, frames + 9, 1, 3, 3, 3), KWS_ZEROS_ENDED);
}

/* The limit is one of frames, whatever the number of channels. */
static void all_channels_of_a_mix_must_be_zero(void **state)
{
	(void)state;
	struct kws_zeros zeros = {0};
	static const int16_t right[2 * 3] = {0, 1, 0, 0, 0, 0};
	assert_int_equal(kws_zeros_push(&zeros, right, 3, 2, 0, 3), KWS_ZEROS_SAME);
	assert_int_equal(zeros.frames, 2);
	assert_int_equal(kws_zeros_push(&zeros, right + 2, 1, 2, 0, 3), KWS_ZEROS_BEGAN);
	assert_int_equal(kws_zeros_push(&zeros, right, 1, 2, 0, 3), KWS_ZEROS_ENDED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tells_the_beginning_and_the_end_once),
		cmocka_unit_test(a_quiet_signal_is_no_silence),
		cmocka_unit_test(one_block_can_begin_it),
		cmocka_unit_test(tells_it_again_after_a_restart),
		cmocka_unit_test(a_lower_limit_counts_at_once),
		cmocka_unit_test(without_a_limit_nothing_is_told),
		cmocka_unit_test(only_what_is_listened_to_counts),
		cmocka_unit_test(all_channels_of_a_mix_must_be_zero),
	};
	return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
