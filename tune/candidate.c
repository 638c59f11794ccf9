/* SPDX-License-Identifier: Apache-2.0 */
#include "tune/candidate.h"

#include <stdio.h>
#include <stdlib.h>

#include "common/error.h"
#include "exits/policy.h"

#define THRESHOLDS 4    /* that are tried for each exit */
#define NEVER_LEAVE 2.0 /* of a score or a margin */

/* From never to always; the last exit's threshold means nothing. */
static const double deltas[THRESHOLDS] = {0.0, 0.5, 1.0, 2.5};
static const double scores[THRESHOLDS] = {NEVER_LEAVE, 0.9, 0.7, 0.3};
static const double margins[THRESHOLDS] = {NEVER_LEAVE, 0.8, 0.5, 0.1};
static const double scene_deltas[THRESHOLDS] = {0.0, 0.5, 1.0, 2.5};

struct grid {
	struct kws_candidate *list; /* NULL: only counted */
	size_t count;
};

static void add(struct grid *grid, const struct kws_candidate *candidate)
{
	if (grid->list != NULL) {
		grid->list[grid->count] = *candidate;
	}
	grid->count++;
}

/* Counts through all combinations as through a number with THRESHOLDS digits. */
static void add_thresholds(
	struct grid *grid, struct kws_candidate candidate, size_t exits, const double *thresholds)
{
	size_t combinations = 1;
	for (size_t i = 1; i < exits; i++) {
		combinations *= THRESHOLDS;
	}
	candidate.thresholds.count = exits;
	for (size_t n = 0; n < combinations; n++) {
		size_t rest = n;
		for (size_t i = 0; i < exits; i++) {
			candidate.thresholds.values[i] = thresholds[rest % THRESHOLDS];
			rest /= THRESHOLDS;
		}
		candidate.thresholds.values[exits - 1] = thresholds[0];
		add(grid, &candidate);
	}
}

static void add_distances(
	struct grid *grid, struct kws_candidate candidate, const struct kws_candidate_space *space)
{
	candidate.thresholds.count = 1;
	for (size_t i = 0; i < space->distance_count; i++) {
		candidate.thresholds.values[0] = space->distances[i];
		for (size_t k = 0; k < THRESHOLDS; k++) {
			candidate.scene_delta = scene_deltas[k];
			add(grid, &candidate);
		}
	}
}

static void add_patience(struct grid *grid, struct kws_candidate candidate, size_t exits)
{
	/* with so many agreements wanted the last exit is the first that can have them */
	for (size_t patience = 1; patience + 1 < exits; patience++) {
		candidate.patience = (int)patience;
		add(grid, &candidate);
	}
}

static void add_policy(
	struct grid *grid, enum kws_config_policy policy, const struct kws_candidate_space *space)
{
	struct kws_candidate candidate = {
		.policy = policy, .patience = 1, .confirm = KWS_CONFIG_CONFIRM_OFF};
	switch (policy) {
	case KWS_CONFIG_POLICY_ENTROPY:
		add_thresholds(grid, candidate, space->exits, deltas);
		break;
	case KWS_CONFIG_POLICY_SCORE:
		add_thresholds(grid, candidate, space->exits, scores);
		break;
	case KWS_CONFIG_POLICY_MARGIN:
		add_thresholds(grid, candidate, space->exits, margins);
		break;
	case KWS_CONFIG_POLICY_DIFFERENCE:
	case KWS_CONFIG_POLICY_TEMPORAL_PATIENCE:
		add_distances(grid, candidate, space);
		break;
	case KWS_CONFIG_POLICY_PATIENCE:
		add_patience(grid, candidate, space->exits);
		break;
	default: /* always-N */
		add(grid, &candidate);
		break;
	}
}

int kws_candidate_grid(enum kws_config_policy policy, const struct kws_candidate_space *space,
	struct kws_candidate **out, size_t *count)
{
	struct grid grid = {0};
	add_policy(&grid, policy, space);
	grid.list = calloc(grid.count + 1, sizeof(*grid.list));
	if (grid.list == NULL) {
		return KWS_ENOMEM;
	}
	grid.count = 0;
	add_policy(&grid, policy, space);
	*out = grid.list;
	*count = grid.count;
	return 0;
}

bool kws_candidate_confirm(struct kws_candidate *candidate, size_t exit)
{
	static const struct {
		enum kws_config_confirm confirm;
		size_t exit;
	} choices[] = {
#define XX(name, text, exit) {KWS_CONFIG_CONFIRM_##name, exit},
		KWS_CONFIG_CONFIRM_MAP(XX)
#undef XX
	};
	for (size_t i = 0; i < sizeof(choices) / sizeof(choices[0]); i++) {
		if (choices[i].exit == exit) {
			candidate->confirm = choices[i].confirm;
			return true;
		}
	}
	return false;
}

/* What the policy's thresholds are called; NULL: it has none. */
static const char *threshold_key(enum kws_config_policy policy)
{
	return kws_policy_threshold_key(kws_policy_find(kws_config_policy_name(policy)));
}

struct kws_candidate kws_candidate_of(const struct kws_config *config)
{
	const char *key = threshold_key(config->exits.policy);
	return (struct kws_candidate){
		.as_given = true,
		.policy = config->exits.policy,
		.thresholds = key != NULL ? *kws_config_exits_list(config, key)
					  : (struct kws_config_floats){0},
		.patience = config->exits.patience,
		.scene_delta = config->exits.scene_delta,
		.confirm = config->exits.confirm,
	};
}

static void apply_to_keyword(
	const struct kws_candidate *candidate, struct kws_keyword_config *keyword)
{
	const char *key = threshold_key(candidate->policy);
	if (key != NULL) {
		*kws_config_keyword_list(keyword, key) = candidate->thresholds;
	}
	keyword->confirm = candidate->confirm;
}

void kws_candidate_apply(const struct kws_candidate *candidate, struct kws_config *config)
{
	const char *key = threshold_key(candidate->policy);
	if (candidate->as_given) {
		return;
	}
	config->exits.policy = candidate->policy;
	if (key != NULL) {
		*kws_config_exits_list(config, key) = candidate->thresholds;
	}
	if (candidate->policy == KWS_CONFIG_POLICY_PATIENCE) {
		config->exits.patience = candidate->patience;
	}
	config->exits.scene_delta = candidate->scene_delta;
	config->exits.confirm = candidate->confirm;
	apply_to_keyword(candidate, &config->keyword_default);
	for (size_t i = 0; i < config->keyword_count; i++) {
		apply_to_keyword(candidate, &config->keywords[i]);
	}
}

void kws_candidate_describe(const struct kws_candidate *candidate, char *text, size_t size)
{
	FILE *file = fmemopen(text, size, "w");
	const char *gap = "";
	text[0] = '\0';
	if (file == NULL) {
		return;
	}
	for (size_t i = 0; i < candidate->thresholds.count; i++) {
		fprintf(file, i == 0 ? "%s = %g" : "%s, %g",
			i == 0 ? threshold_key(candidate->policy) : "",
			candidate->thresholds.values[i]);
		gap = "; ";
	}
	if (candidate->policy == KWS_CONFIG_POLICY_PATIENCE) {
		fprintf(file, "patience = %d", candidate->patience);
		gap = "; ";
	}
	if (candidate->scene_delta > 0.0) {
		fprintf(file, "%sscene_delta = %g", gap, candidate->scene_delta);
		gap = "; ";
	}
	if (candidate->confirm != KWS_CONFIG_CONFIRM_OFF) {
		fprintf(file, "%sconfirm = %s", gap, kws_config_confirm_name(candidate->confirm));
	}
	fclose(file);
}
