/* SPDX-License-Identifier: Apache-2.0 */
/* What `kws tune` stands on: tables, the truth about a recording, the choice of thresholds, the
 * grids, the configuration that is written. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/scratch.h"
#include "tune/fragment.h"
#include "tune/plot.h"
#include "tune/poisson.h"
#include "tune/search.h"
#include "tune/table.h"
#include "tune/truth.h"

#define SECOND 16000u
#define YES 0
#define NO 1

static const struct kws_table_column columns[] = {
	{"file|path", 1},
	{"label|word", 1},
	{"split", 0},
};

static int read_table(struct kws_table *table, const char *text, struct kws_error *error)
{
	char folder[SCRATCH_BYTES];
	char path[SCRATCH_BYTES + 8];
	assert_int_equal(scratch_create(folder), 0);
	snprintf(path, sizeof(path), "%s/t.tsv", folder);
	FILE *file = fopen(path, "w");
	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
	int result = kws_table_read(table, path, columns, 3, error);
	scratch_remove(folder);
	return result;
}

static void table_without_a_heading(void **state)
{
	(void)state;
	struct kws_table table;
	struct kws_error error;
	assert_int_equal(
		read_table(&table, "# words\n\na b.wav\tyes\r\nc.wav,no,val\n", &error), 0);
	assert_int_equal(table.count, 2);
	assert_string_equal(table.rows[0].cells[0], "a b.wav");
	assert_string_equal(table.rows[0].cells[1], "yes");
	assert_null(table.rows[0].cells[2]);
	assert_int_equal(table.rows[1].line, 4);
	assert_string_equal(table.rows[1].cells[2], "val");
	kws_table_finish(&table);
}

static void table_with_a_heading_in_any_order(void **state)
{
	(void)state;
	struct kws_table table;
	struct kws_error error;
	assert_int_equal(read_table(&table, "Word\tspeaker\tPath\nyes\tann\ta.wav\n", &error), 0);
	assert_int_equal(table.count, 1);
	assert_string_equal(table.rows[0].cells[0], "a.wav");
	assert_string_equal(table.rows[0].cells[1], "yes");
	assert_null(table.rows[0].cells[2]);
	kws_table_finish(&table);
}

/* As spreadsheets save UTF-8. */
static void table_with_a_byte_order_mark(void **state)
{
	(void)state;
	struct kws_table table;
	struct kws_error error;
	assert_int_equal(read_table(&table, "\357\273\277file,label\r\na.wav,yes\r\n", &error), 0);
	assert_int_equal(table.count, 1);
	assert_string_equal(table.rows[0].cells[0], "a.wav");
	kws_table_finish(&table);
	assert_int_equal(read_table(&table, "\357\273\277a.wav,yes\n", &error), 0);
	assert_string_equal(table.rows[0].cells[0], "a.wav");
	kws_table_finish(&table);
}

static void table_that_misses_a_cell(void **state)
{
	(void)state;
	struct kws_table table;
	struct kws_error error;
	assert_int_equal(read_table(&table, "a.wav\tyes\nb.wav\n", &error), KWS_EFORMAT);
	assert_string_equal(error.text, "line 2: there is no label");
	assert_int_equal(read_table(&table, "path\tsplit\na.wav\tval\n", &error), KWS_EFORMAT);
	assert_string_equal(error.text, "line 2: there is no label");
	assert_int_equal(kws_table_read(&table, "/nothing/here", columns, 3, &error), KWS_ENOENT);
}

/* "yes" from 2 s to 2.5 s, "no" from 3 s to 3.4 s, another word from 8 s to 8.5 s; checked on from
 * 3 s. */
static struct kws_recording make_recording(void)
{
	static const struct kws_spoken spoken[] = {
		{YES, 2 * SECOND, 5 * SECOND / 2},
		{NO, 3 * SECOND, 34 * SECOND / 10},
		{KWS_SPOKEN_OTHER, 8 * SECOND, 17 * SECOND / 2},
	};
	struct kws_recording recording = {.check_begin = 3 * SECOND};
	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(kws_recording_add_spoken(&recording, &spoken[i]), 0);
	}
	return recording;
}

