/* SPDX-License-Identifier: Apache-2.0 */
/* Algorithm 1 of "Binary Early-Exit Network for Adaptive Inference on Low-Resource Devices": leave
 * at the first exit whose entropy is below delta. */
#include "exits/policy.h"

static bool entropy_stop(
	const struct kws_policy_config *config, const struct kws_exit_output *output)
{
	return output->entropy < config->delta;
}

const struct kws_policy_ops kws_policy_entropy = {
	.name = "entropy",
	.stop = entropy_stop,
};
