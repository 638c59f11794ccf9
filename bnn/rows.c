/* SPDX-License-Identifier: Apache-2.0 */
#include "bnn/rows.h"

#include <stdlib.h>
#include <string.h>

#include "bnn/spec.h"
#include "common/error.h"
#include "common/size.h"

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

static size_t kept_count(const struct kws_rows *rows)
{
	return rows->kept.end - rows->kept.begin;
}

int kws_rows_init(struct kws_rows *rows, const struct kws_map_shape *shape, size_t stride,
	struct kws_rows_span pure, size_t hop_frames)
{
	memset(rows, 0, sizeof(*rows));
	rows->rows = shape->rows;
	rows->row_bytes = kws_map_row_bytes(shape);
	rows->stride = stride;
	rows->phase_step = gcd(hop_frames, stride);
	/* a phase comes again after hop / gcd rows of this map */
	bool keeps = pure.end - pure.begin > hop_frames / rows->phase_step;
	rows->kept = keeps ? pure : (struct kws_rows_span){0, 0};
	rows->phases = keeps ? stride / rows->phase_step : 1;
	rows->data = kws_spec_alloc(rows->phases * (keeps ? 2 : 1) * rows->rows, rows->row_bytes);
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
	if (kept_count(rows) == 0) {
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

size_t kws_rows_missing_after(const struct kws_rows *rows, size_t passed)
{
	size_t kept = kept_count(rows);
	return passed < kept ? rows->rows - kept + passed : rows->rows;
}

size_t kws_rows_missing(const struct kws_rows *rows, struct kws_rows_span spans[2])
{
	int64_t last = rows->last[rows->phase];
	size_t passed = last != NEVER ? (size_t)((rows->frame - last) / (int64_t)rows->stride) : 0;
	if (last == NEVER || passed >= kept_count(rows)) {
		spans[0] = (struct kws_rows_span){0, rows->rows};
		return 1;
	}
	size_t count = 0;
	if (rows->kept.begin > 0) {
		spans[count++] = (struct kws_rows_span){0, rows->kept.begin};
	}
	if (rows->kept.end - passed < rows->rows) {
		spans[count++] = (struct kws_rows_span){rows->kept.end - passed, rows->rows};
	}
	return count;
}

void kws_rows_written(struct kws_rows *rows, const struct kws_rows_span *spans, size_t count)
{
	/* the window's rows from here on lie in the second half of the ring */
	size_t beyond = kws_size_max(rows->rows - rows->first, rows->kept.begin);
	for (size_t i = 0; i < count; i++) {
		size_t begin = kws_size_max(spans[i].begin, beyond);
		size_t end = kws_size_min(spans[i].end, rows->kept.end);
		if (begin < end) {
			memcpy(slot(rows, rows->first + begin - rows->rows),
				slot(rows, rows->first + begin), (end - begin) * rows->row_bytes);
		}
	}
	rows->last[rows->phase] = rows->frame;
}