static void verdicts(void **state)
{
	(void)state;
	struct kws_recording recording = make_recording();
	bool found[3] = {false};
	size_t spoken = 9;
#define JUDGE(label, sample) kws_truth_judge(&recording, found, label, sample, &spoken)
	assert_int_equal(JUDGE(YES, 2 * SECOND - 1), KWS_VERDICT_FALSE_ALARM);
	assert_int_equal(JUDGE(NO, 2 * SECOND), KWS_VERDICT_WRONG);
	assert_int_equal(JUDGE(YES, 3 * SECOND), KWS_VERDICT_FOUND); /* late, while "no" begins */
	assert_int_equal(spoken, 0);
	assert_int_equal(JUDGE(YES, 3 * SECOND + 1), KWS_VERDICT_WRONG); /* once again */
	assert_int_equal(JUDGE(NO, 44 * SECOND / 10), KWS_VERDICT_FOUND);
	assert_int_equal(spoken, 1);
	assert_int_equal(JUDGE(NO, 44 * SECOND / 10 + 1), KWS_VERDICT_FALSE_ALARM);
	assert_int_equal(JUDGE(YES, 9 * SECOND), KWS_VERDICT_WRONG); /* another word */
	assert_int_equal(JUDGE(YES, 12 * SECOND), KWS_VERDICT_FALSE_ALARM);
#undef JUDGE
	assert_true(kws_truth_is_background(&recording, SECOND));
	assert_false(kws_truth_is_background(&recording, 2 * SECOND));
	assert_false(kws_truth_is_background(&recording, 44 * SECOND / 10));
	assert_true(kws_truth_is_background(&recording, 5 * SECOND));
	assert_int_equal(kws_truth_half(&recording, 0), KWS_HALF_SEARCH);
	assert_int_equal(kws_truth_half(&recording, 1), KWS_HALF_CHECK);
	kws_recording_finish(&recording);
}

static void truth_of_windows(void **state)
{
	(void)state;
	struct kws_recording recording = make_recording();
	assert_int_equal(kws_truth_of_window(&recording, SECOND), KWS_TRUTH_BACKGROUND);
	assert_int_equal(kws_truth_of_window(&recording, 22 * SECOND / 10), KWS_TRUTH_OPEN);
	assert_int_equal(kws_truth_of_window(&recording, 26 * SECOND / 10), YES);
	/* half of "no" is in it as well */
	assert_int_equal(kws_truth_of_window(&recording, 32 * SECOND / 10), KWS_TRUTH_OPEN);
	assert_int_equal(kws_truth_of_window(&recording, 36 * SECOND / 10), NO);
	assert_int_equal(kws_truth_of_window(&recording, 6 * SECOND), KWS_TRUTH_BACKGROUND);
	assert_int_equal(kws_truth_of_window(&recording, 86 * SECOND / 10), KWS_TRUTH_BACKGROUND);
	kws_recording_finish(&recording);
}

/* A word that fills more than the window is heard when the window ends with it. */
static void truth_of_a_long_word(void **state)
{
	(void)state;
	struct kws_recording recording = {.check_begin = UINT64_MAX};
	struct kws_spoken spoken = {NO, SECOND, 2 * SECOND};
	assert_int_equal(kws_recording_add_spoken(&recording, &spoken), 0);
	assert_int_equal(kws_truth_of_window(&recording, 19 * SECOND / 10), KWS_TRUTH_OPEN);
	assert_int_equal(kws_truth_of_window(&recording, 2 * SECOND), NO);
	assert_int_equal(kws_truth_of_window(&recording, 22 * SECOND / 10), KWS_TRUTH_OPEN);
	kws_recording_finish(&recording);
}

#define POINTS 5

/* Ten of each were spoken; found and false alarms fall as the threshold rises. */
static void fill_points(struct kws_curve_point points[POINTS][2])
{
	static const uint64_t found[POINTS][2] = {{10, 10}, {9, 10}, {9, 6}, {9, 5}, {4, 5}};
	static const uint64_t alarms[POINTS][2] = {{8, 6}, {2, 3}, {2, 1}, {2, 0}, {0, 0}};
	memset(points, 0, POINTS * sizeof(points[0]));
	for (size_t t = 0; t < POINTS; t++) {
		for (size_t k = 0; k < 2; k++) {
			points[t][k].tally.spoken = 10;
			points[t][k].tally.found = found[t][k];
			points[t][k].tally.false_alarms = alarms[t][k];
		}
	}
}

