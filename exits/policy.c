/* SPDX-License-Identifier: Apache-2.0 */
#include "exits/policy.h"

#include <string.h>

static const struct kws_policy_ops *const policies[] = {
	&kws_policy_entropy,
	NULL,
};

const struct kws_policy_ops *kws_policy_find(const char *name)
{
	for (size_t i = 0; policies[i] != NULL; i++) {
		if (strcmp(policies[i]->name, name) == 0) {
			return policies[i];
		}
	}
	return NULL;
}

bool kws_policy_stop(const struct kws_policy_ops *policy, const struct kws_policy_config *config,
	const struct kws_exit_output *output)
{
	return output->exit + 1 == output->exits || policy->stop(config, output);
}
