/* SPDX-License-Identifier: Apache-2.0 */
#include "exits/policy.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "exits/policy-ops.h"
#include "exits/posterior.h"

static const struct kws_policy_ops *const policies[] = {
	&kws_policy_entropy,
	&kws_policy_score,
	&kws_policy_margin,
	&kws_policy_patience,
	&kws_policy_difference,
	&kws_policy_temporal_patience,
	&kws_policy_always[0],
	&kws_policy_always[1],
	&kws_policy_always[2],
	&kws_policy_always[3],
	&kws_policy_always[4],
	NULL,
};

const char *kws_reason_name(enum kws_reason reason)
{
	static const char *const names[] = {
#define XX(name, text) [KWS_REASON_##name] = text,
		KWS_REASON_MAP(XX)
#undef XX
	};
	return names[reason];
}

const struct kws_policy_ops *kws_policy_find(const char *name)
{
	for (size_t i = 0; policies[i] != NULL; i++) {
		if (strcmp(policies[i]->name, name) == 0) {
			return policies[i];
		}
	}
	return NULL;
}

const char *kws_policy_name(const struct kws_policy_ops *policy)
{
	return policy->name;
}

const char *kws_policy_threshold_key(const struct kws_policy_ops *policy)
{
	return policy->threshold_key;
}

void kws_policy_settings_init(
	struct kws_policy_settings *settings, const struct kws_policy_ops *policy)
{
	memset(settings, 0, sizeof(*settings)); /* padding too: settings are compared as bytes */
	settings->policy = policy;
	settings->patience = 2;
	settings->max_age_hops = 50;
	for (size_t i = 0; i < KWS_POLICY_EXITS_MAX; i++) {
		settings->temperature[i] = 1.0f;
		for (size_t c = 0; c < KWS_POLICY_CLASSES_MAX; c++) {
			settings->thresholds[i][c] = policy->threshold;
		}
	}
	for (size_t c = 0; c < KWS_POLICY_CLASSES_MAX; c++) {
		settings->hold_below[c] = INFINITY;
	}
}

static int check_exit(const struct kws_policy_settings *settings, size_t exit, size_t classes,
	struct kws_error *error)
{
	float temperature = settings->temperature[exit];
	if (!isfinite(temperature) || temperature <= 0.0f) {
		return kws_fail(error, KWS_EINVAL,
			"temperature: that of exit %zu must be a number above 0", exit + 1);
	}
	const char *key = settings->policy->threshold_key;
	for (size_t c = 0; key != NULL && c < classes; c++) {
		if (isnan(settings->thresholds[exit][c])) {
			return kws_fail(error, KWS_EINVAL,
				"%s: a threshold of exit %zu is not a number", key, exit + 1);
		}
	}
	return 0;
}

int kws_policy_check(const struct kws_policy_settings *settings, size_t exits, size_t classes,
	struct kws_error *error)
{
	for (size_t i = 0; i < exits; i++) {
		int result = check_exit(settings, i, classes, error);
		if (result != 0) {
			return result;
		}
	}
	for (size_t c = 0; c < classes; c++) {
		if (settings->confirm_exit[c] > exits) {
			return kws_fail(error, KWS_EINVAL,
				"confirm: there is no exit %d, the model has %zu",
				settings->confirm_exit[c], exits);
		}
	}
	const struct kws_policy_ops *policy = settings->policy;
	return policy->check != NULL ? policy->check(settings, exits, error) : 0;
}

int kws_policy_create(struct kws_policy **out, size_t exits, size_t classes)
{
	if (exits == 0 || exits > KWS_POLICY_EXITS_MAX || classes == 0 ||
		classes > KWS_POLICY_CLASSES_MAX) {
		return KWS_EINVAL;
	}
	struct kws_policy *policy = calloc(1, sizeof(*policy));
	if (policy == NULL) {
		return KWS_ENOMEM;
	}
	policy->exits = exits;
	policy->classes = classes;
	kws_policy_settings_init(&policy->settings, &kws_policy_entropy);
	*out = policy;
	return 0;
}

void kws_policy_destroy(struct kws_policy *policy)
{
	free(policy);
}

void kws_policy_configure(struct kws_policy *policy, const struct kws_policy_settings *settings)
{
	if (memcmp(&policy->settings, settings, sizeof(*settings)) != 0) {
		memcpy(&policy->settings, settings, sizeof(*settings));
		kws_policy_reset(policy);
	}
}

