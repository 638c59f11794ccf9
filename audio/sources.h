/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KWS_AUDIO_SOURCES_H
#define KWS_AUDIO_SOURCES_H

#include "audio/source.h"

/* The implementations, one file each; for source.c only. */
extern const struct kws_source_ops kws__source_portaudio;
extern const struct kws_source_ops kws__source_file;
extern const struct kws_source_ops kws__source_stdin;
extern const struct kws_source_ops kws__source_null;

#endif
