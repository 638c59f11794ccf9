/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KWS_CLI_TUNE_REPORT_H
#define KWS_CLI_TUNE_REPORT_H

#include <jansson.h>
#include <stdbool.h>

#include "bnn/model.h"
#include "config/config.h"
#include "tune/corpus.h"
#include "tune/search.h"

/* Everything that `kws tune` found out. */
struct kws_tune_report {
	const struct kws_model *model;
	const struct kws_config *config; /* as it was given */
	const struct kws_corpus *corpus;
	struct kws_search_wish wish;
	double full_operations[KWS_HALVES]; /* of a hop that goes to the last exit */
	struct kws_tally as_given[KWS_HALVES];
	struct kws_outcome given_tuned; /* the same exits with new thresholds of keywords */
	struct kws_policy_outcomes *policies;
	size_t policy_count;
	const struct kws_outcome *best;     /* one of theirs */
	struct kws_tally tuned[KWS_HALVES]; /* with the configuration as it is written */
	json_t *detections;                 /* likewise: file, name, sample, score of each */
	struct kws_curve_point *curves;     /* see kws_search_curves(), of the best */
};

/* Tables for a person, on the standard output. */
void kws_tune_report_print(const struct kws_tune_report *report);

/* All of it as one JSON object, on the standard output. False: out of memory. */
bool kws_tune_report_print_json(const struct kws_tune_report *report);

/* Whether kws_tune_report_draw() could write its files. Complains on the standard error. */
bool kws_tune_report_can_draw(const char *prefix);

/* Writes PREFIX-keywords.svg and PREFIX-policies.svg. Complains on the standard error. */
bool kws_tune_report_draw(const struct kws_tune_report *report, const char *prefix);

#endif
