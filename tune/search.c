/* SPDX-License-Identifier: Apache-2.0 */
#include "tune/search.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "bnn/keyword-defaults.h"
#include "pipeline/resolve.h"

#define MEASURED_MAX 8 /* candidates of a grid that are measured in full */
#define DISTANCES 8
#define DISTANCE_LAG_S 0.2 /* over which the answers of exit 1 are compared for their scale */

static const double threshold_grid[] = {0.2, 0.3, 0.4, 0.5, 0.6, 0.65, 0.7, 0.75, 0.8, 0.85, 0.9,
	0.925, 0.95, 0.965, 0.98, 0.99, 0.995, 0.998, 0.999, 1.0};
#define THRESHOLDS (sizeof(threshold_grid) / sizeof(threshold_grid[0]))

struct kws_search {
	const struct kws_model *model;
	const struct kws_corpus *corpus;
	const struct kws_config *config;
	struct kws_search_wish wish;
	struct kws_replay *replay;
	struct kws_config *trial; /* the configuration that is being tried */
	double distances[DISTANCES];
	double full_operations[KWS_HALVES];
	struct kws_curve_point *points; /* [THRESHOLDS][classes] */
};

/* A candidate as its windows were answered. */
struct seen {
	const struct kws_candidate *candidate;
	double accuracy;
	double operations;
};

const double *kws_search_thresholds(size_t *count)
{
	*count = THRESHOLDS;
	return threshold_grid;
}

static int compare_doubles(const void *a, const void *b)
{
	const double *left = a;
	const double *right = b;
	return (*left > *right) - (*left < *right);
}

static double change_between(const float *a, const float *b, size_t classes)
{
	double sum = 0.0;
	for (size_t i = 0; i < classes; i++) {
		sum += ((double)a[i] - (double)b[i]) * ((double)a[i] - (double)b[i]);
	}
	return sqrt(sum);
}

/* How far the first exit's logits move in DISTANCE_LAG_S, in every hop to search on. */
static size_t list_changes(const struct kws_search *search, double *changes)
{
	const struct kws_graph *graph = kws_model_graph(search->model);
	size_t lag = (size_t)(DISTANCE_LAG_S * 100.0) / (size_t)search->config->model.hop_frames;
	size_t stride = graph->exit_count * graph->classes;
	size_t count = 0;
	lag = lag > 0 ? lag : 1;
	for (size_t r = 0; r < search->corpus->count; r++) {
		const struct kws_recording *recording = &search->corpus->recordings[r];
		for (size_t i = lag; i < recording->hop_count &&
				     recording->hops[i].sample < recording->check_begin;
			i++) {
			changes[count++] = change_between(recording->logits + i * stride,
				recording->logits + (i - lag) * stride, graph->classes);
		}
	}
	return count;
}

/* The distances to try: what is exceeded by nine tenths to a hundredth of these changes, with two
 * digits, since they are written into a file that people read. */
static int scale_distances(struct kws_search *search)
{
	static const double quantiles[DISTANCES] = {0.1, 0.25, 0.4, 0.55, 0.7, 0.85, 0.95, 0.99};
	size_t hops = 0;
	for (size_t r = 0; r < search->corpus->count; r++) {
		hops += search->corpus->recordings[r].hop_count;
	}
	double *changes = calloc(hops + 1, sizeof(*changes));
	if (changes == NULL) {
		return KWS_ENOMEM;
	}
	size_t count = list_changes(search, changes);
	qsort(changes, count, sizeof(*changes), compare_doubles);
	for (size_t i = 0; i < DISTANCES; i++) {
		double change =
			count > 0 ? changes[(size_t)(quantiles[i] * (double)(count - 1))] : 0.0;
		double unit = change > 0.0 ? pow(10.0, floor(log10(change)) - 1.0) : 1.0;
		search->distances[i] = round(change / unit) * unit;
	}
	free(changes);
	return 0;
}

