/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KWS_DSP_LEVEL_H
#define KWS_DSP_LEVEL_H

#include <stddef.h>
#include <stdint.h>

#include "dsp/mel.h"

#define KWS_LEVEL_FLOOR_SECONDS 10
#define KWS_LEVEL_SILENCE_DBFS (-120.0f)

/* How loud the last second was and how far it stood out of the room's noise. */
struct kws_level {
	float power[KWS_WINDOW_FRAMES]; /* mean square of each 10 ms block of the last second */
	float peak[KWS_WINDOW_FRAMES];
	float quietest[KWS_LEVEL_FLOOR_SECONDS]; /* lowest block of each of the last seconds */
	uint64_t blocks;                         /* since init; 32 bits are 497 days */
};

/* Thread of all functions: the owner's. RT-safe: yes. */
void kws_level_init(struct kws_level *level);

/* Takes KWS_HOP_SAMPLES samples in -1..1. */
void kws_level_push(struct kws_level *level, const float *samples);

/* RMS and peak of the last second in dB below full scale, at least KWS_LEVEL_SILENCE_DBFS. */
float kws_level_rms_dbfs(const struct kws_level *level);
float kws_level_peak_dbfs(const struct kws_level *level);

/* The loudest 10 ms of the last second over the quietest of the last ten seconds, in dB. */
float kws_level_snr_db(const struct kws_level *level);

#endif
