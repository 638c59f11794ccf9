/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/kwsctl-scores.h"

#include <string.h>

#include "cli/terminal.h"

#define SAMPLE_RATE_HZ 16000.0 /* of `sample`, docs/events.md */

struct column {
	const char *key;
	const char *heading;
	int width;
	int decimals;
	double unit; /* what is shown as 1 */
};

/* Texts stand at the left of their column, numbers at the right. */
static const struct column columns[] = {
	{"hop", "hop", 9, 0, 1.0},
	{"sample", "time s", 11, 3, SAMPLE_RATE_HZ},
	{"label", "label", -14, 0, 0.0},
	{"score", "score", 6, 3, 1.0},
	{"exit", "exit", 5, 0, 1.0},
	{"exits", "of", 3, 0, 1.0},
	{"entropy", "entropy", 8, 3, 1.0},
	{"reason", "reason", -13, 0, 0.0},
	{"change", "change", 8, 3, 1.0},
	{"disagreement", "disagree", 9, 0, 1.0},
	{"model", "model", -1, 0, 0.0},
};

#define COLUMN_COUNT (sizeof(columns) / sizeof(columns[0]))

/* Two spaces apart from the column before. */
static void print_text(FILE *out, const struct column *column, const char *text)
{
	fputs("  ", out);
	kws_terminal_column(out, text, -column->width);
}

void kwsctl_print_score_heading(FILE *out)
{
	for (size_t i = 0; i < COLUMN_COUNT; i++) {
		if (columns[i].width < 0) {
			print_text(out, &columns[i], columns[i].heading);
		} else {
			fprintf(out, "%*s", columns[i].width, columns[i].heading);
		}
	}
	fputc('\n', out);
}

void kwsctl_print_score(FILE *out, const json_t *event)
{
	for (size_t i = 0; i < COLUMN_COUNT; i++) {
		const struct column *column = &columns[i];
		const json_t *value = json_object_get(event, column->key);
		if (column->width < 0) {
			const char *text = json_string_value(value);
			print_text(out, column, text != NULL ? text : "-");
		} else if (json_is_number(value)) {
			fprintf(out, "%*.*f", column->width, column->decimals,
				json_number_value(value) / column->unit);
		} else {
			fprintf(out, "%*s", column->width, "-");
		}
	}
	fputc('\n', out);
}
