/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KWS_AUDIO_SOURCES_H
#define KWS_AUDIO_SOURCES_H

#include <stdint.h>

#include "audio/source.h"

/* How long `frames` last. Their number times a second's nanoseconds would overflow after days. */
static inline uint64_t kws__frames_ns(uint64_t frames, unsigned rate_hz)
{
	return frames / rate_hz * 1000000000u + frames % rate_hz * 1000000000u / rate_hz;
}

/* The implementations, one file each; this and below for source.c only. */
extern const struct kws_source_ops kws__source_portaudio;
extern const struct kws_source_ops kws__source_file;
extern const struct kws_source_ops kws__source_stdin;
extern const struct kws_source_ops kws__source_null;

#endif
