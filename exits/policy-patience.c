/* SPDX-License-Identifier: Apache-2.0 */
/* PABEE ("BERT Loses Patience"): an exit that names the class of the one before it is an agreement,
 * one that names another starts the count again; leave at `patience` agreements in a row. So many
 * need patience + 1 exits, and the last exit answers anyway: with 5 exits 3 is the most that can
 * ever fire. */
#include "exits/policy-ops.h"

static int patience_check(
	const struct kws_policy_settings *settings, size_t exits, struct kws_error *error)
{
	if (exits < 3) {
		return kws_fail(error, KWS_EINVAL,
			"policy: patience needs a model of at least 3 exits, this one has %zu",
			exits);
	}
	if (settings->patience < 1 || settings->patience > exits - 2) {
		return kws_fail(error, KWS_EINVAL,
			"patience: %u agreements can never come before the last of %zu exits, must "
			"be 1..%zu",
			settings->patience, exits, exits - 2);
	}
	return 0;
}

static enum kws_reason patience_ask(struct kws_policy *policy)
{
	struct kws_walk *walk = &policy->walk;
	bool agrees = walk->exit > 0 && walk->best[walk->exit] == walk->best[walk->exit - 1];
	walk->agreements = agrees ? walk->agreements + 1 : 0;
	return walk->agreements >= policy->settings.patience ? KWS_REASON_AGREEMENT
							     : KWS_REASON_NONE;
}

const struct kws_policy_ops kws_policy_patience = {
	.name = "patience",
	.check = patience_check,
	.ask = patience_ask,
};
