/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/tune-report.h"

#include <assert.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

#include "cli/path.h"
#include "cli/terminal.h"
#include "common/json.h"
#include "dsp/mel.h"
#include "tune/guarantee.h"
#include "tune/plot.h"
#include "tune/poisson.h"

#define MEGA 1e6
#define DESCRIPTION_SIZE 256
#define HOP_MS 10
#define NAME_WIDTH 18

static_assert(KWS_PLOT_SERIES_MAX >= KWS_CONFIG_KEYWORDS_MAX, "every keyword has its curve");

static double percent(uint64_t part, uint64_t whole)
{
	return whole > 0 ? 100.0 * (double)part / (double)whole : 0.0;
}

static double miss_percent(const struct kws_tally_keyword *tally)
{
	return percent(tally->spoken - tally->found, tally->spoken);
}

static double hours_of(const struct kws_tune_report *report, const struct kws_tally *tally)
{
	return kws_tally_hours(tally, (size_t)report->config->model.hop_frames);
}

/* The half that figures are told of: the one that did not choose the settings, if there is one. */
static enum kws_half told_half(const struct kws_tune_report *report)
{
	bool checked = report->tuned[KWS_HALF_CHECK].hops > 0 ||
		       kws_tally_total(&report->tuned[KWS_HALF_CHECK]).spoken > 0;
	return checked ? KWS_HALF_CHECK : KWS_HALF_SEARCH;
}

static void print_data(const struct kws_tune_report *report)
{
	size_t clips = 0;
	size_t hops = 0;
	for (size_t i = 0; i < report->corpus->count; i++) {
		clips += !report->corpus->recordings[i].stream;
		hops += report->corpus->recordings[i].hop_count;
	}
	size_t hop_frames = (size_t)report->config->model.hop_frames;
	size_t hour_bytes =
		kws_recording_bytes_per_hour(kws_model_graph(report->model), hop_frames);
	double bytes = (double)hops * (double)hop_frames / 360000.0 * (double)hour_bytes;
	printf("model ");
	kws_terminal_text(stdout, kws_model_name(report->model));
	printf(", hops of %zu ms; %zu streams, %zu clips; %.1f MB of kept answers\n",
		hop_frames * HOP_MS, report->corpus->count - clips, clips, bytes / MEGA);
	for (int half = 0; half < KWS_HALVES; half++) {
		struct kws_tally_keyword total = kws_tally_total(&report->tuned[half]);
		printf("to %s: %.3g hours without keywords, %llu keywords\n",
			half == KWS_HALF_SEARCH ? "search on" : "check on ",
			hours_of(report, &report->tuned[half]), (unsigned long long)total.spoken);
	}
}

static void print_row(const struct kws_tune_report *report, const char *name,
	const struct kws_tally *tally, const char *settings)
{
	struct kws_tally_keyword total = kws_tally_total(tally);
	double hours = hours_of(report, tally);
	double operations = kws_tally_operations(tally);
	double full = report->full_operations[told_half(report)];
	printf("%-18s %7.2f %7.1f %6.2f", name, operations / MEGA,
		full > 0.0 ? 100.0 * operations / full : 0.0, kws_tally_mean_exit(tally));
	if (total.spoken > 0) {
		printf(" %7.2f %7.2f", miss_percent(&total), percent(total.wrong, total.spoken));
	} else {
		printf(" %7s %7s", "-", "-");
	}
	if (hours > 0.0) {
		printf(" %8.2f  %s\n", (double)total.false_alarms / hours, settings);
	} else {
		printf(" %8s  %s\n", "-", settings);
	}
}

