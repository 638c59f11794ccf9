/* SPDX-License-Identifier: Apache-2.0 */
#include "tune/table.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/utf8.h"

#define CELLS_MAX 32
#define FILE_MAX_BYTES (256u << 20)

struct reader {
	struct kws_table *table;
	size_t capacity;
	const struct kws_table_column *columns;
	size_t column_count;
	size_t places[KWS_TABLE_COLUMNS_MAX]; /* of each column in a line; SIZE_MAX: none */
	bool begun;                           /* a line with cells was seen */
	struct kws_error *error;
};

static int read_text(struct kws_table *table, const char *path, struct kws_error *error)
{
	FILE *file = fopen(path, "rb");
	if (file == NULL) {
		return kws_fail(
			error, errno == ENOENT ? KWS_ENOENT : KWS_EIO, "%s", strerror(errno));
	}
	size_t size = 0;
	size_t capacity = 1 << 16;
	size_t got = 1;
	int result = 0;
	table->text = malloc(capacity + 1);
	while (table->text != NULL && got > 0 && size < FILE_MAX_BYTES) {
		got = fread(table->text + size, 1, capacity - size, file);
		size += got;
		if (size == capacity) {
			capacity *= 2;
			char *grown = realloc(table->text, capacity + 1);
			if (grown == NULL) {
				free(table->text);
			}
			table->text = grown;
		}
	}
	if (table->text == NULL) {
		result = kws_fail(error, KWS_ENOMEM, "out of memory");
	} else if (ferror(file)) {
		result = kws_fail(error, KWS_EIO, "%s", strerror(errno));
	} else if (size >= FILE_MAX_BYTES || memchr(table->text, '\0', size) != NULL) {
		result = kws_fail(error, KWS_EFORMAT, "it is no text");
	} else {
		table->text[size] = '\0';
	}
	fclose(file);
	return result;
}

static char *trim(char *text)
{
	text += strspn(text, " \r");
	size_t length = strlen(text);
	while (length > 0 && strchr(" \r", text[length - 1]) != NULL) {
		text[--length] = '\0';
	}
	return text;
}

static size_t split_line(char *line, char **cells)
{
	const char *separator = strchr(line, '\t') != NULL ? "\t" : ",";
	size_t count = 0;
	char *cell;
	while ((cell = strsep(&line, separator)) != NULL && count < CELLS_MAX) {
		cells[count++] = trim(cell);
	}
	return count;
}

/* Whether `name` is among `names`, which '|' parts. */
static bool is_named(const char *names, const char *name)
{
	size_t length = strlen(name);
	while (*names != '\0' && length > 0) {
		size_t part = strcspn(names, "|");
		if (part == length && strncasecmp(names, name, length) == 0) {
			return true;
		}
		names += part + (names[part] == '|');
	}
	return false;
}

static size_t find_cell(char **cells, size_t count, const char *names)
{
	for (size_t i = 0; i < count; i++) {
		if (is_named(names, cells[i])) {
			return i;
		}
	}
	return SIZE_MAX;
}

/* The first line: returns whether it is a heading. */
static bool find_columns(struct reader *reader, char **cells, size_t count)
{
	bool heading = find_cell(cells, count, reader->columns[0].names) != SIZE_MAX;
	for (size_t i = 0; i < reader->column_count; i++) {
		reader->places[i] = heading ? find_cell(cells, count, reader->columns[i].names) : i;
	}
	return heading;
}

static int add_row(struct reader *reader, int line, char **cells, size_t count)
{
	struct kws_table *table = reader->table;
	if (table->count == reader->capacity) {
		size_t capacity = reader->capacity * 2 + 64;
		void *grown = realloc(table->rows, capacity * sizeof(table->rows[0]));
		if (grown == NULL) {
			return kws_fail(reader->error, KWS_ENOMEM, "out of memory");
		}
		table->rows = grown;
		reader->capacity = capacity;
	}
	struct kws_table_row *row = &table->rows[table->count];
	memset(row, 0, sizeof(*row));
	row->line = line;
	for (size_t i = 0; i < reader->column_count; i++) {
		if (reader->places[i] < count && cells[reader->places[i]][0] != '\0') {
			row->cells[i] = cells[reader->places[i]];
		} else if (reader->columns[i].required) {
			const char *names = reader->columns[i].names;
			return kws_fail(reader->error, KWS_EFORMAT, "line %d: there is no %.*s",
				line, (int)strcspn(names, "|"), names);
		}
	}
	table->count++;
	return 0;
}

static int take_line(struct reader *reader, int number, char *line)
{
	char *cells[CELLS_MAX];
	if (line[0] == '#' || trim(line)[0] == '\0') {
		return 0;
	}
	size_t count = split_line(line, cells);
	bool first = !reader->begun;
	reader->begun = true;
	if (first && find_columns(reader, cells, count)) {
		return 0;
	}
	return add_row(reader, number, cells, count);
}

/* Takes the lines of table->text, which ends with a NUL. */
static int take_lines(struct reader *reader)
{
	char *text = reader->table->text;
	char *rest = text + kws_utf8_mark_bytes(text, strlen(text));
	char *line;
	int result = 0;
	for (int number = 1; result == 0 && (line = strsep(&rest, "\n")) != NULL; number++) {
		result = take_line(reader, number, line);
	}
	if (result != 0) {
		kws_table_finish(reader->table);
	}
	return result;
}

int kws_table_read(struct kws_table *table, const char *path,
	const struct kws_table_column *columns, size_t column_count, struct kws_error *error)
{
	struct reader reader = {
		.table = table, .columns = columns, .column_count = column_count, .error = error};
	memset(table, 0, sizeof(*table));
	int result = read_text(table, path, error);
	if (result != 0) {
		kws_table_finish(table);
		return result;
	}
	return take_lines(&reader);
}

int kws_table_parse(struct kws_table *table, const char *text,
	const struct kws_table_column *columns, size_t column_count, struct kws_error *error)
{
	struct reader reader = {
		.table = table, .columns = columns, .column_count = column_count, .error = error};
	memset(table, 0, sizeof(*table));
	table->text = strdup(text);
	return table->text != NULL ? take_lines(&reader)
				   : kws_fail(error, KWS_ENOMEM, "out of memory");
}

void kws_table_finish(struct kws_table *table)
{
	free(table->text);
	free(table->rows);
	memset(table, 0, sizeof(*table));
}
