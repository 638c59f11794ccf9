/* SPDX-License-Identifier: Apache-2.0 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "tune/table.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What is required is there, and every cell is a text within the table. */
static void check_row(const struct kws_table *table, const struct kws_table_row *row, size_t size)
{
	if (row->line < 1 || row->cells[0] == NULL || row->cells[1] == NULL) {
		abort();
	}
	for (size_t i = 0; i < 3; i++) {
		const char *cell = row->cells[i];
		if (cell != NULL && (cell < table->text || cell[0] == '\0' ||
					    cell + strlen(cell) > table->text + size)) {
			abort();
		}
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct kws_table_column columns[] = {
		{"file|path", 1}, {"label|word", 1}, {"split", 0}};
	struct kws_table table;
	struct kws_error error;
	char *text = malloc(size + 1);
	if (text == NULL) {
		return 0;
	}
	memcpy(text, data, size);
	text[size] = '\0';
	if (kws_table_parse(&table, text, columns, 3, &error) == 0) {
		for (size_t i = 0; i < table.count; i++) {
			check_row(&table, &table.rows[i], size);
		}
		kws_table_finish(&table);
	}
	free(text);
	return 0;
}