static void print_policies(const struct kws_tune_report *report)
{
	enum kws_half half = told_half(report);
	printf("\n%-18s %7s %7s %6s %7s %7s %8s\n", "", "Mop/hop", "of full", "exit", "missed",
		"wrong", "alarms/h");
	print_row(report, "as configured", &report->as_given[half], "");
	print_row(report, "  new thresholds", &report->given_tuned.tallies[half],
		"the same exits, keyword thresholds as wanted");
	for (size_t i = 0; i < report->policy_count; i++) {
		const struct kws_policy_outcomes *policy = &report->policies[i];
		const struct kws_outcome *outcome = &policy->outcomes[policy->best];
		char settings[DESCRIPTION_SIZE];
		kws_candidate_describe(&outcome->candidate, settings, sizeof(settings));
		print_row(report, kws_config_policy_name(policy->policy), &outcome->tallies[half],
			settings);
	}
}

static void print_keyword(
	const struct kws_tune_report *report, const struct kws_tally *tally, size_t label)
{
	const struct kws_tally_keyword *keyword = &tally->keywords[label];
	double hours = hours_of(report, tally);
	const char *name = kws_model_label(report->model, label);
	kws_terminal_column(stdout, name, NAME_WIDTH);
	if (!kws_config_keyword(report->config, name).enabled) {
		printf(" %9s\n", "disabled");
		return;
	}
	printf(" %9g %7llu", report->best->thresholds[label], (unsigned long long)keyword->spoken);
	if (keyword->spoken > 0) {
		printf(" %7.2f", miss_percent(keyword));
	} else {
		printf(" %7s", "-");
	}
	if (hours > 0.0) {
		struct kws_poisson_interval interval =
			kws_poisson_interval(keyword->false_alarms, KWS_SEARCH_CONFIDENCE);
		printf(" %8.2f  %.2f to %.2f\n", (double)keyword->false_alarms / hours,
			interval.lower / hours, interval.upper / hours);
	} else {
		printf(" %8s\n", "-");
	}
}

static void print_keywords(const struct kws_tune_report *report)
{
	const struct kws_tally *tally = &report->tuned[told_half(report)];
	printf("\n%-18s %9s %7s %7s %8s  95 %% interval\n", "", "threshold", "spoken", "missed",
		"alarms/h");
	for (size_t c = 0; c < kws_model_label_count(report->model); c++) {
		if (kws_label_is_keyword(kws_model_label(report->model, c))) {
			print_keyword(report, tally, c);
		}
	}
}

/* The half to search on has some: without them there is no search. */
static void print_lack_of_keywords(const struct kws_tune_report *report)
{
	if (kws_tally_total(&report->tuned[told_half(report)]).spoken == 0) {
		printf("\nNo keyword is spoken in the half to check on: whether any are missed was "
		       "not checked.\n");
	}
}

static void print_guarantee(const struct kws_tune_report *report, uint64_t count, double hours)
{
	double wanted = report->wish.false_alarms_per_hour;
	struct kws_guarantee guarantee =
		kws_guarantee_of(count, hours, wanted, KWS_SEARCH_CONFIDENCE);
	if (guarantee.kept) {
		printf("At most %g false alarms per hour with 95 %% confidence, on audio like "
		       "this.\n",
			wanted);
	} else if (guarantee.hours_needed > 0.0) {
		printf("That is not enough to promise at most %g per hour with 95 %% confidence: "
		       "it would\ntake %.1f hours to check on, at the rate seen.\n",
			wanted, guarantee.hours_needed);
	} else {
		printf("That is not enough to promise at most %g per hour with 95 %% confidence: "
		       "at the rate\nseen, no number of hours worth recording would do.\n",
			wanted);
	}
}

static void print_alarms(const struct kws_tune_report *report)
{
	enum kws_half half = told_half(report);
	const struct kws_tally *tally = &report->tuned[half];
	double hours = hours_of(report, tally);
	uint64_t count = kws_tally_total(tally).false_alarms;
	if (hours <= 0.0) {
		printf("\nNo audio without keywords was given%s: nothing is known of false "
		       "alarms.\n",
			half == KWS_HALF_CHECK ? " to check on" : "");
		return;
	}
	struct kws_poisson_interval interval = kws_poisson_interval(count, KWS_SEARCH_CONFIDENCE);
	printf("\n%llu false alarms in %.3g hours: %.2f per hour (95 %% interval %.2f to %.2f).\n",
		(unsigned long long)count, hours, (double)count / hours, interval.lower / hours,
		interval.upper / hours);
	if (half == KWS_HALF_CHECK) {
		print_guarantee(report, count, hours);
	} else {
		printf("The settings were chosen by these very hours, so nothing can be promised "
		       "of others:\ngive audio to check on.\n");
	}
}

