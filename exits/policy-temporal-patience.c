/* SPDX-License-Identifier: Apache-2.0 */
/* Temporal Patience (exits/scene.h): the logits that are compared are those of the first exit that
 * named the scene's label, each exit with its own threshold, and it must still name that label.
 * Where only the last exit did, each hop is asked in full. */
#include "exits/scene.h"

static enum kws_reason temporal_patience_ask(struct kws_policy *policy)
{
	return kws__scene_ask(policy, true);
}

static void temporal_patience_learn(struct kws_policy *policy, const struct kws_decision *answer)
{
	size_t exit = 0;
	while (exit < answer->exit && policy->walk.best[exit] != answer->label) {
		exit++;
	}
	kws__scene_open(policy, answer, exit);
}

const struct kws_policy_ops kws_policy_temporal_patience = {
	.name = "temporal-patience",
	.threshold_key = "distance",
	.threshold = 2.0f,
	.ask = temporal_patience_ask,
	.learn = temporal_patience_learn,
};
