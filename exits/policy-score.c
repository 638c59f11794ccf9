/* SPDX-License-Identifier: Apache-2.0 */
/* Leave at the first exit whose best posterior reaches the threshold. With p = softmax(z / T) that
 * is 1 / sum_j exp((z_j - max z) / T); a T per exit, fitted on validation data, makes the exits'
 * scores comparable. A threshold above 1 never leaves there. */
#include "exits/policy-ops.h"

static enum kws_reason score_ask(struct kws_policy *policy)
{
	float score = policy->walk.posteriors[kws__policy_best(policy)];
	return score >= kws__policy_threshold(policy) ? KWS_REASON_SCORE : KWS_REASON_NONE;
}

const struct kws_policy_ops kws_policy_score = {
	.name = "score",
	.threshold_key = "score",
	.threshold = 0.9f,
	.ask = score_ask,
};
