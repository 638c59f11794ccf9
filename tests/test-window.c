/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "dsp/window.h"

/* A frame that tells its number in its first and last band. */
static void push_number(struct kws_window_buffer *window, size_t number)
{
	float frame[KWS_MEL_BANDS] = {0};
	frame[0] = (float)number;
	frame[KWS_MEL_BANDS - 1] = -(float)number;
	kws_window_push(window, frame);
}

static void assert_numbers(const struct kws_window_buffer *window, size_t first)
{
	const float *frames = kws_window_frames(window);
	for (size_t i = 0; i < KWS_WINDOW_FRAMES; i++) {
		assert_true(frames[i * KWS_MEL_BANDS] == (float)(first + i));
		assert_true(frames[i * KWS_MEL_BANDS + KWS_MEL_BANDS - 1] == -(float)(first + i));
	}
}

static void is_full_after_as_many_frames_as_it_holds(void **state)
{
	(void)state;
	struct kws_window_buffer window;
	kws_window_init(&window);
	for (size_t i = 0; i < KWS_WINDOW_FRAMES; i++) {
		assert_false(kws_window_full(&window));
		push_number(&window, i);
	}
	assert_true(kws_window_full(&window));
	assert_numbers(&window, 0);
}

/* Twice round the buffer and at every position in it. */
static void holds_the_last_frames_oldest_first(void **state)
{
	(void)state;
	struct kws_window_buffer window;
	kws_window_init(&window);
	for (size_t i = 0; i < 3 * KWS_WINDOW_FRAMES; i++) {
		push_number(&window, i);
		if (i + 1 >= KWS_WINDOW_FRAMES) {
			assert_true(kws_window_full(&window));
			assert_numbers(&window, i + 1 - KWS_WINDOW_FRAMES);
		}
	}
}

static void init_empties_it(void **state)
{
	(void)state;
	struct kws_window_buffer window;
	kws_window_init(&window);
	for (size_t i = 0; i < KWS_WINDOW_FRAMES + 7; i++) {
		push_number(&window, i);
	}
	kws_window_init(&window);
	for (size_t i = 0; i < KWS_WINDOW_FRAMES; i++) {
		assert_false(kws_window_full(&window));
		push_number(&window, 500 + i);
	}
	assert_numbers(&window, 500);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(is_full_after_as_many_frames_as_it_holds),
		cmocka_unit_test(holds_the_last_frames_oldest_first),
		cmocka_unit_test(init_empties_it),
	};
	return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
