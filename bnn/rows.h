/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KWS_BNN_ROWS_H
#define KWS_BNN_ROWS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bnn/op.h"

/* The rows of one map, kept over the windows of a stream.
 *
 * Row i of the window at frame f lies at f + i * stride, `stride` being the product of the time
 * strides from the input to this map. Windows whose frames differ by no multiple of the stride
 * share no row; each such phase that the hop visits has a plane of its own. A plane is a ring in
 * which every row is written twice, one ring length apart, so that the rows of a window always lie
 * one after another and operations need not know of the ring. Rows that are not kept have one plane
 * and no second copy. */
struct kws_rows {
	size_t rows; /* of a window */
	size_t row_bytes;
	size_t stride; /* in frames */
	bool kept; /* false: rows depend on the window (padding in time), nothing is used again */
	size_t phase_step; /* gcd of hop and stride: phases are multiples of it */
	uint8_t *data;     /* [phases][2 * rows][row_bytes]; not kept: [rows][row_bytes] */
	int64_t *last;     /* [phases]: frame of the last window whose rows are all there, or -1 */
	size_t phases;
	/* of the current window */
	size_t first; /* slot of its row 0 */
	size_t phase;
	int64_t frame;
};

/* Plans and allocates. Errors: KWS_ENOMEM; kws_rows_finish() is right then too. */
int kws_rows_init(struct kws_rows *rows, const struct kws_map_shape *shape, size_t stride,
	bool kept, size_t hop_frames);

void kws_rows_finish(struct kws_rows *rows);

/* Forgets every row. Thread: the owner's. RT-safe: yes, like the ones below. */
void kws_rows_reset(struct kws_rows *rows);

/* Goes to the window at `frame`, a multiple of the hop. */
void kws_rows_seek(struct kws_rows *rows, int64_t frame);

/* Row 0 of the current window; the others follow. */
void *kws_rows_window(const struct kws_rows *rows);

/* The first row of the window that is not there; from it on all are missing, since a window is
 * always completed. The window's number of rows if none is missing. */
size_t kws_rows_missing(const struct kws_rows *rows);

/* Says that rows [begin, end of the window) have been written, and makes the second copy. */
void kws_rows_written(struct kws_rows *rows, size_t begin);

#endif
