/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KWS_TUNE_PLOT_H
#define KWS_TUNE_PLOT_H

#include <stdbool.h>
#include <stddef.h>

#include "common/error.h"

/* Curves as an SVG file. */

#define KWS_PLOT_SERIES_MAX 64

struct kws_plot_point {
	double x;
	double y;
};

struct kws_plot_series {
	const char *name;
	const struct kws_plot_point *points;
	size_t count;
};

/* All numbers are finite; x and y are from 0. */
struct kws_plot {
	const char *title;
	const char *x_title;
	const char *y_title;
	/* x grows by powers of ten; 0, which has none, stands at the left end with its own tick */
	bool x_logarithmic;
	bool y_cut; /* the y axis begins below the smallest value, not at 0 */
	bool dots;  /* without lines between the points */
	struct kws_plot_series series[KWS_PLOT_SERIES_MAX];
	size_t series_count;
};

/* Writes the file at `path`. The axes reach over the largest value, the picture over the legend.
 * Texts are UTF-8 and are escaped. Errors: KWS_EIO with a sentence without the path. Thread: any.
 */
int kws_plot_write(const struct kws_plot *plot, const char *path, struct kws_error *error);

#endif
