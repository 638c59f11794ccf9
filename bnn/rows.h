/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KWS_BNN_ROWS_H
#define KWS_BNN_ROWS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bnn/op.h"

/* Rows [begin, end) of a window. */
struct kws_rows_span {
	size_t begin;
	size_t end;
};

/* The rows of one map, kept over the windows of a stream.
 *
 * Row i of the window at frame f lies at f + i * stride, `stride` being the product of the time
 * strides from the input to this map. Windows whose frames differ by no multiple of the stride
 * share no row; each such phase that the hop visits has a plane of its own. Of a window's rows
 * those are kept that are functions of the stream alone. The rows before and after them see the
 * padding at an edge of the window, so that every window has its own.
 *
 * A plane is a ring of twice the window's rows. A kept row that lies beyond the first half is
 * written there and, for the windows after the ring has turned, in the first half too; so the rows
 * of a window always lie one after another and operations need not know of the ring. Where nothing
 * is kept, there is one plane and no ring. */
struct kws_rows {
	size_t rows; /* of a window */
	size_t row_bytes;
	size_t stride; /* in frames */
	struct kws_rows_span kept;
	size_t phase_step; /* gcd of hop and stride: phases are multiples of it */
	uint8_t *data;     /* [phases][2 * rows][row_bytes]; nothing kept: [rows][row_bytes] */
	int64_t *last;     /* [phases]: frame of the last window whose rows are all there, or -1 */
	size_t phases;
	/* of the current window */
	size_t first; /* slot of its row 0 */
	size_t phase;
	int64_t frame;
};

/* Plans and allocates. `pure` are the rows of a window that are functions of the stream; they are
 * kept unless none of them is met again in a later window. Errors: KWS_ENOMEM; kws_rows_finish() is
 * right then too. */
int kws_rows_init(struct kws_rows *rows, const struct kws_map_shape *shape, size_t stride,
	struct kws_rows_span pure, size_t hop_frames);

void kws_rows_finish(struct kws_rows *rows);

/* Forgets every row. Thread: the owner's. RT-safe: yes, like the ones below. */
void kws_rows_reset(struct kws_rows *rows);

/* Goes to the window at `frame`, a multiple of the hop. */
void kws_rows_seek(struct kws_rows *rows, int64_t frame);

/* Row 0 of the current window; the others follow. */
void *kws_rows_window(const struct kws_rows *rows);

/* The rows of the window that are not there, in rising order; returns how many spans they are. All
 * others are there, since a window is always completed. */
size_t kws_rows_missing(const struct kws_rows *rows, struct kws_rows_span spans[2]);

/* How many those are in a window `passed` rows after the last one of its phase. */
size_t kws_rows_missing_after(const struct kws_rows *rows, size_t passed);

/* Says that the missing rows of the current window have been written. */
void kws_rows_written(struct kws_rows *rows, const struct kws_rows_span *spans, size_t count);

#endif
