/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KWS_TUNE_CANDIDATE_H
#define KWS_TUNE_CANDIDATE_H

#include <stdbool.h>
#include <stddef.h>

#include "config/config.h"

/* How many policies there are, numbered from 0 as in enum kws_config_policy. */
#define XX(name, text) +1
enum { KWS_CANDIDATE_POLICIES = 0 KWS_CONFIG_POLICY_MAP(XX) };
#undef XX

/* One setting of [exits] that the search tries. */
struct kws_candidate {
	bool as_given; /* the configuration's own, keywords with settings of their own included */
	enum kws_config_policy policy;
	struct kws_config_floats thresholds; /* of the policy's own quantity; none: it has none */
	int patience;
	double scene_delta;
	enum kws_config_confirm confirm;
};

/* What the grids are made for. */
struct kws_candidate_space {
	size_t exits;
	/* how far exit 1's logits move, from seldom to often exceeded: the distances that are tried
	 * for Difference Detection and Temporal Patience, which have the scale of the model */
	const double *distances;
	size_t distance_count;
};

/* The grid of a policy, after the threshold tuning of AEBNAS: all combinations of a few thresholds
 * for each exit but the last. The caller frees *out. Errors: KWS_ENOMEM. Thread: any. */
int kws_candidate_grid(enum kws_config_policy policy, const struct kws_candidate_space *space,
	struct kws_candidate **out, size_t *count);

/* The candidate that [exits] of a configuration is: it leaves that as it is. Thread: any. */
struct kws_candidate kws_candidate_of(const struct kws_config *config);

/* Wants a keyword confirmed by that exit (1-based; 0: by none). False: a configuration cannot say
 * so. Thread: any. */
bool kws_candidate_confirm(struct kws_candidate *candidate, size_t exit);

/* Writes the candidate into [exits] and, since keywords have inherited from there already, into
 * every keyword; nothing, if it is as given. Thread: any. */
void kws_candidate_apply(const struct kws_candidate *candidate, struct kws_config *config);

/* "delta = 0.5, 0.5, 0.2, 0, 0; confirm = 5". */
void kws_candidate_describe(const struct kws_candidate *candidate, char *text, size_t size);

#endif
