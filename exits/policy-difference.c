/* SPDX-License-Identifier: Apache-2.0 */
/* Difference Detection (exits/scene.h) by the logits of the first exit, which need not be a good
 * classifier itself. */
#include "exits/scene.h"

static enum kws_reason difference_ask(struct kws_policy *policy)
{
	return kws__scene_ask(policy, false);
}

static void difference_learn(struct kws_policy *policy, const struct kws_decision *answer)
{
	kws__scene_open(policy, answer, 0);
}

const struct kws_policy_ops kws_policy_difference = {
	.name = "difference",
	.threshold_key = "distance",
	.threshold = 2.0f,
	.ask = difference_ask,
	.learn = difference_learn,
};
