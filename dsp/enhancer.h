/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KWS_DSP_ENHANCER_H
#define KWS_DSP_ENHANCER_H

#include <stdbool.h>
#include <stddef.h>

/* SpeexDSP's preprocessor over blocks of KWS_HOP_SAMPLES samples at 16 kHz: noise suppression,
 * automatic gain control, voice activity. Each is off unless asked for: the network is trained on
 * untreated sound. */
struct kws_enhancer;

struct kws_enhancer_config {
	bool denoise;
	int denoise_db; /* greatest attenuation of noise, negative */
	bool agc;
	int agc_level; /* target, 1 to 32768 */
	bool vad;
	int vad_start_percent;    /* probability at which speech begins */
	int vad_continue_percent; /* and below which it ends */
};

/* Errors: KWS_ENOMEM. Thread: any. */
int kws_enhancer_create(struct kws_enhancer **out, const struct kws_enhancer_config *config);

/* Accepts NULL. */
void kws_enhancer_destroy(struct kws_enhancer *enhancer);

/* How late samples come out: with noise suppression or gain control KWS_HOP_SAMPLES, so that a call
 * gives the samples of the one before, and the first call of a stream what is left of another.
 * Otherwise 0. */
size_t kws_enhancer_delay(const struct kws_enhancer *enhancer);

/* Treats KWS_HOP_SAMPLES samples in place (rounded to 16 bits by SpeexDSP, and not touched when all
 * is off). Returns whether the block is speech; always true without VAD. Thread: the owner's.
 * RT-safe: yes. */
bool kws_enhancer_process(struct kws_enhancer *enhancer, float *samples);

#endif
