/* SPDX-License-Identifier: Apache-2.0 */
/* Algorithm 1 of "Binary Early-Exit Network for Adaptive Inference on Low-Resource Devices": leave
 * at the first exit whose entropy is below delta. Strictly: delta 0 never leaves early. */
#include "exits/policy-ops.h"

static enum kws_reason entropy_ask(struct kws_policy *policy)
{
	bool sure = policy->walk.entropy < kws__policy_threshold(policy);
	return sure ? KWS_REASON_ENTROPY : KWS_REASON_NONE;
}

const struct kws_policy_ops kws_policy_entropy = {
	.name = "entropy",
	.threshold_key = "delta",
	.threshold = 0.5f,
	.ask = entropy_ask,
};
