/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KWS_EXITS_POLICY_H
#define KWS_EXITS_POLICY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* When to stop going deeper. A policy sees one exit's answer at a time and its own settings,
 * nothing else, so it can be tested on synthetic sequences. */

struct kws_policy_config {
	float delta; /* entropy: leave where H(p) < delta, in nats; 0 never leaves early */
};

/* What an exit said. */
struct kws_exit_output {
	uint64_t hop;
	size_t exit;  /* 0-based */
	size_t exits; /* of the network */
	size_t classes;
	const float *posteriors;
	float entropy;
};

/* One policy. */
struct kws_policy_ops {
	const char *name;
	bool (*stop)(const struct kws_policy_config *config, const struct kws_exit_output *output);
};

extern const struct kws_policy_ops kws_policy_entropy;

/* The policy of that name, or NULL. Thread: any. */
const struct kws_policy_ops *kws_policy_find(const char *name);

/* Whether to answer with this exit; always true at the last one. RT-safe: yes. */
bool kws_policy_stop(const struct kws_policy_ops *policy, const struct kws_policy_config *config,
	const struct kws_exit_output *output);

#endif
