/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KWS_AUDIO_MIX_H
#define KWS_AUDIO_MIX_H

#include <stddef.h>
#include <stdint.h>

/* Interleaved 16-bit frames to one channel of floats in -1..1 (1.0 is 32768). `channel` 0 is the
 * mean of all `channels`, 1..channels that one alone. `out` gets `frames` values.
 * Thread: any. RT-safe: yes. */
void kws_mix_to_mono(
	const int16_t *in, size_t frames, unsigned channels, unsigned channel, float *out);

/* Floats in -1..1 to 16 bit, rounded to nearest, clipped, NaN as 0: the inverse of the scale above,
 * so that a 16-bit sound file read as floats gives its own samples again.
 * Thread: any. RT-safe: yes. */
void kws_mix_to_int16(const float *in, size_t samples, int16_t *out);

#endif
