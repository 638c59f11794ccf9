/* SPDX-License-Identifier: Apache-2.0 */
#include "exits/scene.h"

#include <math.h>
#include <string.h>

/* Infinite where a square overflows: changed. */
static float distance(const float *a, const float *b, size_t count)
{
	float sum = 0.0f;
	for (size_t i = 0; i < count; i++) {
		float difference = a[i] - b[i];
		sum += difference * difference;
	}
	return sqrtf(sum);
}

static bool is_too_old(const struct kws_policy *policy)
{
	uint64_t max_age_hops = policy->settings.max_age_hops;
	return policy->walk.hop - policy->reference.hop >= (max_age_hops > 0 ? max_age_hops : 1);
}

/* At the exit that the reference is compared at. */
static enum kws_reason compare(struct kws_policy *policy, bool same_label)
{
	struct kws_walk *walk = &policy->walk;
	const struct kws_reference *reference = &policy->reference;
	size_t exit = reference->exit;
	walk->change = distance(walk->logits[exit], reference->logits, policy->classes);
	if (walk->full != KWS_REASON_NONE) {
		return KWS_REASON_NONE;
	}
	bool near = walk->change < policy->settings.thresholds[exit][reference->label];
	if (near && (!same_label || walk->best[exit] == reference->label)) {
		return KWS_REASON_UNCHANGED;
	}
	walk->full = KWS_REASON_CHANGED;
	return KWS_REASON_NONE;
}

enum kws_reason kws__scene_ask(struct kws_policy *policy, bool same_label)
{
	struct kws_walk *walk = &policy->walk;
	const struct kws_reference *reference = &policy->reference;
	if (!reference->valid) {
		walk->full = KWS_REASON_NO_REFERENCE;
	} else if (is_too_old(policy)) {
		walk->full = KWS_REASON_AGE;
	}
	if (reference->valid && walk->exit == reference->exit &&
		compare(policy, same_label) == KWS_REASON_UNCHANGED) {
		return KWS_REASON_UNCHANGED;
	}
	bool sure = walk->full != KWS_REASON_NONE && walk->entropy < policy->settings.scene_delta;
	return sure ? KWS_REASON_ENTROPY : KWS_REASON_NONE;
}

static bool is_too_strong(const struct kws_policy *policy, const struct kws_decision *answer)
{
	for (size_t c = 0; c < policy->classes; c++) {
		if (answer->posteriors[c] >= policy->settings.hold_below[c]) {
			return true;
		}
	}
	return false;
}

/* Notes an answer that must not be repeated. Whether this one may be. */
static bool may_be_repeated(struct kws_policy *policy, const struct kws_decision *answer)
{
	struct kws_reference *reference = &policy->reference;
	uint64_t hop = policy->walk.hop;
	if (is_too_strong(policy, answer)) {
		reference->barred = true;
		reference->barred_at = hop;
		return false;
	}
	if (reference->barred && hop - reference->barred_at > policy->settings.fresh_hops) {
		reference->barred = false;
	}
	return !reference->barred && answer->reason != KWS_REASON_INVALID;
}

void kws__scene_open(struct kws_policy *policy, const struct kws_decision *answer, size_t exit)
{
	struct kws_reference *reference = &policy->reference;
	size_t size = policy->classes * sizeof(float);
	reference->valid = may_be_repeated(policy, answer) && policy->walk.best[exit] != SIZE_MAX;
	if (!reference->valid) {
		return;
	}
	reference->hop = policy->walk.hop;
	reference->exit = exit;
	reference->label = answer->label;
	reference->entropy = answer->entropy;
	memcpy(reference->logits, policy->walk.logits[exit], size);
	memcpy(reference->posteriors, answer->posteriors, size);
}