void kws_tune_report_print(const struct kws_tune_report *report)
{
	char settings[DESCRIPTION_SIZE];
	print_data(report);
	printf("\nFigures of the half %s.\n", told_half(report) == KWS_HALF_CHECK
						      ? "to check on, which chose nothing"
						      : "that the settings were chosen by");
	print_policies(report);
	kws_candidate_describe(&report->best->candidate, settings, sizeof(settings));
	printf("\nBest for penalty %g: %s%s%s%s\n", report->wish.penalty,
		kws_config_policy_name(report->best->candidate.policy),
		settings[0] != '\0' ? ", " : "", settings,
		report->best->candidate.as_given ? " (the exits as configured)" : "");
	print_keywords(report);
	print_lack_of_keywords(report);
	print_alarms(report);
}

static json_t *json_keyword(const struct kws_tally_keyword *tally, double hours)
{
	struct kws_poisson_interval interval =
		kws_poisson_interval(tally->false_alarms, KWS_SEARCH_CONFIDENCE);
	json_t *object = json_pack("{s:I, s:I, s:I, s:I}", "spoken", (json_int_t)tally->spoken,
		"found", (json_int_t)tally->found, "wrong", (json_int_t)tally->wrong,
		"false_alarms", (json_int_t)tally->false_alarms);
	if (tally->spoken > 0) {
		json_object_set_new(object, "miss_rate", json_real(miss_percent(tally) / 100.0));
	}
	if (hours > 0.0) {
		json_object_set_new(object, "false_alarms_per_hour",
			json_real((double)tally->false_alarms / hours));
		json_object_set_new(object, "interval",
			json_pack("[f, f]", interval.lower / hours, interval.upper / hours));
	}
	return object;
}

static json_t *json_tally(const struct kws_tune_report *report, const struct kws_tally *tally)
{
	struct kws_tally_keyword total = kws_tally_total(tally);
	double hops = tally->hops > 0 ? (double)tally->hops : 1.0;
	double hours = hours_of(report, tally);
	json_t *object = json_keyword(&total, hours);
	json_t *keywords = json_object();
	json_object_set_new(object, "hours", json_real(hours));
	json_object_set_new(object, "hops", json_integer((json_int_t)tally->hops));
	json_object_set_new(object, "mean_exit", json_real(kws_tally_mean_exit(tally)));
	json_object_set_new(object, "operations_per_hop", json_real(kws_tally_operations(tally)));
	json_object_set_new(object, "binary_macs_per_hop",
		json_real((double)tally->computed.binary_macs / hops));
	json_object_set_new(
		object, "float_macs_per_hop", json_real((double)tally->computed.float_macs / hops));
	json_object_set_new(object, "window_accuracy", json_real(kws_tally_accuracy(tally)));
	for (size_t c = 0; c < kws_model_label_count(report->model); c++) {
		const char *label = kws_model_label(report->model, c);
		if (kws_label_is_keyword(label)) {
			json_object_set_new(
				keywords, label, json_keyword(&tally->keywords[c], hours));
		}
	}
	json_object_set_new(object, "keywords", keywords);
	return object;
}

static json_t *json_halves(
	const struct kws_tune_report *report, const struct kws_tally tallies[KWS_HALVES])
{
	return json_pack("{s:o, s:o}", "search", json_tally(report, &tallies[KWS_HALF_SEARCH]),
		"check", json_tally(report, &tallies[KWS_HALF_CHECK]));
}