void kws_policy_reset(struct kws_policy *policy)
{
	policy->reference.valid = false;
	policy->reference.barred = false;
}

static bool all_finite(const float *values, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (!isfinite(values[i])) {
			return false;
		}
	}
	return true;
}

static void begin_walk(struct kws_walk *walk, uint64_t hop)
{
	walk->hop = hop;
	walk->agreements = 0;
	walk->unconfirmed = SIZE_MAX;
	walk->full = KWS_REASON_NONE;
	walk->change = NAN;
}

static void take_exit(struct kws_policy *policy, size_t exit, const float *logits)
{
	struct kws_walk *walk = &policy->walk;
	walk->exit = exit;
	walk->logits[exit] = logits;
	if (!all_finite(logits, policy->classes)) {
		walk->best[exit] = SIZE_MAX;
		return;
	}
	kws_posterior_softmax(
		logits, policy->classes, policy->settings.temperature[exit], walk->posteriors);
	walk->best[exit] = kws_posterior_best(walk->posteriors, policy->classes);
	walk->entropy = kws_posterior_entropy(walk->posteriors, policy->classes);
}

/* The rule's word, unless the exit is not deep enough for what it names. A reference's answer was
 * confirmed when it was made. */
static enum kws_reason ask_early(struct kws_policy *policy, enum kws_reason reason)
{
	struct kws_walk *walk = &policy->walk;
	size_t best = kws__policy_best(policy);
	if (reason == KWS_REASON_NONE || reason == KWS_REASON_UNCHANGED) {
		return reason;
	}
	if (walk->exit + 1 < policy->settings.confirm_exit[best]) {
		walk->unconfirmed = best;
		return KWS_REASON_NONE;
	}
	return walk->unconfirmed == best ? KWS_REASON_CONFIRMED : reason;
}

static enum kws_reason ask(struct kws_policy *policy)
{
	const struct kws_walk *walk = &policy->walk;
	bool last = walk->exit + 1 == policy->exits;
	if (kws__policy_best(policy) == SIZE_MAX) {
		return last ? KWS_REASON_INVALID : KWS_REASON_NONE;
	}
	enum kws_reason reason = policy->settings.policy->ask(policy);
	if (!last) {
		return ask_early(policy, reason);
	}
	if (walk->unconfirmed == kws__policy_best(policy)) {
		return KWS_REASON_CONFIRMED;
	}
	return walk->full != KWS_REASON_NONE ? walk->full : KWS_REASON_LAST_EXIT;
}

static size_t count_disagreement(const struct kws_walk *walk, size_t label)
{
	size_t count = 0;
	for (size_t i = 0; i <= walk->exit; i++) {
		count += walk->best[i] != label;
	}
	return count;
}

static struct kws_decision answer(struct kws_policy *policy, enum kws_reason reason)
{
	struct kws_walk *walk = &policy->walk;
	const struct kws_reference *reference = &policy->reference;
	bool held = reason == KWS_REASON_UNCHANGED;
	struct kws_decision decision = {
		.exit = walk->exit,
		.reason = reason,
		.label = held ? reference->label : kws__policy_best(policy),
		.entropy = held ? reference->entropy : walk->entropy,
		.change = walk->change,
		.posteriors = held ? reference->posteriors : walk->posteriors,
	};
	decision.disagreement = count_disagreement(walk, decision.label);
	if (reason == KWS_REASON_INVALID) {
		memset(walk->posteriors, 0, sizeof(walk->posteriors));
		decision.label = 0;
		decision.entropy = NAN;
	}
	return decision;
}

void kws_policy_decide(struct kws_policy *policy, uint64_t hop, kws_policy_logits_fn *logits,
	void *user, struct kws_decision *out)
{
	const struct kws_policy_ops *rule = policy->settings.policy;
	enum kws_reason reason = KWS_REASON_NONE;
	begin_walk(&policy->walk, hop);
	for (size_t exit = 0; reason == KWS_REASON_NONE; exit++) {
		take_exit(policy, exit, logits(user, exit));
		reason = ask(policy);
	}
	*out = answer(policy, reason);
	if (reason != KWS_REASON_UNCHANGED && rule->learn != NULL) {
		rule->learn(policy, out);
	}
}
