/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KWS_DSP_MEL_H
#define KWS_DSP_MEL_H

#include <stddef.h>

/* The log-mel front end. Its constants are part of every model file (`kws.features`): a model that
 * was trained on other features is refused, see kws_mel_describe(). */
#define KWS_SAMPLE_RATE_HZ 16000
#define KWS_FRAME_SAMPLES 400 /* 25 ms, periodic Hann */
#define KWS_HOP_SAMPLES 160   /* 10 ms */
#define KWS_FFT_POINTS 512
#define KWS_MEL_BANDS 64
#define KWS_MEL_LOW_HZ 60.0
#define KWS_MEL_HIGH_HZ 7800.0
#define KWS_WINDOW_FRAMES 98 /* one second of audio: 98 whole frames fit in 16000 samples */
/* The samples that those frames reach over, 15920. */
#define KWS_WINDOW_SAMPLES (KWS_FRAME_SAMPLES + (KWS_WINDOW_FRAMES - 1) * KWS_HOP_SAMPLES)

/* Energies below the floor count as the floor. With samples in -1..1 the quantisation noise of
 * 16-bit audio is near 1e-8 a bin, so 1e-6 hides it and makes digital and real silence alike. */
#define KWS_MEL_FLOOR 1e-6

/* The network sees (ln(energy) + OFFSET) * SCALE: about -2.5 for silence and 3.3 for full scale,
 * so that a padded zero is an ordinary value. */
#define KWS_MEL_LOG_OFFSET 4.0
#define KWS_MEL_LOG_SCALE 0.25

struct kws_mel;

/* Allocates the tables of one front end. It holds scratch memory: one object per thread.
 * Errors: KWS_ENOMEM. Thread: any. */
int kws_mel_create(struct kws_mel **out);

/* Accepts NULL. */
void kws_mel_destroy(struct kws_mel *mel);

/* One frame: `samples` is KWS_FRAME_SAMPLES values in -1..1, `out` gets KWS_MEL_BANDS values.
 * Hann window, |FFT|^2, HTK-mel triangles (peak 1, no area normalisation), log with the floor.
 * Never fails. Thread: the owner of `mel`. RT-safe: yes. */
void kws_mel_frame(struct kws_mel *mel, const float *samples, float *out);

/* One clip to one window: `count` samples in -1..1 of 16 kHz audio give KWS_WINDOW_FRAMES frames of
 * KWS_MEL_BANDS values in `out`. A clip shorter than one second is zero-padded on both sides, of a
 * longer one the middle second is taken. Thread: the owner of `mel`. RT-safe: yes. */
void kws_mel_clip(struct kws_mel *mel, const float *samples, size_t count, float *out);

/* Every constant above as one line of text, e.g. "rate=16000 frame=400 ...": the value of
 * `kws.features` in a model file. Static storage. */
const char *kws_mel_describe(void);

#endif
