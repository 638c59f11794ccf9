/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KWS_PIPELINE_INPUT_H
#define KWS_PIPELINE_INPUT_H

#include <stdbool.h>

#include "audio/source.h"
#include "common/error.h"
#include "config/config.h"

/* The [audio] section as the audio library wants it. Thread: any, for all functions. */

/* What can be known to be wrong before anything is opened. Errors: KWS_EUNSUPPORTED (the program
 * was built without that source), KWS_ENOENT (the file), KWS_EINVAL (no regular file, no such
 * channel, or for stdin no format), with a sentence. */
int kws_input_check(const struct kws_config *config, struct kws_error *error);

/* Whether both mean the same device or file with the same [audio].channels. */
bool kws_input_is_same(const struct kws_config *a, const struct kws_config *b);

/* The strings belong to `config`. */
struct kws_source_config kws_input_source(const struct kws_config *config);

#endif