static json_t *json_outcome(const struct kws_tune_report *report, const struct kws_outcome *outcome)
{
	char settings[DESCRIPTION_SIZE];
	json_t *thresholds = json_object();
	json_t *object = json_halves(report, outcome->tallies);
	kws_candidate_describe(&outcome->candidate, settings, sizeof(settings));
	for (size_t c = 0; c < kws_model_label_count(report->model); c++) {
		const char *label = kws_model_label(report->model, c);
		if (kws_label_is_keyword(label)) {
			json_object_set_new(thresholds, label, json_real(outcome->thresholds[c]));
		}
	}
	json_object_set_new(
		object, "policy", json_string(kws_config_policy_name(outcome->candidate.policy)));
	json_object_set_new(object, "settings", json_string(settings));
	json_object_set_new(object, "score", json_real(outcome->score));
	json_object_set_new(object, "thresholds", thresholds);
	return object;
}

static json_t *json_policies(const struct kws_tune_report *report)
{
	json_t *list = json_array();
	for (size_t i = 0; i < report->policy_count; i++) {
		const struct kws_policy_outcomes *policy = &report->policies[i];
		json_t *outcomes = json_array();
		for (size_t k = 0; k < policy->count; k++) {
			json_array_append_new(outcomes, json_outcome(report, &policy->outcomes[k]));
		}
		json_array_append_new(list,
			json_pack("{s:s, s:i, s:i, s:o}", "policy",
				kws_config_policy_name(policy->policy), "tried", (int)policy->tried,
				"best", (int)policy->best, "outcomes", outcomes));
	}
	return list;
}

static json_t *json_guarantee(const struct kws_tune_report *report)
{
	const struct kws_tally *tally = &report->tuned[KWS_HALF_CHECK];
	double hours = hours_of(report, tally);
	if (hours <= 0.0) {
		return json_null();
	}
	struct kws_guarantee guarantee = kws_guarantee_of(kws_tally_total(tally).false_alarms,
		hours, report->wish.false_alarms_per_hour, KWS_SEARCH_CONFIDENCE);
	return json_pack("{s:f, s:b, s:f, s:f}", "bound", guarantee.bound, "kept", guarantee.kept,
		"hours_needed", guarantee.hours_needed, "confidence", KWS_SEARCH_CONFIDENCE);
}

bool kws_tune_report_print_json(const struct kws_tune_report *report)
{
	size_t lacks = kws_json_lacks();
	json_t *object = json_pack(
		"{s:s, s:i, s:f, s:f, s:{s:f, s:f}, s:o, s:o, s:o, s:o, s:o, s:o, s:O}", "model",
		kws_model_name(report->model), "hop_frames", report->config->model.hop_frames,
		"wanted_false_alarms_per_hour", report->wish.false_alarms_per_hour, "penalty",
		report->wish.penalty, "full_operations_per_hop", "search",
		report->full_operations[KWS_HALF_SEARCH], "check",
		report->full_operations[KWS_HALF_CHECK], "as_configured",
		json_halves(report, report->as_given), "as_configured_tuned",
		json_outcome(report, &report->given_tuned), "policies", json_policies(report),
		"best", json_outcome(report, report->best), "tuned",
		json_halves(report, report->tuned), "guarantee", json_guarantee(report),
		"detections", report->detections);
	bool whole = object != NULL && kws_json_lacks() == lacks;
	char *text = whole ? kws_json_dump(object, JSON_REAL_PRECISION(9)) : NULL;
	if (text != NULL) {
		puts(text);
	}
	json_decref(object);
	bool good = text != NULL;
	free(text);
	return good;
}

/* Takes its points from the curves: miss rate against false alarms of one keyword. */
static void fill_keyword(const struct kws_tune_report *report, size_t label, double hours,
	struct kws_plot_point *points)
{
	size_t thresholds;
	size_t classes = kws_model_label_count(report->model);
	kws_search_thresholds(&thresholds);
	for (size_t t = 0; t < thresholds; t++) {
		const struct kws_tally_keyword *tally = &report->curves[t * classes + label].tally;
		points[t].x = hours > 0.0 ? (double)tally->false_alarms / hours : 0.0;
		points[t].y = miss_percent(tally);
	}
}

