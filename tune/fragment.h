/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KWS_TUNE_FRAGMENT_H
#define KWS_TUNE_FRAGMENT_H

#include "common/error.h"
#include "config/config.h"

/* A configuration as the text of a kwsd.conf that has nothing but what differs from the defaults:
 * a whole, valid configuration for `kwsd --config`. `comment` stands at its head, each line begun
 * with '#'. The text is parsed again and must mean the same. The caller frees *out.
 * Errors: KWS_ENOMEM, KWS_EINVAL when a value cannot be written (it holds the start of a comment),
 * with a sentence. Thread: any. */
int kws_fragment_render(
	char **out, const struct kws_config *config, const char *comment, struct kws_error *error);

#endif
