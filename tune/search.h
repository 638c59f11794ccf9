/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KWS_TUNE_SEARCH_H
#define KWS_TUNE_SEARCH_H

#include <stdbool.h>
#include <stddef.h>

#include "tune/candidate.h"
#include "tune/replay.h"

/* Looks for good settings on the half of a corpus that is there to search on.
 *
 * Exits, after the threshold tuning of AEBNAS: every candidate of a policy's grid runs over all
 * hops, without and with a keyword's confirmation by the middle or the last exit. Those that no
 * other beats in both the share of windows answered right and the operations are measured in full.
 * Keywords: the thresholds with the fewest errors (misses and wrong words) whose false alarms are
 * within the wanted rate. The best candidate has the highest
 *     score = keywords found in percent - penalty * operations in percent of the last exit's. */
struct kws_search;

#define KWS_SEARCH_CONFIDENCE 0.95

struct kws_search_wish {
	double false_alarms_per_hour;
	double penalty;
	bool guarantee; /* the bound of the rate, not the rate itself, is to be within the wish */
};

/* One candidate, measured. */
struct kws_outcome {
	struct kws_candidate candidate;
	double thresholds[KWS_CLASSES_MAX]; /* of the keywords */
	double score;
	struct kws_tally tallies[KWS_HALVES];
};

/* What was found for one policy. */
struct kws_policy_outcomes {
	enum kws_config_policy policy;
	size_t tried;
	struct kws_outcome *outcomes; /* measured in full */
	size_t count;
	size_t best;
};

/* How one keyword does with one threshold. */
struct kws_curve_point {
	double threshold;
	struct kws_tally_keyword tally;
};

/* The grid of thresholds, rising. Thread: any. */
const double *kws_search_thresholds(size_t *count);

/* Adds a section to `config` for each keyword of the model, with what it inherits. Errors:
 * KWS_EUNSUPPORTED where there is no room for so many, with a sentence. Thread: the owner of
 * `config`. */
int kws_search_add_keywords(
	const struct kws_model *model, struct kws_config *config, struct kws_error *error);

/* Whether a search is possible, before hours of audio are read for it: as kws_search_create() will
 * say. Errors: KWS_ENOMEM, KWS_EUNSUPPORTED (more keywords than a configuration has room for), with
 * a sentence. Thread: any. */
int kws_search_check(
	const struct kws_model *model, const struct kws_config *config, struct kws_error *error);

/* `config` gives all that is not searched. Model, corpus and configuration must outlive it.
 * Errors: those of kws_search_check() and kws_replay_create(), with a sentence. */
int kws_search_create(struct kws_search **out, const struct kws_model *model,
	const struct kws_corpus *corpus, const struct kws_config *config,
	const struct kws_search_wish *wish, struct kws_error *error);

/* Accepts NULL. */
void kws_search_destroy(struct kws_search *search);

/* Operations of a hop of this half when every hop goes to the last exit: what relative cost refers
 * to. The halves differ, for instance in how much of their audio has speech. */
double kws_search_full_operations(const struct kws_search *search, enum kws_half half);

/* Searches one policy; kws_policy_outcomes_finish() frees. Errors: KWS_ENOMEM; KWS_EUNSUPPORTED
 * when the model has not the exits that the policy needs. */
int kws_search_policy(
	struct kws_search *search, enum kws_config_policy policy, struct kws_policy_outcomes *out);

void kws_policy_outcomes_finish(struct kws_policy_outcomes *outcomes);

/* The configuration as it was given, over both halves. */
void kws_search_as_given(struct kws_search *search, struct kws_tally tallies[KWS_HALVES]);

/* The exits as they were given, with the keyword thresholds that suit them. Errors: KWS_ENOMEM. */
int kws_search_given(struct kws_search *search, struct kws_outcome *outcome);

/* The configuration of an outcome; the caller destroys it. NULL: out of memory. */
struct kws_config *kws_search_config(
	const struct kws_search *search, const struct kws_outcome *outcome);

/* How the keywords do with each threshold and the exits of `outcome`, over both halves:
 * [thresholds][classes]. The caller frees it. NULL: out of memory. */
struct kws_curve_point *kws_search_curves(
	struct kws_search *search, const struct kws_outcome *outcome);

/* For each keyword the index of a threshold: the fewest errors within so many false alarms of all
 * together, then the fewest false alarms; of neighbours that do the same the one in the middle. A
 * budget that no thresholds keep is raised to the fewest false alarms that they can have.
 * `points` is [thresholds][keywords]. Errors: KWS_ENOMEM. Thread: any. */
int kws_search_choose(const struct kws_curve_point *points, size_t thresholds, size_t keywords,
	size_t budget, size_t *chosen);

/* How many false alarms `hours` may have under the wish, `most` or fewer. With a guarantee: the
 * largest count whose bound is within it, or 0 if there is none. Thread: any. */
size_t kws_search_budget(const struct kws_search_wish *wish, double hours, size_t most);

#endif
