/* SPDX-License-Identifier: Apache-2.0 */
#include "tune/plot.h"

#include <assert.h>
#include <errno.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define WIDTH 780.0
#define HEIGHT 460.0 /* or more, for the legend */
#define LEFT 70.0
#define RIGHT 200.0 /* the legend's room */
#define LEGEND_STEP 18.0
#define TOP 40.0
#define BOTTOM 60.0
#define TICKS 6
#define ZERO_ROOM 40.0 /* of a logarithmic axis, left of its first power */

static const char *const colours[] = {
	"#1b6ca8", "#d1495b", "#3c8d4f", "#e08e2b", "#7a4fa3", "#8a6d4f", "#2ba6a6", "#555555"};
#define COLOURS (sizeof(colours) / sizeof(colours[0]))

/* The next each time that the colours begin again. */
static const char *const dashes[] = {
	"none", "5 3", "2 3", "10 4", "8 3 2 3", "8 3 2 3 2 3", "14 4 6 4", "1 2"};
static_assert(sizeof(dashes) / sizeof(dashes[0]) * COLOURS >= KWS_PLOT_SERIES_MAX,
	"each series has a line of its own");

/* One axis: from values to places. */
struct axis {
	bool logarithmic;
	double low; /* logarithmic: the exponent at the left end */
	double high;
	double step;  /* between two ticks; logarithmic: in exponents */
	double begin; /* in the picture */
	double end;
};

/* 1, 2 or 5 times a power of ten, so that there are about TICKS of it in `range`. */
static double round_step(double range)
{
	double raw = range / TICKS;
	double power = pow(10.0, floor(log10(raw)));
	double lead = raw / power;
	return power * (lead <= 1.0 ? 1.0 : lead <= 2.0 ? 2.0 : lead <= 5.0 ? 5.0 : 10.0);
}

static struct axis linear_axis(double smallest, double largest, double begin, double end)
{
	double range = largest > smallest ? largest - smallest : 1.0;
	double step = round_step(range);
	double low = floor(smallest / step) * step;
	/* the small part lets a largest value that is a tick itself end the axis */
	double high = ceil((low + range > largest ? low + range : largest) / step - 1e-9) * step;
	return (struct axis){false, low, high, step, begin, end};
}

static struct axis logarithmic_axis(double smallest, double largest, double begin, double end)
{
	double low = smallest > 0.0 ? floor(log10(smallest)) : -1.0;
	double high = largest > 0.0 ? ceil(log10(largest)) : 0.0;
	high = high > low ? high : low + 1.0;
	return (struct axis){true, low, high, 1.0, begin, end};
}

static double place_of(const struct axis *axis, double value)
{
	double begin = axis->begin;
	if (axis->logarithmic) {
		if (value <= 0.0) {
			return begin;
		}
		begin += ZERO_ROOM;
		value = log10(value);
	}
	return begin + (value - axis->low) / (axis->high - axis->low) * (axis->end - begin);
}

/* The largest value and the smallest, on a logarithmic axis the smallest above 0; 0 if there is
 * none. */
static void find_range(const struct kws_plot *plot, bool of_x, double *smallest, double *largest)
{
	bool positive = of_x && plot->x_logarithmic;
	bool found = false;
	*smallest = 0.0;
	*largest = 0.0;
	for (size_t i = 0; i < plot->series_count; i++) {
		for (size_t k = 0; k < plot->series[i].count; k++) {
			const struct kws_plot_point *point = &plot->series[i].points[k];
			double value = of_x ? point->x : point->y;
			*largest = value > *largest ? value : *largest;
			if ((value > 0.0 || !positive) && (!found || value < *smallest)) {
				*smallest = value;
				found = true;
			}
		}
	}
}

static void put_text(FILE *file, double x, double y, const char *style, const char *text)
{
	fprintf(file, "<text x=\"%.1f\" y=\"%.1f\" %s>", x, y, style);
	for (; *text != '\0'; text++) {
		const char *entity = *text == '&'   ? "&amp;"
				     : *text == '<' ? "&lt;"
				     : *text == '>' ? "&gt;"
						    : NULL;
		if (entity != NULL) {
			fputs(entity, file);
		} else {
			fputc(*text, file);
		}
	}
	fputs("</text>\n", file);
}

static void put_line(FILE *file, double x1, double y1, double x2, double y2, const char *colour)
{
	fprintf(file, "<line x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\" stroke=\"%s\"/>\n", x1,
		y1, x2, y2, colour);
}

static void put_x_tick(FILE *file, const struct axis *x, double value)
{
	char text[32];
	snprintf(text, sizeof(text), "%g", value);
	put_line(file, place_of(x, value), TOP, place_of(x, value), HEIGHT - BOTTOM, "#dddddd");
	put_text(file, place_of(x, value), HEIGHT - BOTTOM + 18, "text-anchor=\"middle\"", text);
}

