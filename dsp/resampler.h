/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KWS_DSP_RESAMPLER_H
#define KWS_DSP_RESAMPLER_H

#include <stddef.h>

/* A mono stream of any rate to KWS_SAMPLE_RATE_HZ, by SpeexDSP. The output does not depend on how
 * the input is cut into blocks, and its first sample belongs to the first sample of the input. */
struct kws_resampler;

/* `quality` is SpeexDSP's 0 (fast) to 10 (best). At 16 kHz the samples pass unchanged.
 * Errors: KWS_EINVAL (rate 0, quality), KWS_ENOMEM. Thread: any. */
int kws_resampler_create(struct kws_resampler **out, unsigned rate_hz, int quality);

/* Accepts NULL. */
void kws_resampler_destroy(struct kws_resampler *resampler);

/* Takes up to *in_count samples and writes up to *out_count; both are set to what was used and
 * made. To call again while input is left. Thread: the owner's. RT-safe: yes. */
void kws_resampler_process(struct kws_resampler *resampler, const float *in, size_t *in_count,
	float *out, size_t *out_count);

/* How many samples of the input the output is behind: so many zeros behind the last sample bring
 * out what belongs to it. 0 at 16 kHz. Thread: the owner's. RT-safe: yes. */
size_t kws_resampler_latency(const struct kws_resampler *resampler);

/* Forgets the past, as after a gap. */
void kws_resampler_reset(struct kws_resampler *resampler);

#endif
