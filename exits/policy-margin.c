/* SPDX-License-Identifier: Apache-2.0 */
/* Leave at the first exit whose best posterior leads the second best by the threshold, as in EDANAS
 * and AEBNAS. A threshold above 1 never leaves there. */
#include "exits/policy-ops.h"

static enum kws_reason margin_ask(struct kws_policy *policy)
{
	const float *posteriors = policy->walk.posteriors;
	size_t best = kws__policy_best(policy);
	float second = 0.0f;
	for (size_t c = 0; c < policy->classes; c++) {
		if (c != best && posteriors[c] > second) {
			second = posteriors[c];
		}
	}
	bool clear = posteriors[best] - second >= kws__policy_threshold(policy);
	return clear ? KWS_REASON_MARGIN : KWS_REASON_NONE;
}

const struct kws_policy_ops kws_policy_margin = {
	.name = "margin",
	.threshold_key = "margin",
	.threshold = 0.8f,
	.ask = margin_ask,
};