/* The best split of the budget, found here by trying all. */
static uint64_t least_errors(struct kws_curve_point points[POINTS][2], size_t budget)
{
	uint64_t least = UINT64_MAX;
	for (size_t a = 0; a < POINTS; a++) {
		for (size_t b = 0; b < POINTS; b++) {
			uint64_t errors = 20 - points[a][0].tally.found - points[b][1].tally.found;
			uint64_t alarms =
				points[a][0].tally.false_alarms + points[b][1].tally.false_alarms;
			least = alarms <= budget && errors < least ? errors : least;
		}
	}
	return least;
}

static void thresholds_within_the_budget(void **state)
{
	(void)state;
	struct kws_curve_point points[POINTS][2];
	size_t chosen[2];
	fill_points(points);
	for (size_t budget = 0; budget < 20; budget++) {
		assert_int_equal(kws_search_choose(points[0], POINTS, 2, budget, chosen), 0);
		const struct kws_tally_keyword *first = &points[chosen[0]][0].tally;
		const struct kws_tally_keyword *second = &points[chosen[1]][1].tally;
		assert_true(first->false_alarms + second->false_alarms <= budget);
		assert_int_equal(20 - first->found - second->found, least_errors(points, budget));
	}
	/* two alarms: the middle of the three thresholds of the first that do the same */
	assert_int_equal(kws_search_choose(points[0], POINTS, 2, 2, chosen), 0);
	assert_int_equal(chosen[0], 2);
	assert_int_equal(chosen[1], 3);
}

/* Who always has false alarms has as few as can be; that the other hears less would not help. */
static void one_keyword_alone_breaks_the_budget(void **state)
{
	(void)state;
	struct kws_curve_point points[POINTS][2];
	size_t chosen[2];
	fill_points(points);
	points[4][0].tally.false_alarms = 1;
	points[3][1].tally.found = 6;
	for (size_t budget = 0; budget < 2; budget++) {
		assert_int_equal(kws_search_choose(points[0], POINTS, 2, budget, chosen), 0);
		assert_int_equal(chosen[0], POINTS - 1);
		assert_int_equal(chosen[1], 3);
	}
}

static void budgets(void **state)
{
	(void)state;
	struct kws_search_wish wish = {.false_alarms_per_hour = 0.5};
	assert_int_equal(kws_search_budget(&wish, 0.0, SIZE_MAX), 0);
	assert_int_equal(kws_search_budget(&wish, 7.0, SIZE_MAX), 3);
	assert_int_equal(kws_search_budget(&wish, 7.0, 2), 2);
	assert_int_equal(kws_search_budget(&wish, 1e300, 2), 2);
	wish.guarantee = true; /* of 12.6 hours two are the most that bound the rate so */
	assert_int_equal(kws_search_budget(&wish, 7.0, SIZE_MAX), 0);
	assert_int_equal(kws_search_budget(&wish, 9.4, SIZE_MAX), 0);
	assert_int_equal(kws_search_budget(&wish, 9.5, SIZE_MAX), 1);
	assert_int_equal(kws_search_budget(&wish, 12.6, SIZE_MAX), 2);
	assert_int_equal(kws_search_budget(&wish, 12.6, 1), 1);
	assert_int_equal(kws_search_budget(&wish, 12.6, 0), 0);
}

/* A guaranteed budget is the largest whose bound is kept, as counting down finds it. */
static void guaranteed_budgets_are_the_largest(void **state)
{
	(void)state;
	const struct kws_search_wish wish = {.false_alarms_per_hour = 2.0, .guarantee = true};
	for (double hours = 0.0; hours < 30.0; hours += 0.13) {
		double mean = wish.false_alarms_per_hour * hours;
		size_t budget = (size_t)mean;
		while (budget > 0 && kws_poisson_upper(budget, KWS_SEARCH_CONFIDENCE) > mean) {
			budget--;
		}
		assert_int_equal(kws_search_budget(&wish, hours, SIZE_MAX), budget);
		size_t most = budget < 5 ? budget : 5;
		assert_int_equal(kws_search_budget(&wish, hours, 5), most);
	}
}

