/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KWS_DSP_WINDOW_H
#define KWS_DSP_WINDOW_H

#include <stdbool.h>
#include <stddef.h>

#include "dsp/mel.h"

/* The last KWS_WINDOW_FRAMES frames as one contiguous block. Every frame is written twice, half the
 * buffer apart, so that a window never has to be put together: no frame is copied on a hop. */
struct kws_window_buffer {
	float frames[2 * KWS_WINDOW_FRAMES][KWS_MEL_BANDS];
	size_t next; /* where the next frame goes, below KWS_WINDOW_FRAMES */
	size_t held; /* real frames since init, at most KWS_WINDOW_FRAMES */
};

/* Empties the window. Thread: the owner's. RT-safe: yes, like the others here. */
void kws_window_init(struct kws_window_buffer *window);

/* Appends a frame of KWS_MEL_BANDS values. */
void kws_window_push(struct kws_window_buffer *window, const float *frame);

/* Whether a whole window of real frames is held: before that there is nothing to decide on. */
bool kws_window_full(const struct kws_window_buffer *window);

/* [KWS_WINDOW_FRAMES][KWS_MEL_BANDS], oldest first; valid until the next push. */
const float *kws_window_frames(const struct kws_window_buffer *window);

#endif
