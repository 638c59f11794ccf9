/* SPDX-License-Identifier: Apache-2.0 */
#include "dsp/window.h"

#include <string.h>

void kws_window_init(struct kws_window_buffer *window)
{
	memset(window, 0, sizeof(*window));
}

void kws_window_push(struct kws_window_buffer *window, const float *frame)
{
	memcpy(window->frames[window->next], frame, sizeof(window->frames[0]));
	memcpy(window->frames[window->next + KWS_WINDOW_FRAMES], frame, sizeof(window->frames[0]));
	window->next = (window->next + 1) % KWS_WINDOW_FRAMES;
	window->held += window->held < KWS_WINDOW_FRAMES;
}

bool kws_window_full(const struct kws_window_buffer *window)
{
	return window->held == KWS_WINDOW_FRAMES;
}

const float *kws_window_frames(const struct kws_window_buffer *window)
{
	return window->frames[window->next];
}