/* So many that to bound every count from there down would take minutes. */
static void guaranteed_budget_of_many(void **state)
{
	(void)state;
	const struct kws_search_wish wish = {.false_alarms_per_hour = 100.0, .guarantee = true};
	size_t budget = kws_search_budget(&wish, 1000.0, SIZE_MAX);
	assert_true(kws_poisson_cdf(budget, 1e5) <= 1.0 - KWS_SEARCH_CONFIDENCE);
	assert_true(kws_poisson_cdf(budget + 1, 1e5) > 1.0 - KWS_SEARCH_CONFIDENCE);
}

static size_t grid_size(enum kws_config_policy policy, size_t exits)
{
	static const double distances[] = {1.0, 2.0, 3.0};
	const struct kws_candidate_space space = {exits, distances, 3};
	struct kws_candidate *candidates;
	size_t count;
	assert_int_equal(kws_candidate_grid(policy, &space, &candidates, &count), 0);
	for (size_t i = 0; i < count; i++) {
		assert_int_equal(candidates[i].policy, policy);
		for (size_t k = 0; k < i; k++) {
			assert_memory_not_equal(
				&candidates[i], &candidates[k], sizeof(candidates[i]));
		}
	}
	free(candidates);
	return count;
}

static void grids_have_every_setting_once(void **state)
{
	(void)state;
	assert_int_equal(grid_size(KWS_CONFIG_POLICY_ENTROPY, 3), 4 * 4);
	assert_int_equal(grid_size(KWS_CONFIG_POLICY_MARGIN, 2), 4);
	assert_int_equal(grid_size(KWS_CONFIG_POLICY_DIFFERENCE, 5), 3 * 4);
	assert_int_equal(grid_size(KWS_CONFIG_POLICY_PATIENCE, 5), 3);
	assert_int_equal(grid_size(KWS_CONFIG_POLICY_PATIENCE, 1), 0);
	assert_int_equal(grid_size(KWS_CONFIG_POLICY_ALWAYS_1, 1), 1);
}

static struct kws_config *load(const char *const *overrides, size_t count)
{
	struct kws_config *config;
	struct kws_config_errors errors;
	assert_int_equal(kws_config_load(&config, NULL, overrides, count, &errors), 0);
	return config;
}

static void candidate_in_a_configuration(void **state)
{
	(void)state;
	static const char *const overrides[] = {"keyword yes.delta=0.1"};
	struct kws_candidate candidate = {
		.policy = KWS_CONFIG_POLICY_ENTROPY,
		.thresholds = {3, {1.0, 0.5, 0.0}},
		.confirm = KWS_CONFIG_CONFIRM_EXIT_3,
	};
	char text[128];
	kws_candidate_describe(&candidate, text, sizeof(text));
	assert_string_equal(text, "delta = 1, 0.5, 0; confirm = 3");
	struct kws_config *config = load(overrides, 1);
	kws_candidate_apply(&candidate, config);
	assert_int_equal(kws_config_get(config, "keyword yes.delta", text, sizeof(text)), 0);
	assert_string_equal(text, "1, 0.5, 0");
	assert_int_equal(kws_config_get(config, "keyword no.confirm", text, sizeof(text)), 0);
	assert_string_equal(text, "3");
	kws_config_destroy(config);
}

/* Also what single keywords have of their own. */
static void candidate_of_a_configuration_changes_nothing(void **state)
{
	(void)state;
	static const char *const overrides[] = {"keyword yes.delta=0.1", "keyword yes.confirm=5"};
	char text[128];
	struct kws_config *config = load(overrides, 2);
	struct kws_candidate candidate = kws_candidate_of(config);
	kws_candidate_apply(&candidate, config);
	assert_int_equal(kws_config_get(config, "keyword yes.delta", text, sizeof(text)), 0);
	assert_string_equal(text, "0.1");
	assert_int_equal(kws_config_get(config, "keyword yes.confirm", text, sizeof(text)), 0);
	assert_string_equal(text, "5");
	kws_config_destroy(config);
}