static void put_ticks(FILE *file, const struct axis *x, const struct axis *y)
{
	char text[32];
	if (x->logarithmic) {
		put_x_tick(file, x, 0.0);
	}
	for (int i = 0; x->low + i * x->step <= x->high + x->step * 1e-6; i++) {
		double value = x->low + i * x->step;
		put_x_tick(file, x, x->logarithmic ? pow(10.0, value) : value);
	}
	for (int i = 0; y->low + i * y->step <= y->high + y->step * 1e-6; i++) {
		double place = place_of(y, y->low + i * y->step);
		snprintf(text, sizeof(text), "%g", y->low + i * y->step);
		put_line(file, LEFT, place, WIDTH - RIGHT, place, "#dddddd");
		put_text(file, LEFT - 8, place + 4, "text-anchor=\"end\"", text);
	}
}

static void put_titles(FILE *file, const struct kws_plot *plot)
{
	char style[96];
	double middle = (TOP + HEIGHT - BOTTOM) / 2;
	put_text(file, LEFT, TOP - 16, "font-size=\"15\"", plot->title);
	put_text(file, (LEFT + WIDTH - RIGHT) / 2, HEIGHT - 18, "text-anchor=\"middle\"",
		plot->x_title);
	snprintf(style, sizeof(style), "text-anchor=\"middle\" transform=\"rotate(-90 18 %.1f)\"",
		middle);
	put_text(file, 18, middle, style, plot->y_title);
}

/* A dot, or a square once the colours begin again. */
static void put_mark(FILE *file, double x, double y, size_t series)
{
	const char *colour = colours[series % COLOURS];
	if (series < COLOURS) {
		fprintf(file, "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"3.5\" fill=\"%s\"/>\n", x, y,
			colour);
	} else {
		fprintf(file,
			"<rect x=\"%.1f\" y=\"%.1f\" width=\"7\" height=\"7\" fill=\"%s\"/>\n",
			x - 3.5, y - 3.5, colour);
	}
}

static double legend_place(size_t series)
{
	return TOP + 10 + LEGEND_STEP * (double)series;
}

/* A piece of the line, if it has one, its mark and its name. */
static void put_legend(FILE *file, const struct kws_plot *plot, size_t index)
{
	double x = WIDTH - RIGHT + 8;
	double y = legend_place(index);
	if (!plot->dots) {
		fprintf(file,
			"<line x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\" stroke=\"%s\" "
			"stroke-width=\"2\" stroke-dasharray=\"%s\"/>\n",
			x, y, x + 30, y, colours[index % COLOURS], dashes[index / COLOURS]);
	}
	put_mark(file, x + 15, y, index);
	put_text(file, x + 36, y + 4, "", plot->series[index].name);
}

static void put_series(FILE *file, const struct kws_plot *plot, size_t index, const struct axis *x,
	const struct axis *y)
{
	const struct kws_plot_series *series = &plot->series[index];
	const char *colour = colours[index % COLOURS];
	if (!plot->dots && series->count > 1) {
		fprintf(file,
			"<polyline fill=\"none\" stroke=\"%s\" stroke-width=\"2\" "
			"stroke-dasharray=\"%s\" points=\"",
			colour, dashes[index / COLOURS]);
		for (size_t i = 0; i < series->count; i++) {
			fprintf(file, "%.1f,%.1f ", place_of(x, series->points[i].x),
				place_of(y, series->points[i].y));
		}
		fputs("\"/>\n", file);
	}
	for (size_t i = 0; i < series->count; i++) {
		put_mark(file, place_of(x, series->points[i].x), place_of(y, series->points[i].y),
			index);
	}
	put_legend(file, plot, index);
}

static void put_plot(FILE *file, const struct kws_plot *plot)
{
	double smallest;
	double largest;
	find_range(plot, true, &smallest, &largest);
	struct axis x = plot->x_logarithmic
				? logarithmic_axis(smallest, largest, LEFT, WIDTH - RIGHT)
				: linear_axis(0.0, largest, LEFT, WIDTH - RIGHT);
	find_range(plot, false, &smallest, &largest);
	double height = fmax(HEIGHT, legend_place(plot->series_count));
	struct axis y = linear_axis(plot->y_cut ? smallest : 0.0, largest, HEIGHT - BOTTOM, TOP);
	fprintf(file,
		"<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %g %g\" width=\"%g\" "
		"height=\"%g\" font-family=\"sans-serif\" font-size=\"12\">\n"
		"<rect width=\"100%%\" height=\"100%%\" fill=\"white\"/>\n",
		WIDTH, height, WIDTH, height);
	put_ticks(file, &x, &y);
	put_line(file, LEFT, TOP, LEFT, HEIGHT - BOTTOM, "black");
	put_line(file, LEFT, HEIGHT - BOTTOM, WIDTH - RIGHT, HEIGHT - BOTTOM, "black");
	put_titles(file, plot);
	for (size_t i = 0; i < plot->series_count; i++) {
		put_series(file, plot, i, &x, &y);
	}
	fputs("</svg>\n", file);
}

int kws_plot_write(const struct kws_plot *plot, const char *path, struct kws_error *error)
{
	FILE *file = fopen(path, "w");
	if (file == NULL) {
		return kws_fail(error, KWS_EIO, "%s", strerror(errno));
	}
	put_plot(file, plot);
	int failed = ferror(file);
	if (fclose(file) != 0 || failed) {
		return kws_fail(error, KWS_EIO, "cannot write: %s", strerror(errno));
	}
	return 0;
}