static int allocate(struct kws_search *search)
{
	size_t classes = kws_model_label_count(search->model);
	search->trial = malloc(sizeof(*search->trial));
	search->points = calloc(THRESHOLDS * classes, sizeof(*search->points));
	if (search->trial == NULL || search->points == NULL) {
		return KWS_ENOMEM;
	}
	*search->trial = *search->config;
	return scale_distances(search);
}

static int measure_full_operations(struct kws_search *search)
{
	/* "never" for the entropy: every hop goes to the last exit */
	struct kws_candidate never = {.policy = KWS_CONFIG_POLICY_ENTROPY, .thresholds.count = 1};
	struct kws_tally *tallies = calloc(KWS_HALVES, sizeof(*tallies));
	if (tallies == NULL) {
		return KWS_ENOMEM;
	}
	kws_candidate_apply(&never, search->trial);
	kws_replay_configure(search->replay, search->trial);
	kws_replay_decide(search->replay, false, tallies);
	for (int half = 0; half < KWS_HALVES; half++) {
		search->full_operations[half] = kws_tally_operations(&tallies[half]);
	}
	free(tallies);
	return 0;
}

int kws_search_add_keywords(
	const struct kws_model *model, struct kws_config *config, struct kws_error *error)
{
	for (size_t c = 0; c < kws_model_label_count(model); c++) {
		const char *label = kws_model_label(model, c);
		if (kws_label_is_keyword(label) && kws_config_add_keyword(config, label) == NULL) {
			return kws_fail(error, KWS_EUNSUPPORTED,
				"the model has more keywords than a configuration has room for, %d",
				KWS_CONFIG_KEYWORDS_MAX);
		}
	}
	return 0;
}

int kws_search_check(
	const struct kws_model *model, const struct kws_config *config, struct kws_error *error)
{
	struct kws_config *copy = malloc(sizeof(*copy));
	if (copy == NULL) {
		return kws_fail(error, KWS_ENOMEM, "out of memory");
	}
	*copy = *config;
	int result = kws_search_add_keywords(model, copy, error);
	kws_config_destroy(copy);
	return result;
}

int kws_search_create(struct kws_search **out, const struct kws_model *model,
	const struct kws_corpus *corpus, const struct kws_config *config,
	const struct kws_search_wish *wish, struct kws_error *error)
{
	int result = kws_search_check(model, config, error);
	struct kws_search *search = result == 0 ? calloc(1, sizeof(*search)) : NULL;
	if (search == NULL) {
		return result != 0 ? result : kws_fail(error, KWS_ENOMEM, "out of memory");
	}
	search->model = model;
	search->corpus = corpus;
	search->config = config;
	search->wish = *wish;
	result = allocate(search);
	if (result == 0) {
		result = kws_replay_create(&search->replay, model, corpus, config, error);
	} else {
		kws_fail(error, result, "%s", kws_strerror(result));
	}
	if (result == 0 && measure_full_operations(search) != 0) {
		result = kws_fail(error, KWS_ENOMEM, "out of memory");
	}
	if (result != 0) {
		kws_search_destroy(search);
		return result;
	}
	*out = search;
	return 0;
}

void kws_search_destroy(struct kws_search *search)
{
	if (search == NULL) {
		return;
	}
	kws_replay_destroy(search->replay);
	free(search->trial);
	free(search->points);
	free(search);
}

double kws_search_full_operations(const struct kws_search *search, enum kws_half half)
{
	return search->full_operations[half];
}

static void try(struct kws_search *search, const struct kws_candidate *candidate)
{
	*search->trial = *search->config;
	kws_candidate_apply(candidate, search->trial);
	kws_replay_configure(search->replay, search->trial);
}

/* Difference Detection and Temporal Patience do not hold what may become a detection. */
static bool looks_at_keyword_thresholds(enum kws_config_policy policy)
{
	return policy == KWS_CONFIG_POLICY_DIFFERENCE ||
	       policy == KWS_CONFIG_POLICY_TEMPORAL_PATIENCE;
}

