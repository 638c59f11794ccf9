/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KWS_TESTS_POLICY_RUN_H
#define KWS_TESTS_POLICY_RUN_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "exits/policy.h"

/* A policy over synthetic logits, hop by hop. */

#define EXITS 5
#define CLASSES 4

struct policy_run {
	struct kws_policy *policy;
	struct kws_policy_settings settings;
	uint64_t hop;
	const float *const *exits; /* of the hop in work: EXITS times CLASSES logits */
	size_t asked;              /* exits of the last hop */
};

static inline const float *policy_run_logits(void *user, size_t exit)
{
	struct policy_run *run = user;
	assert_int_equal(exit, run->asked); /* one after the other, none twice */
	assert_true(exit < EXITS);
	run->asked++;
	return run->exits[exit];
}

/* Takes the settings over as they stand in the run. */
static inline void policy_run_configure(struct policy_run *run)
{
	struct kws_error error = {""};
	if (kws_policy_check(&run->settings, EXITS, CLASSES, &error) != 0) {
		fail_msg("%s", error.text);
	}
	kws_policy_configure(run->policy, &run->settings);
}

static inline struct policy_run policy_run_start(const char *name)
{
	struct policy_run run = {0};
	assert_int_equal(kws_policy_create(&run.policy, EXITS, CLASSES), 0);
	kws_policy_settings_init(&run.settings, kws_policy_find(name));
	policy_run_configure(&run);
	return run;
}

/* One threshold for all exits and classes. */
static inline void policy_run_threshold(struct policy_run *run, float threshold)
{
	for (size_t i = 0; i < EXITS; i++) {
		for (size_t c = 0; c < CLASSES; c++) {
			run->settings.thresholds[i][c] = threshold;
		}
	}
	policy_run_configure(run);
}

static inline struct kws_decision policy_run_hop(struct policy_run *run, const float *const *exits)
{
	struct kws_decision decision;
	run->exits = exits;
	run->asked = 0;
	kws_policy_decide(run->policy, run->hop++, policy_run_logits, run, &decision);
	assert_int_equal(run->asked, decision.exit + 1);
	return decision;
}

static inline void policy_run_finish(struct policy_run *run)
{
	kws_policy_destroy(run->policy);
}

#endif
