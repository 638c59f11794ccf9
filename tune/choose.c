/* SPDX-License-Identifier: Apache-2.0 */
/* Which thresholds the keywords get. */
#include <stdlib.h>

#include "common/error.h"
#include "tune/poisson.h"
#include "tune/search.h"

#define NO_COST UINT64_MAX

/* Errors first, then false alarms. */
static uint64_t cost_of(const struct kws_tally_keyword *tally)
{
	uint64_t errors = tally->spoken - tally->found + tally->wrong;
	return errors << 32 | tally->false_alarms;
}

/* The best sum of costs for each budget once a further keyword has been given a threshold: a
 * knapsack with one item of each kind, solved exactly. */
struct table {
	const struct kws_curve_point *points;
	size_t thresholds;
	size_t keywords;
	size_t budget;
	uint64_t *costs; /* [budget + 1] */
	uint64_t *next;
	size_t *choices; /* [keywords][budget + 1] */
};

static const struct kws_tally_keyword *tally_at(
	const struct table *table, size_t threshold, size_t keyword)
{
	return &table->points[threshold * table->keywords + keyword].tally;
}

static void choose_for(struct table *table, size_t keyword)
{
	size_t *choices = table->choices + keyword * (table->budget + 1);
	for (size_t b = 0; b <= table->budget; b++) {
		table->next[b] = NO_COST;
		choices[b] = table->thresholds - 1;
		for (size_t t = 0; t < table->thresholds; t++) {
			const struct kws_tally_keyword *tally = tally_at(table, t, keyword);
			bool fits = tally->false_alarms <= b &&
				    table->costs[b - tally->false_alarms] != NO_COST;
			if (!fits) {
				continue;
			}
			uint64_t cost = table->costs[b - tally->false_alarms] + cost_of(tally);
			if (cost < table->next[b]) {
				table->next[b] = cost;
				choices[b] = t;
			}
		}
	}
	uint64_t *swap = table->costs;
	table->costs = table->next;
	table->next = swap;
}

/* The middle of the run of thresholds that do the same as `chosen`: far from where it changes. */
static size_t middle_of(const struct table *table, size_t keyword, size_t chosen)
{
	uint64_t cost = cost_of(tally_at(table, chosen, keyword));
	size_t low = chosen;
	size_t high = chosen;
	while (low > 0 && cost_of(tally_at(table, low - 1, keyword)) == cost) {
		low--;
	}
	while (high + 1 < table->thresholds &&
		cost_of(tally_at(table, high + 1, keyword)) == cost) {
		high++;
	}
	return (low + high) / 2;
}

/* The fewest false alarms that any thresholds have: a budget below that is none. */
static size_t least_alarms(const struct table *table)
{
	size_t sum = 0;
	for (size_t k = 0; k < table->keywords; k++) {
		size_t least = SIZE_MAX;
		for (size_t t = 0; t < table->thresholds; t++) {
			size_t here = tally_at(table, t, k)->false_alarms;
			least = here < least ? here : least;
		}
		sum += least;
	}
	return sum;
}

static void walk_back(const struct table *table, size_t *chosen)
{
	size_t left = table->budget;
	for (size_t k = table->keywords; k-- > 0;) {
		size_t choice = table->choices[k * (table->budget + 1) + left];
		left -= tally_at(table, choice, k)->false_alarms;
		chosen[k] = middle_of(table, k, choice);
	}
}

int kws_search_choose(const struct kws_curve_point *points, size_t thresholds, size_t keywords,
	size_t budget, size_t *chosen)
{
	struct table table = {.points = points, .thresholds = thresholds, .keywords = keywords};
	size_t least = least_alarms(&table);
	budget = budget > least ? budget : least;
	table.budget = budget;
	table.costs = calloc(budget + 1, sizeof(*table.costs));
	table.next = calloc(budget + 1, sizeof(*table.next));
	table.choices = calloc(keywords * (budget + 1) + 1, sizeof(*table.choices));
	int result = KWS_ENOMEM;
	if (table.costs != NULL && table.next != NULL && table.choices != NULL) {
		for (size_t k = 0; k < keywords; k++) {
			choose_for(&table, k);
		}
		walk_back(&table, chosen);
		result = 0;
	}
	free(table.costs);
	free(table.next);
	free(table.choices);
	return result;
}

size_t kws_search_budget(const struct kws_search_wish *wish, double hours, size_t most)
{
	double mean = wish->false_alarms_per_hour * hours;
	size_t budget = mean < (double)most ? (size_t)mean : most;
	if (!wish->guarantee) {
		return budget;
	}
	/* The bound of a count is within the mean where so few have at most the probability that
	 * is left; that rises with the count. */
	size_t kept = 0;
	while (kept < budget) {
		size_t count = budget - (budget - kept) / 2;
		if (kws_poisson_cdf(count, mean) <= 1.0 - KWS_SEARCH_CONFIDENCE) {
			kept = count;
		} else {
			budget = count - 1;
		}
	}
	return kept;
}