/* Fills points with what every keyword does at every threshold, in the halves wanted. */
static void sweep(struct kws_search *search, const struct kws_candidate *candidate,
	bool search_only, struct kws_tally tallies[KWS_HALVES])
{
	size_t classes = kws_model_label_count(search->model);
	try(search, candidate);
	for (size_t t = 0; t < THRESHOLDS; t++) {
		memset(tallies, 0, KWS_HALVES * sizeof(*tallies));
		kws_config_set_thresholds(search->trial, threshold_grid[t]);
		kws_replay_configure(search->replay, search->trial);
		if (t == 0 || looks_at_keyword_thresholds(candidate->policy)) {
			kws_replay_decide(search->replay, search_only, tallies);
		}
		kws_replay_detect(search->replay, tallies, NULL, NULL);
		for (size_t c = 0; c < classes; c++) {
			struct kws_curve_point *point = &search->points[t * classes + c];
			point->threshold = threshold_grid[t];
			point->tally = tallies[KWS_HALF_SEARCH].keywords[c];
			const struct kws_tally_keyword *other =
				&tallies[KWS_HALF_CHECK].keywords[c];
			if (!search_only) {
				point->tally.spoken += other->spoken;
				point->tally.found += other->found;
				point->tally.wrong += other->wrong;
				point->tally.false_alarms += other->false_alarms;
			}
		}
	}
}

/* More than all false alarms together need not be counted with. */
static size_t budget_of(const struct kws_search *search, double hours)
{
	size_t classes = kws_model_label_count(search->model);
	size_t most = 0;
	for (size_t c = 0; c < classes; c++) {
		size_t of_keyword = 0;
		for (size_t t = 0; t < THRESHOLDS; t++) {
			size_t here = search->points[t * classes + c].tally.false_alarms;
			of_keyword = here > of_keyword ? here : of_keyword;
		}
		most += of_keyword;
	}
	return kws_search_budget(&search->wish, hours, most);
}

/* A section for each keyword, for which kws_search_check() found room. */
static void set_thresholds(const struct kws_search *search, const struct kws_outcome *outcome,
	struct kws_config *config)
{
	for (size_t c = 0; c < kws_model_label_count(search->model); c++) {
		const char *label = kws_model_label(search->model, c);
		if (kws_label_is_keyword(label)) {
			kws_config_add_keyword(config, label)->threshold = outcome->thresholds[c];
		}
	}
}

static double score_of(const struct kws_search *search, const struct kws_tally *tally)
{
	struct kws_tally_keyword total = kws_tally_total(tally);
	double found = total.spoken > 0 ? (double)total.found / (double)total.spoken : 0.0;
	double full = search->full_operations[KWS_HALF_SEARCH];
	double cost = full > 0.0 ? kws_tally_operations(tally) / full : 0.0;
	return 100.0 * found - search->wish.penalty * 100.0 * cost;
}

/* What nobody spoke keeps its threshold, unless the chosen one has fewer false alarms or nothing is
 * known of one so low. */
static double final_threshold(const struct kws_search *search, size_t label, size_t chosen)
{
	size_t classes = kws_model_label_count(search->model);
	const struct kws_curve_point *points = search->points + label;
	double given = kws_resolve_threshold(search->model, search->config, label);
	size_t nearest = 0; /* of those that are not stricter */
	while (nearest + 1 < THRESHOLDS && threshold_grid[nearest + 1] <= given) {
		nearest++;
	}
	bool spoken = points->tally.spoken > 0;
	bool quiet = threshold_grid[nearest] <= given &&
		     points[nearest * classes].tally.false_alarms <=
			     points[chosen * classes].tally.false_alarms;
	return !spoken && quiet ? given : threshold_grid[chosen];
}

