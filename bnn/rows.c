/* SPDX-License-Identifier: Apache-2.0 */
#include "bnn/rows.h"

#include <stdlib.h>
#include <string.h>

#include "bnn/spec.h"
#include "common/error.h"

#define NEVER (-1)

static size_t gcd(size_t a, size_t b)
{
	while (b != 0) {
		size_t rest = a % b;
		a = b;
		b = rest;
	}
	return a;
}

int kws_rows_init(struct kws_rows *rows, const struct kws_map_shape *shape, size_t stride,
	bool kept, size_t hop_frames)
{
	memset(rows, 0, sizeof(*rows));
	rows->rows = shape->rows;
	rows->row_bytes = kws_map_row_bytes(shape);
	rows->stride = stride;
	rows->kept = kept;
	rows->phase_step = gcd(hop_frames, stride);
	rows->phases = kept ? stride / rows->phase_step : 1;
	rows->data = kws_spec_alloc(rows->phases * (kept ? 2 : 1) * rows->rows, rows->row_bytes);
	rows->last = kws_spec_alloc(rows->phases, sizeof(*rows->last));
	if (rows->data == NULL || rows->last == NULL) {
		return KWS_ENOMEM;
	}
	kws_rows_reset(rows);
	return 0;
}

void kws_rows_finish(struct kws_rows *rows)
{
	free(rows->data);
	free(rows->last);
	memset(rows, 0, sizeof(*rows));
}

void kws_rows_reset(struct kws_rows *rows)
{
	for (size_t i = 0; i < rows->phases; i++) {
		rows->last[i] = NEVER;
	}
}

void kws_rows_seek(struct kws_rows *rows, int64_t frame)
{
	rows->frame = frame;
	if (!rows->kept) {
		kws_rows_reset(rows);
		return; /* one plane, and always the same place in it */
	}
	size_t offset = (size_t)(frame % (int64_t)rows->stride);
	rows->phase = offset / rows->phase_step;
	rows->first = (size_t)(frame / (int64_t)rows->stride % (int64_t)rows->rows);
}

static uint8_t *slot(const struct kws_rows *rows, size_t index)
{
	return rows->data + (rows->phase * 2 * rows->rows + index) * rows->row_bytes;
}

void *kws_rows_window(const struct kws_rows *rows)
{
	return slot(rows, rows->first);
}

size_t kws_rows_missing(const struct kws_rows *rows)
{
	int64_t last = rows->last[rows->phase];
	if (last == NEVER) {
		return 0;
	}
	size_t passed = (size_t)((rows->frame - last) / (int64_t)rows->stride);
	return passed < rows->rows ? rows->rows - passed : 0;
}

void kws_rows_written(struct kws_rows *rows, size_t begin)
{
	for (size_t row = begin; rows->kept && row < rows->rows; row++) {
		size_t from = rows->first + row;
		size_t to = from < rows->rows ? from + rows->rows : from - rows->rows;
		memcpy(slot(rows, to), slot(rows, from), rows->row_bytes);
	}
	rows->last[rows->phase] = rows->frame;
}
