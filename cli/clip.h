/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KWS_CLI_CLIP_H
#define KWS_CLI_CLIP_H

#include <stddef.h>

#include "common/error.h"
#include "config/config.h"

/* A whole audio file as mono floats in -1..1 at 16 kHz: 16000 samples for each second of it,
 * rounded to the nearest sample. */
struct kws_clip {
	float *samples;
	size_t count;
};

/* Reads, mixes and resamples the file; of `config` [audio].channel and [dsp].resampler_quality
 * count. kws_clip_finish() frees the samples. Errors: KWS_E... with a sentence; a file without that
 * channel, an empty or over-long one (ten minutes) too. */
int kws_clip_read(struct kws_clip *clip, const char *path, const struct kws_config *config,
	struct kws_error *error);

void kws_clip_finish(struct kws_clip *clip);

#endif