static int measure(struct kws_search *search, const struct kws_candidate *candidate,
	struct kws_outcome *outcome)
{
	size_t classes = kws_model_label_count(search->model);
	size_t chosen[KWS_CLASSES_MAX];
	memset(outcome, 0, sizeof(*outcome));
	outcome->candidate = *candidate;
	/* hours do not depend on the settings: any run has them */
	try(search, candidate);
	kws_replay_decide(search->replay, true, outcome->tallies);
	double hours = kws_tally_hours(
		&outcome->tallies[KWS_HALF_SEARCH], (size_t)search->config->model.hop_frames);
	sweep(search, candidate, true, outcome->tallies);
	int result = kws_search_choose(
		search->points, THRESHOLDS, classes, budget_of(search, hours), chosen);
	if (result != 0) {
		return result;
	}
	for (size_t c = 0; c < classes; c++) {
		outcome->thresholds[c] = final_threshold(search, c, chosen[c]);
	}
	memset(outcome->tallies, 0, sizeof(outcome->tallies));
	try(search, candidate);
	set_thresholds(search, outcome, search->trial);
	kws_replay_configure(search->replay, search->trial);
	kws_replay_decide(search->replay, false, outcome->tallies);
	kws_replay_detect(search->replay, outcome->tallies, NULL, NULL);
	outcome->score = score_of(search, &outcome->tallies[KWS_HALF_SEARCH]);
	return 0;
}

int kws_search_given(struct kws_search *search, struct kws_outcome *outcome)
{
	struct kws_candidate candidate = kws_candidate_of(search->config);
	return measure(search, &candidate, outcome);
}

static int compare_seen(const void *a, const void *b)
{
	const struct seen *left = a;
	const struct seen *right = b;
	if (left->operations != right->operations) {
		return left->operations < right->operations ? -1 : 1;
	}
	return (left->accuracy < right->accuracy) - (left->accuracy > right->accuracy);
}

/* Keeps those that no cheaper one equals, then of these at most MEASURED_MAX, spread evenly with
 * both ends. Returns how many. */
static size_t keep_front(struct seen *seen, size_t count)
{
	size_t kept = 0;
	qsort(seen, count, sizeof(*seen), compare_seen);
	for (size_t i = 0; i < count; i++) {
		if (kept == 0 || seen[i].accuracy > seen[kept - 1].accuracy) {
			seen[kept++] = seen[i];
		}
	}
	if (kept <= MEASURED_MAX) {
		return kept;
	}
	for (size_t i = 0; i < MEASURED_MAX; i++) {
		seen[i] = seen[i * (kept - 1) / (MEASURED_MAX - 1)];
	}
	return MEASURED_MAX;
}

static void see(struct kws_search *search, const struct kws_candidate *candidate,
	struct kws_tally tallies[KWS_HALVES], struct seen *seen)
{
	memset(tallies, 0, KWS_HALVES * sizeof(*tallies));
	try(search, candidate);
	kws_replay_decide(search->replay, true, tallies);
	*seen = (struct seen){candidate, kws_tally_accuracy(&tallies[KWS_HALF_SEARCH]),
		kws_tally_operations(&tallies[KWS_HALF_SEARCH])};
}

static int measure_front(struct kws_search *search, const struct seen *seen, size_t count,
	struct kws_policy_outcomes *out)
{
	void *grown = realloc(out->outcomes, (out->count + count) * sizeof(*out->outcomes));
	int result = grown != NULL ? 0 : KWS_ENOMEM;
	out->outcomes = grown != NULL ? grown : out->outcomes;
	for (size_t i = 0; i < count && result == 0; i++) {
		struct kws_outcome *outcome = &out->outcomes[out->count];
		result = measure(search, seen[i].candidate, outcome);
		if (result == 0 && outcome->score > out->outcomes[out->best].score) {
			out->best = out->count;
		}
		out->count += result == 0;
	}
	return result;
}

/* Those of a grid that the model can do; a rule that could never fire, for instance, is left out.
 */
static size_t keep_possible(
	struct kws_search *search, struct kws_candidate *candidates, size_t count)
{
	size_t kept = 0;
	for (size_t i = 0; i < count; i++) {
		struct kws_policy_settings settings;
		*search->trial = *search->config;
		kws_candidate_apply(&candidates[i], search->trial);
		if (kws_resolve_policy(&settings, search->model, search->trial, NULL) == 0) {
			candidates[kept++] = candidates[i];
		}
	}
	return kept;
}

