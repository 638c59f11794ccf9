/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KWS_PIPELINE_RESOLVE_H
#define KWS_PIPELINE_RESOLVE_H

#include <stddef.h>

#include "bnn/model.h"
#include "config/config.h"
#include "exits/detector.h"
#include "exits/policy.h"

/* What a configuration means for a model: the settings of the decisions over its answers. The same
 * for the daemon and for who tries settings on cached answers. Thread: any. RT-safe: yes. */

/* The class of a keyword; SIZE_MAX where the model has no keyword of that name. */
size_t kws_resolve_keyword(const struct kws_model *model, const char *name);

/* The rule of [exits].policy with, from the strongest, the thresholds of [keyword NAME] for that
 * class, those of [exits], those of the model's `kws.exits`, the rule's own. Temperatures are those
 * of [exits], else the model's. Sections of keywords of other models are not looked at. Errors:
 * KWS_EMISMATCH, KWS_EINVAL with a sentence: a list that is not as long as the model has exits, a
 * rule that can never fire (kws_policy_check()). */
int kws_resolve_policy(struct kws_policy_settings *out, const struct kws_model *model,
	const struct kws_config *config, struct kws_error *error);

/* The threshold of a label: that of its section, else that of [detector], else that of the model's
 * `kws.keywords`, else KWS_RESOLVE_THRESHOLD. */
double kws_resolve_threshold(
	const struct kws_model *model, const struct kws_config *config, size_t label);
#define KWS_RESOLVE_THRESHOLD 0.8

/* The settings of one label: those of its section, else those of [detector]. */
struct kws_detector_settings kws_resolve_detector(
	const struct kws_model *model, const struct kws_config *config, size_t label);

#endif
