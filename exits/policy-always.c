/* SPDX-License-Identifier: Apache-2.0 */
/* Always the same depth, whatever is heard: what the other rules are measured against. */
#include "exits/policy-ops.h"

static int always_check(
	const struct kws_policy_settings *settings, size_t exits, struct kws_error *error)
{
	if (settings->policy->exit > exits) {
		return kws_fail(error, KWS_EINVAL,
			"policy: there is no exit for %s, the model has %zu",
			settings->policy->name, exits);
	}
	return 0;
}

/* From there on, for what has to be confirmed deeper. */
static enum kws_reason always_ask(struct kws_policy *policy)
{
	bool reached = policy->walk.exit + 1 >= policy->settings.policy->exit;
	return reached ? KWS_REASON_FIXED : KWS_REASON_NONE;
}

#define ALWAYS(depth)                                                             \
	{                                                                         \
		.name = "always-" #depth, .exit = (depth), .check = always_check, \
		.ask = always_ask                                                 \
	}

const struct kws_policy_ops kws_policy_always[] = {
	ALWAYS(1), ALWAYS(2), ALWAYS(3), ALWAYS(4), ALWAYS(5)};