static int search_grid(struct kws_search *search, const struct kws_candidate *candidates,
	size_t count, struct kws_policy_outcomes *out)
{
	struct seen *seen = calloc(count + 1, sizeof(*seen));
	struct kws_tally *tallies = calloc(KWS_HALVES, sizeof(*tallies));
	int result = KWS_ENOMEM;
	if (seen != NULL && tallies != NULL) {
		for (size_t i = 0; i < count; i++) {
			see(search, &candidates[i], tallies, &seen[i]);
		}
		out->tried += count;
		result = measure_front(search, seen, keep_front(seen, count), out);
	}
	free(seen);
	free(tallies);
	return result;
}

/* What leaves early then costs no keyword, so another front is the best. */
static bool confirm_by(struct kws_candidate *candidates, size_t count, size_t exit)
{
	bool possible = exit > 1;
	for (size_t i = 0; i < count; i++) {
		possible = kws_candidate_confirm(&candidates[i], exit) && possible;
	}
	return possible;
}

/* Without confirmation, by the middle exit, by the last one. */
static int search_grids(struct kws_search *search, struct kws_candidate *candidates, size_t count,
	struct kws_policy_outcomes *out)
{
	size_t last = kws_model_graph(search->model)->exit_count;
	size_t middle = (last + 1) / 2;
	int result = search_grid(search, candidates, count, out);
	if (result == 0 && middle < last && confirm_by(candidates, count, middle)) {
		result = search_grid(search, candidates, count, out);
	}
	if (result == 0 && confirm_by(candidates, count, last)) {
		result = search_grid(search, candidates, count, out);
	}
	return result;
}

int kws_search_policy(
	struct kws_search *search, enum kws_config_policy policy, struct kws_policy_outcomes *out)
{
	const struct kws_candidate_space space = {
		.exits = kws_model_graph(search->model)->exit_count,
		.distances = search->distances,
		.distance_count = DISTANCES,
	};
	struct kws_candidate *candidates;
	size_t count;
	memset(out, 0, sizeof(*out));
	out->policy = policy;
	int result = kws_candidate_grid(policy, &space, &candidates, &count);
	if (result != 0) {
		return result;
	}
	count = keep_possible(search, candidates, count);
	result = count > 0 ? search_grids(search, candidates, count, out) : KWS_EUNSUPPORTED;
	free(candidates);
	if (result != 0) {
		kws_policy_outcomes_finish(out);
	}
	return result;
}

void kws_policy_outcomes_finish(struct kws_policy_outcomes *outcomes)
{
	free(outcomes->outcomes);
	memset(outcomes, 0, sizeof(*outcomes));
}

void kws_search_as_given(struct kws_search *search, struct kws_tally tallies[KWS_HALVES])
{
	memset(tallies, 0, KWS_HALVES * sizeof(*tallies));
	kws_replay_configure(search->replay, search->config);
	kws_replay_decide(search->replay, false, tallies);
	kws_replay_detect(search->replay, tallies, NULL, NULL);
}

struct kws_config *kws_search_config(
	const struct kws_search *search, const struct kws_outcome *outcome)
{
	struct kws_config *config = malloc(sizeof(*config));
	if (config != NULL) {
		*config = *search->config;
		kws_candidate_apply(&outcome->candidate, config);
		set_thresholds(search, outcome, config);
	}
	return config;
}

struct kws_curve_point *kws_search_curves(
	struct kws_search *search, const struct kws_outcome *outcome)
{
	size_t count = THRESHOLDS * kws_model_label_count(search->model);
	struct kws_tally *tallies = calloc(KWS_HALVES, sizeof(*tallies));
	struct kws_curve_point *points = calloc(count, sizeof(*points));
	if (tallies != NULL && points != NULL) {
		sweep(search, &outcome->candidate, false, tallies);
		memcpy(points, search->points, count * sizeof(*points));
	} else {
		free(points);
		points = NULL;
	}
	free(tallies);
	return points;
}