static void fragment_has_what_differs(void **state)
{
	(void)state;
	static const char *const overrides[] = {"exits.policy=always-2", "audio.device=USB",
		"detector.threshold=0.7", "keyword yes.threshold=0.9", "keyword no.enabled=yes"};
	struct kws_config *config = load(overrides, 5);
	struct kws_error error;
	char *text;
	assert_int_equal(kws_fragment_render(&text, config, "# tuned\n", &error), 0);
	assert_string_equal(text, "# tuned\n\n[audio]\ndevice = USB\n\n[exits]\npolicy = always-2\n"
				  "\n[detector]\nthreshold = 0.7\n"
				  "\n[keyword yes]\nthreshold = 0.9\n");
	free(text);
	kws_config_destroy(config);
}

/* What only the command line can hold, and by which key that is told. */
static void fragment_that_cannot_be_written(void **state)
{
	(void)state;
	static const char *const overrides[] = {"audio.device=USB ; the white one",
		"keyword yes.phrase=\"yes\" ;", "keyword y].threshold=0.4", NULL};
	static const char *const sentences[] = {
		"[audio].device: 'USB ; the white one' cannot stand in a file: it is read as 'USB'",
		"[keyword yes].phrase: '\"yes\" ;' cannot stand in a file: it is read as '\"yes\"'",
		"[keyword y]].threshold: '0.4' cannot stand in a file: a section is one [name] on "
		"a "
		"line of its own",
		"[model].path: '/ppppppppppppppppppppppppppppppppppppppppppppppppppppppppppp' "
		"cannot "
		"stand in a file: the line is longer than 197 bytes"};
	char path[256] = "model.path=/";
	memset(path + strlen(path), 'p', 195);
	for (size_t i = 0; i < 4; i++) {
		const char *override = overrides[i] != NULL ? overrides[i] : path;
		struct kws_config *config = load(&override, 1);
		struct kws_error error;
		char *text;
		assert_int_equal(kws_fragment_render(&text, config, "", &error), KWS_EINVAL);
		assert_string_equal(error.text, sentences[i]);
		kws_config_destroy(config);
	}
}

static char *draw(const struct kws_plot *plot)
{
	static char text[65536];
	char folder[SCRATCH_BYTES];
	char path[SCRATCH_BYTES + 8];
	struct kws_error error;
	assert_int_equal(scratch_create(folder), 0);
	snprintf(path, sizeof(path), "%s/p.svg", folder);
	assert_int_equal(kws_plot_write(plot, path, &error), 0);
	FILE *file = fopen(path, "r");
	assert_non_null(file);
	text[fread(text, 1, sizeof(text) - 1, file)] = '\0';
	fclose(file);
	scratch_remove(folder);
	return text;
}

/* The picture's axes go from (70, 400) to (580, 40). */
static void plot_has_points_where_the_axes_say(void **state)
{
	(void)state;
	static const struct kws_plot_point points[] = {{0.0, 0.0}, {50.0, 30.0}, {100.0, 60.0}};
	struct kws_plot plot = {.title = "a < b & c",
		.x_title = "x",
		.y_title = "y",
		.series = {{"line", points, 3}},
		.series_count = 1};
	const char *text = draw(&plot);
	assert_non_null(strstr(text, "a &lt; b &amp; c"));
	assert_non_null(strstr(text, "70.0,400.0 325.0,220.0 580.0,40.0 "));
	assert_non_null(strstr(text, ">100</text>"));
	assert_non_null(strstr(text, ">60</text>"));
}

/* A linear axis that is cut begins with the smallest value, also where that is 0. */
static void plot_with_nothing_found(void **state)
{
	(void)state;
	static const struct kws_plot_point points[] = {{1.0, 0.0}, {2.0, 90.0}};
	struct kws_plot plot = {.title = "",
		.x_title = "",
		.y_title = "",
		.y_cut = true,
		.series = {{"line", points, 2}},
		.series_count = 1};
	assert_non_null(strstr(draw(&plot), "325.0,400.0 580.0,"));
}

