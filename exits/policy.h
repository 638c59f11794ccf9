/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KWS_EXITS_POLICY_H
#define KWS_EXITS_POLICY_H

#include <stddef.h>
#include <stdint.h>

#include "common/error.h"

/* How deep to go for one window of a stream. A policy sees the number of the hop, the logits of one
 * exit after the other, its settings and what it remembers of earlier hops, nothing else: the same
 * logits, live or from a cache, give the same answers. */
struct kws_policy;

/* One of the rules, a file policy-NAME.c each. */
struct kws_policy_ops;

#define KWS_POLICY_EXITS_MAX 8
#define KWS_POLICY_CLASSES_MAX 256

/* Why an answer was given where it was. */
#define KWS_REASON_MAP(XX)                                                              \
	XX(NONE, "none")                 /* it was not: go on */                        \
	XX(ENTROPY, "entropy")           /* below its threshold */                      \
	XX(SCORE, "score")               /* the best posterior reached its threshold */ \
	XX(MARGIN, "margin")             /* the lead over the second best did */        \
	XX(AGREEMENT, "agreement")       /* enough exits in a row named the same */     \
	XX(FIXED, "fixed")               /* always this exit */                         \
	XX(UNCHANGED, "unchanged")       /* the reference's answer still holds */       \
	XX(CONFIRMED, "confirmed")       /* a deeper exit heard the keyword, too */     \
	XX(LAST_EXIT, "last-exit")       /* there is none deeper */                     \
	XX(CHANGED, "changed")           /* a new scene, asked in full */               \
	XX(AGE, "age")                   /* the reference was too old, asked in full */ \
	XX(NO_REFERENCE, "no-reference") /* nothing to compare with, asked in full */   \
	XX(INVALID, "invalid")           /* the last exit's logits are not finite */    \
	XX(SILENCE, "silence")           /* no speech: no exit was asked */

#define XX(name, text) KWS_REASON_##name,
enum kws_reason { KWS_REASON_MAP(XX) };
#undef XX

/* The text of the map above. Thread: any. */
const char *kws_reason_name(enum kws_reason reason);

/* How a policy is tuned. Plain data; begin with kws_policy_settings_init(). */
struct kws_policy_settings {
	const struct kws_policy_ops *policy;
	/* of the quantity that kws_policy_threshold_key() names, by exit (0-based) and by the class
	 * that the exit, or the reference, names */
	float thresholds[KWS_POLICY_EXITS_MAX][KWS_POLICY_CLASSES_MAX];
	float temperature[KWS_POLICY_EXITS_MAX]; /* p = softmax(logits / temperature) */
	unsigned patience;                       /* agreements in a row, see policy-patience.c */
	uint64_t max_age_hops;                   /* of a reference; below 1 counts as 1 */
	float scene_delta; /* entropy in nats below which a new scene is answered early; 0:
			      never, as its authors have it */
	/* least depth (1-based) at which a fresh answer of the class is taken; 0: any */
	uint8_t confirm_exit[KWS_POLICY_CLASSES_MAX];
	/* An answer in which a class reaches this is not repeated, and neither is one of the next
	 * fresh_hops: the detector takes each hop's posterior for fresh evidence. Repeated, a
	 * keyword heard in one hop would pass smoothing and patience, and one repeated for longer
	 * than it was spoken would be one word with its second utterance. */
	float hold_below[KWS_POLICY_CLASSES_MAX];
	uint64_t fresh_hops;
};

/* What was answered. */
struct kws_decision {
	size_t exit; /* the deepest that was asked, 0-based */
	enum kws_reason reason;
	size_t label;        /* the largest posterior; 0 if the reason is INVALID */
	float entropy;       /* of the posteriors, in nats; NaN if the reason is INVALID */
	float change;        /* distance from the reference; NaN where nothing was compared */
	size_t disagreement; /* of the exits asked in this hop, how many name another label */
	/* one for each class: those of `exit`, those of the reference where the reason is
	 * UNCHANGED, all 0 where it is INVALID; the policy's memory, until the next call on it */
	const float *posteriors;
};

/* The logits of an exit (0-based) of the window in question; valid until the decision is made.
 * Exits are asked one after the other from the first. */
typedef const float *kws_policy_logits_fn(void *user, size_t exit);

/* The rule of that name ("entropy", "always-3"), or NULL. Thread: any. */
const struct kws_policy_ops *kws_policy_find(const char *name);

const char *kws_policy_name(const struct kws_policy_ops *policy);

/* What the rule's thresholds are called in `[exits]` and in `kws.exits` of a model: "delta",
 * "score", "margin" or "distance"; NULL: it has none. Thread: any. */
const char *kws_policy_threshold_key(const struct kws_policy_ops *policy);

/* The rule with the thresholds that it has where nobody gives others, temperature 1, no
 * confirmation, no limit to what is held. Thread: any. RT-safe: yes. */
void kws_policy_settings_init(
	struct kws_policy_settings *settings, const struct kws_policy_ops *policy);

/* Whether the settings can work with a model of so many exits: a rule that can never fire, an exit
 * that is not there, a number that is none. Errors: KWS_EINVAL with a sentence. Thread: any. */
int kws_policy_check(const struct kws_policy_settings *settings, size_t exits, size_t classes,
	struct kws_error *error);

/* For one stream, with the settings of "entropy". Errors: KWS_EINVAL (more exits or classes than
 * the limits above, or none), KWS_ENOMEM. */
int kws_policy_create(struct kws_policy **out, size_t exits, size_t classes);

/* Accepts NULL. */
void kws_policy_destroy(struct kws_policy *policy);

/* Goes over to checked settings between two hops and, where they differ from the present ones,
 * forgets the reference, which was made under others: the next hop is asked in full. Thread: the
 * owner's. RT-safe: yes, like the ones below. */
void kws_policy_configure(struct kws_policy *policy, const struct kws_policy_settings *settings);

/* Forgets the earlier hops: after a gap, between two clips. */
void kws_policy_reset(struct kws_policy *policy);

/* Asks exit after exit of hop number `hop` until there is an answer. An exit whose logits are not
 * all finite never ends it; a last exit like that gives an answer that no keyword can come of. */
void kws_policy_decide(struct kws_policy *policy, uint64_t hop, kws_policy_logits_fn *logits,
	void *user, struct kws_decision *out);

#endif