static void plot_path(char path[PATH_MAX], const char *prefix, const char *what)
{
	snprintf(path, PATH_MAX, "%s-%s.svg", prefix, what);
}

bool kws_tune_report_can_draw(const char *prefix)
{
	char keywords[PATH_MAX];
	char policies[PATH_MAX];
	plot_path(keywords, prefix, "keywords");
	plot_path(policies, prefix, "policies");
	return kws_cli_path_is_writable(keywords) && kws_cli_path_is_writable(policies);
}

static bool write_plot(const struct kws_plot *plot, const char *prefix, const char *what)
{
	char path[PATH_MAX];
	struct kws_error error;
	plot_path(path, prefix, what);
	if (kws_plot_write(plot, path, &error) != 0) {
		fprintf(stderr, "kws: %s: %s\n", path, error.text);
		return false;
	}
	return true;
}

static bool draw_keywords(const struct kws_tune_report *report, const char *prefix)
{
	struct kws_plot plot = {
		.title = "Each keyword, over its threshold (all data)",
		.x_title = "false alarms per hour",
		.y_title = "missed, %",
		.x_logarithmic = true,
	};
	size_t thresholds;
	size_t classes = kws_model_label_count(report->model);
	kws_search_thresholds(&thresholds);
	double hours = hours_of(report, &report->tuned[KWS_HALF_SEARCH]) +
		       hours_of(report, &report->tuned[KWS_HALF_CHECK]);
	struct kws_plot_point *points = calloc(classes * thresholds, sizeof(*points));
	if (points == NULL) {
		return false;
	}
	for (size_t c = 0; c < classes; c++) {
		if (report->curves[c].tally.spoken == 0) {
			continue;
		}
		struct kws_plot_point *of_keyword = points + c * thresholds;
		fill_keyword(report, c, hours, of_keyword);
		plot.series[plot.series_count++] = (struct kws_plot_series){
			kws_model_label(report->model, c), of_keyword, thresholds};
	}
	bool good = write_plot(&plot, prefix, "keywords");
	free(points);
	return good;
}

/* Of half `half`, in which keywords are spoken. */
static void fill_policy(
	const struct kws_policy_outcomes *policy, enum kws_half half, struct kws_plot_point *points)
{
	for (size_t i = 0; i < policy->count; i++) {
		const struct kws_tally *tally = &policy->outcomes[i].tallies[half];
		struct kws_tally_keyword total = kws_tally_total(tally);
		points[i].x = kws_tally_operations(tally) / MEGA;
		points[i].y = percent(total.found, total.spoken);
	}
}

static bool draw_policies(const struct kws_tune_report *report, const char *prefix)
{
	enum kws_half half = told_half(report);
	bool spoken = kws_tally_total(&report->tuned[half]).spoken > 0;
	struct kws_plot plot = {
		.title = spoken ? "Each policy at the wanted false alarms"
				: "No keyword is spoken in the half to check on",
		.x_title = "operations per hop, million",
		.y_title = "keywords found, %",
		.y_cut = true,
		.dots = true,
	};
	size_t policies = spoken ? report->policy_count : 0;
	size_t count = 0;
	for (size_t i = 0; i < policies; i++) {
		count += report->policies[i].count;
	}
	struct kws_plot_point *points = calloc(count + 1, sizeof(*points));
	struct kws_plot_point *next = points;
	for (size_t i = 0; points != NULL && i < policies; i++) {
		const struct kws_policy_outcomes *policy = &report->policies[i];
		fill_policy(policy, half, next);
		plot.series[plot.series_count++] = (struct kws_plot_series){
			kws_config_policy_name(policy->policy), next, policy->count};
		next += policy->count;
	}
	bool good = points != NULL && write_plot(&plot, prefix, "policies");
	free(points);
	return good;
}

bool kws_tune_report_draw(const struct kws_tune_report *report, const char *prefix)
{
	return draw_keywords(report, prefix) && draw_policies(report, prefix);
}
