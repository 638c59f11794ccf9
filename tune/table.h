/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KWS_TUNE_TABLE_H
#define KWS_TUNE_TABLE_H

#include <stddef.h>

#include "common/error.h"

/* A small text table: one row a line, cells between tabs, or between commas where a line has no
 * tab; no quoting. Empty lines, lines that begin with '#' and a byte order mark are passed over. */

#define KWS_TABLE_COLUMNS_MAX 8

/* What is read of a table. */
struct kws_table_column {
	const char *names; /* as a heading may have it: "file|path" */
	int required;
};

struct kws_table_row {
	int line;                                 /* in the file, from 1 */
	const char *cells[KWS_TABLE_COLUMNS_MAX]; /* in the order asked for; NULL: not there */
};

struct kws_table {
	char *text;
	struct kws_table_row *rows;
	size_t count;
};

/* Reads the columns asked for. Where the first line names the first of them it is a heading, and
 * columns are found by their names; otherwise they stand in the order asked for. The table owns
 * the text; kws_table_finish() frees it. Errors: KWS_ENOENT, KWS_EIO, KWS_ENOMEM, KWS_EFORMAT with
 * a sentence, which names the line but not the file. Thread: any. */
int kws_table_read(struct kws_table *table, const char *path,
	const struct kws_table_column *columns, size_t column_count, struct kws_error *error);

/* The same from a string. Errors: KWS_ENOMEM, KWS_EFORMAT. */
int kws_table_parse(struct kws_table *table, const char *text,
	const struct kws_table_column *columns, size_t column_count, struct kws_error *error);

/* A zeroed table is fine. */
void kws_table_finish(struct kws_table *table);

#endif
