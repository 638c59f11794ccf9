/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KWS_TUNE_FRAGMENT_H
#define KWS_TUNE_FRAGMENT_H

#include "bnn/model.h"
#include "common/error.h"
#include "config/config.h"

/* A configuration as the text of a kwsd.conf that has nothing but what differs from the defaults:
 * a whole, valid configuration for `kwsd --config`. `comment` stands at its head, each line begun
 * with '#'. The text is parsed again and must mean the same. The caller frees *out.
 * Errors: KWS_ENOMEM, KWS_EINVAL when a value cannot be written (it holds the start of a comment,
 * or its line is too long), with a sentence that names its key. Thread: any. */
int kws_fragment_render(
	char **out, const struct kws_config *config, const char *comment, struct kws_error *error);

/* Whether that will be possible once each keyword of the model has a threshold of its own. Errors:
 * as above, KWS_EUNSUPPORTED where there is no room for so many keywords. Thread: any. */
int kws_fragment_check(
	const struct kws_config *config, const struct kws_model *model, struct kws_error *error);

#endif
