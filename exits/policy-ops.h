/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KWS_EXITS_POLICY_OPS_H
#define KWS_EXITS_POLICY_OPS_H

#include <stdbool.h>

#include "exits/policy.h"

/* What a rule is made of; internal to exits/. Thread: the owner of the policy. RT-safe: yes. */
struct kws_policy_ops {
	const char *name;
	const char *threshold_key; /* NULL: no thresholds */
	float threshold;           /* where nobody gives another */
	size_t exit;               /* always-N: N, 1-based */
	/* Settings with which the rule cannot work; NULL: there are none. */
	int (*check)(
		const struct kws_policy_settings *settings, size_t exits, struct kws_error *error);
	/* After each exit with finite logits, the last one as well: NONE goes on, any other reason
	 * stops, UNCHANGED with the reference's answer. */
	enum kws_reason (*ask)(struct kws_policy *policy);
	/* After a fresh answer; NULL: nothing is remembered. */
	void (*learn)(struct kws_policy *policy, const struct kws_decision *answer);
};

/* The exits that were asked in this hop. */
struct kws_walk {
	uint64_t hop;
	size_t exit; /* the one in question, 0-based */
	const float *logits[KWS_POLICY_EXITS_MAX];
	size_t best[KWS_POLICY_EXITS_MAX];        /* SIZE_MAX: the logits are not finite */
	float posteriors[KWS_POLICY_CLASSES_MAX]; /* of the exit in question */
	float entropy;
	unsigned agreements;  /* policy-patience.c */
	size_t unconfirmed;   /* the class that was last kept from answering; SIZE_MAX: none */
	enum kws_reason full; /* why no reference answers this hop; NONE: one still may */
	float change;
};

/* The answer that opened the present scene. */
struct kws_reference {
	bool valid;
	bool barred;        /* an answer must not be repeated since barred_at */
	uint64_t barred_at; /* the hop of the last answer of which a class was too strong */
	uint64_t hop;
	size_t exit; /* whose logits are compared, 0-based */
	size_t label;
	float entropy;
	float logits[KWS_POLICY_CLASSES_MAX];
	float posteriors[KWS_POLICY_CLASSES_MAX];
};

struct kws_policy {
	size_t exits;
	size_t classes;
	struct kws_policy_settings settings;
	struct kws_walk walk;
	struct kws_reference reference;
};

/* The class that the exit in question names, and its threshold there. */
static inline size_t kws__policy_best(const struct kws_policy *policy)
{
	return policy->walk.best[policy->walk.exit];
}

static inline float kws__policy_threshold(const struct kws_policy *policy)
{
	return policy->settings.thresholds[policy->walk.exit][kws__policy_best(policy)];
}

extern const struct kws_policy_ops kws_policy_entropy;
extern const struct kws_policy_ops kws_policy_score;
extern const struct kws_policy_ops kws_policy_margin;
extern const struct kws_policy_ops kws_policy_patience;
extern const struct kws_policy_ops kws_policy_difference;
extern const struct kws_policy_ops kws_policy_temporal_patience;
extern const struct kws_policy_ops kws_policy_always[5];

#endif