static void plot_with_powers_of_ten(void **state)
{
	(void)state;
	static const struct kws_plot_point points[] = {{0.0, 95.0}, {1.0, 90.0}, {100.0, 91.0}};
	struct kws_plot plot = {.title = "",
		.x_title = "",
		.y_title = "",
		.x_logarithmic = true,
		.y_cut = true,
		.series = {{"line", points, 3}},
		.series_count = 1};
	const char *text = draw(&plot);
	/* 0 at the left end, then two powers of ten over what is left of it */
	assert_non_null(strstr(text, "70.0,40.0 110.0,400.0 580.0,328.0 "));
	assert_non_null(strstr(text, ">10</text>"));
	assert_null(strstr(text, ">0.1</text>"));
}

static void assert_lines_differ(const char *text)
{
	char lines[KWS_PLOT_SERIES_MAX][120];
	size_t count = 0;
	while ((text = strstr(text, "<polyline")) != NULL) {
		const char *end = strstr(text, " points=");
		assert_true(count < KWS_PLOT_SERIES_MAX && end != NULL);
		snprintf(lines[count], sizeof(lines[count]), "%.*s", (int)(end - text), text);
		for (size_t i = 0; i < count; i++) {
			assert_string_not_equal(lines[i], lines[count]);
		}
		count++;
		text = end;
	}
	assert_int_equal(count, KWS_PLOT_SERIES_MAX);
}

/* Every keyword that a configuration may have is drawn, in a line of its own, and named. */
static void plot_with_as_many_series_as_can_be(void **state)
{
	(void)state;
	static const struct kws_plot_point points[] = {{1.0, 0.0}, {2.0, 90.0}};
	char names[KWS_PLOT_SERIES_MAX][32];
	struct kws_plot plot = {.title = "", .x_title = "", .y_title = ""};
	for (size_t i = 0; i < KWS_PLOT_SERIES_MAX; i++) {
		snprintf(names[i], sizeof(names[i]), "word%zu", i);
		plot.series[plot.series_count++] = (struct kws_plot_series){names[i], points, 2};
	}
	const char *text = draw(&plot);
	double height = 0.0;
	double place = 0.0;
	assert_int_equal(sscanf(strstr(text, "viewBox=\""), "viewBox=\"0 0 %*f %lf\"", &height), 1);
	for (size_t i = 0; i < KWS_PLOT_SERIES_MAX; i++) {
		char name[32];
		snprintf(name, sizeof(name), ">word%zu<", i);
		const char *legend = strstr(text, name);
		assert_non_null(legend);
		while (strncmp(legend, "y=\"", 3) != 0) {
			legend--;
		}
		assert_true(strtod(legend + 3, NULL) > place);
		place = strtod(legend + 3, NULL);
	}
	assert_true(place < height);
	assert_lines_differ(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(table_without_a_heading),
		cmocka_unit_test(table_with_a_heading_in_any_order),
		cmocka_unit_test(table_with_a_byte_order_mark),
		cmocka_unit_test(table_that_misses_a_cell),
		cmocka_unit_test(verdicts),
		cmocka_unit_test(truth_of_windows),
		cmocka_unit_test(truth_of_a_long_word),
		cmocka_unit_test(thresholds_within_the_budget),
		cmocka_unit_test(one_keyword_alone_breaks_the_budget),
		cmocka_unit_test(budgets),
		cmocka_unit_test(guaranteed_budgets_are_the_largest),
		cmocka_unit_test(guaranteed_budget_of_many),
		cmocka_unit_test(grids_have_every_setting_once),
		cmocka_unit_test(candidate_in_a_configuration),
		cmocka_unit_test(candidate_of_a_configuration_changes_nothing),
		cmocka_unit_test(fragment_has_what_differs),
		cmocka_unit_test(fragment_that_cannot_be_written),
		cmocka_unit_test(plot_has_points_where_the_axes_say),
		cmocka_unit_test(plot_with_nothing_found),
		cmocka_unit_test(plot_with_powers_of_ten),
		cmocka_unit_test(plot_with_as_many_series_as_can_be),
	};
	int failed = cmocka_run_group_tests(tests, NULL, NULL);
	return failed != 0;
}
