/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KWS_BENCH_RECORDING_H
#define KWS_BENCH_RECORDING_H

#include <stddef.h>
#include <stdint.h>

#include "bnn/model.h"
#include "common/error.h"

/* A recording as the daemon hears it with its default settings: the features of every window and
 * how deep the policy went. */
struct bench_recording {
	int16_t *samples; /* 16 kHz mono */
	size_t sample_count;
	float *frames; /* [hops + KWS_WINDOW_FRAMES - 1][KWS_MEL_BANDS]: window i begins at frame i
			*/
	uint8_t *depths; /* of each hop of one frame: exits computed */
	size_t hops;
	size_t hops_max;
};

/* Reads the files (one channel, any rate) that `list` names, one path a line, one after the other,
 * up to `seconds`, and runs the pipeline with `model`, hop 1 frame. Errors: KWS_ENOENT, KWS_EIO,
 * KWS_EFORMAT with a sentence; nothing is left behind then. */
int bench_recording_read(struct bench_recording *recording, const char *list, size_t seconds,
	struct kws_model *model, struct kws_error *error);

/* A zeroed one is fine. */
void bench_recording_finish(struct bench_recording *recording);

#endif
