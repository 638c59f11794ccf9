/* SPDX-License-Identifier: Apache-2.0 */
#include "bnn/bconv.h"

#include <stdlib.h>
#include <string.h>

#include "common/cpu.h"
#include "common/size.h"

#define BLOCK KWS_BCONV_BLOCK
/* Weights of a group of blocks: half of a first-level data cache of 32 KiB, and sums that fit
 * beside them. */
#define GROUP_BYTES (16u << 10)
#define GROUP_BLOCKS_MAX 16
/* Kinds of positions; a 7x7 kernel has 49. Only an absurd kernel has more than these. */
#define SEGMENTS_MAX 4096
/* Longest dot product: up to here every sum is a whole float. */
#define LENGTH_MAX (1u << 24)

/* File order [out][tap][word32] to kernel order [block][tap][word64][out in block]. */
static void pack_weights(struct kws_bconv *conv, const uint32_t *from)
{
	size_t channels = conv->in.channels;
	for (size_t o = 0; o < conv->outputs; o++) {
		for (size_t t = 0; t < conv->taps; t++) {
			size_t block = o / BLOCK * conv->taps + t;
			uint64_t *to = conv->weights + block * conv->words * BLOCK + o % BLOCK;
			for (size_t w = 0; w < conv->words; w++) {
				to[w * BLOCK] = kws_spec_word(from, channels, w);
			}
			from += (channels + 31) / 32;
		}
	}
}

/* Cuts `count` positions of an axis into segments, which may be NULL. Returns how many. */
static size_t cut_axis(const struct kws_window *window, size_t axis, size_t extent, size_t count,
	struct kws_bconv_segment *segments)
{
	size_t pad = window->pad[2 * axis];
	struct kws_bconv_segment segment = {0};
	size_t found = 0;
	for (size_t i = 0; i < count; i++) {
		size_t start = i * window->stride[axis]; /* in the padded map */
		size_t first = start < pad ? pad - start : 0;
		size_t last = kws_size_min(extent + pad - start, window->kernel[axis]);
		if (i == 0 || first != segment.first || last != segment.last) {
			segment = (struct kws_bconv_segment){i, i, first, last};
			found++;
		}
		segment.end = i + 1;
		if (segments != NULL) {
			segments[found - 1] = segment;
		}
	}
	return found;
}

static int cut_axes(
	struct kws_bconv *conv, const struct kws_map_shape *out, const struct kws_spec *spec)
{
	const size_t extents[2] = {conv->in.rows, conv->in.bands};
	const size_t counts[2] = {out->rows, out->bands};
	for (size_t axis = 0; axis < 2; axis++) {
		size_t count = cut_axis(&conv->window, axis, extents[axis], counts[axis], NULL);
		int result = 0;
		conv->segments[axis] =
			kws_spec_keep(spec, count, sizeof(**conv->segments), &result);
		if (result != 0) {
			return result;
		}
		cut_axis(&conv->window, axis, extents[axis], counts[axis], conv->segments[axis]);
		conv->segment_counts[axis] = count;
	}
	if (conv->segment_counts[0] > SEGMENTS_MAX ||
		conv->segment_counts[1] > SEGMENTS_MAX / (conv->segment_counts[0] + 1)) {
		return kws_spec_fail(spec, KWS_EUNSUPPORTED, "so much padding is not supported");
	}
	return 0;
}

/* Weights of -1 in the kernel's corner of kr rows and kb bands, for one output, from the corners
 * one smaller; `ones` is [kernel rows + 1][kernel bands + 1]. */
static void sum_corners(const struct kws_bconv *conv, size_t output, int32_t *ones)
{
	size_t step = conv->window.kernel[1] + 1;
	const uint64_t *words =
		conv->weights + output / BLOCK * conv->taps * conv->words * BLOCK + output % BLOCK;
	for (size_t kr = 1; kr <= conv->window.kernel[0]; kr++) {
		for (size_t kb = 1; kb < step; kb++) {
			int32_t *at = ones + kr * step + kb;
			*at = at[-1] + at[-(ptrdiff_t)step] - at[-(ptrdiff_t)step - 1];
			for (size_t w = 0; w < conv->words; w++, words += BLOCK) {
				*at += __builtin_popcountll(*words);
			}
		}
	}
}

/* base[o] of the sum base[o] - 2 * count: the counted bits, and with +1 around the map also each
 * tap outside, channels - 2 * (weights of -1). */
static void fill_base(struct kws_bconv *conv, size_t pad_value, size_t output, int32_t *ones)
{
	size_t step = conv->window.kernel[1] + 1;
	size_t padded = conv->blocks * BLOCK;
	int32_t *base = conv->base + output;
	sum_corners(conv, output, ones);
	int32_t all = ones[(conv->window.kernel[0] + 1) * step - 1];
	for (size_t i = 0; i < conv->segment_counts[0]; i++) {
		const int32_t *above = ones + conv->segments[0][i].first * step;
		const int32_t *below = ones + conv->segments[0][i].last * step;
		size_t rows = conv->segments[0][i].last - conv->segments[0][i].first;
		for (size_t j = 0; j < conv->segment_counts[1]; j++, base += padded) {
			size_t left = conv->segments[1][j].first;
			size_t right = conv->segments[1][j].last;
			int32_t inside = below[right] - below[left] - above[right] + above[left];
			int32_t outside = all - inside;
			*base = pad_value == 1
					? conv->length - 2 * outside
					: (int32_t)(rows * (right - left) * conv->in.channels);
		}
	}
}

static int make_base(struct kws_bconv *conv, size_t pad_value, const struct kws_spec *spec)
{
	size_t kinds = conv->segment_counts[0] * conv->segment_counts[1];
	size_t corners = (conv->window.kernel[0] + 1) * (conv->window.kernel[1] + 1);
	int result = 0;
	conv->base =
		kws_spec_keep(spec, kinds * conv->blocks * BLOCK, sizeof(*conv->base), &result);
	if (result != 0) {
		return result;
	}
	int32_t *ones = kws_spec_alloc(corners, sizeof(*ones));
	if (ones == NULL) {
		return kws_spec_fail(spec, KWS_ENOMEM, "out of memory");
	}
	for (size_t o = 0; o < conv->outputs; o++) {
		fill_base(conv, pad_value, o, ones);
	}
	free(ones);
	return 0;
}

static size_t group_blocks(const struct kws_bconv *conv)
{
	size_t block_bytes = conv->taps * conv->words * BLOCK * sizeof(uint64_t);
	size_t blocks = kws_size_min(GROUP_BYTES / block_bytes, GROUP_BLOCKS_MAX);
	size_t together = kws_size_max(conv->ops->blocks, 1);
	return kws_size_max(blocks / together, 1) * together;
}

int kws_bconv_init(struct kws_bconv *conv, const struct kws_op *op, const struct kws_spec *spec,
	const struct kws_window *window, const uint32_t *weight, size_t pad_value)
{
	memset(conv, 0, sizeof(*conv));
	conv->ops = kws_bconv_ops_find(kws_cpu_flags());
	conv->window = *window;
	conv->in = op->in;
	conv->outputs = op->out.channels;
	conv->blocks = (conv->outputs + BLOCK - 1) / BLOCK;
	conv->taps = window->kernel[0] * window->kernel[1];
	conv->words = kws_map_words(op->in.channels);
	if (conv->taps > LENGTH_MAX / op->in.channels) {
		return kws_spec_fail(spec, KWS_EUNSUPPORTED, "the kernel is too large");
	}
	conv->length = (int32_t)(conv->taps * op->in.channels);
	conv->group_blocks = group_blocks(conv);
	int result = 0;
	conv->weights = kws_spec_keep(
		spec, conv->blocks * conv->taps * conv->words * BLOCK, sizeof(uint64_t), &result);
	if (result != 0) {
		return result;
	}
	pack_weights(conv, weight);
	result = cut_axes(conv, &op->out, spec);
	return result == 0 ? make_base(conv, pad_value, spec) : result;
}

void kws_bconv_finish(struct kws_bconv *conv)
{
	free(conv->weights);
	free(conv->segments[0]);
	free(conv->segments[1]);
	free(conv->base);
	memset(conv, 0, sizeof(*conv));
}

size_t kws_bconv_scratch_bytes(const struct kws_bconv *conv)
{
	return KWS_BCONV_POSITIONS_MAX * conv->group_blocks * BLOCK * sizeof(int32_t);
}

/* Positions times valid kernel extents, over the segments of an axis. */
static uint64_t valid_taps(const struct kws_bconv *conv, size_t axis)
{
	uint64_t taps = 0;
	for (size_t i = 0; i < conv->segment_counts[axis]; i++) {
		const struct kws_bconv_segment *segment = &conv->segments[axis][i];
		taps += (segment->end - segment->begin) * (segment->last - segment->first);
	}
	return taps;
}

uint64_t kws_bconv_valid_macs(const struct kws_bconv *conv)
{
	return valid_taps(conv, 0) * valid_taps(conv, 1) * conv->in.channels * conv->outputs;
}

/* One call of run(). */
struct run {
	const struct kws_bconv *conv;
	const uint64_t *input;
	size_t out_bands;
	int32_t *sums;
	kws_bconv_take *take;
	void *context;
};

/* Positions that see the same part of the kernel. */
struct rectangle {
	struct kws_bconv_segment rows;
	struct kws_bconv_segment bands;
};

/* Goes through a rectangle row by row, one position after another. */
struct walk {
	size_t width;        /* of the rectangle */
	size_t left;         /* positions of the current row */
	size_t place;        /* the position in the output map */
	size_t place_step;   /* from the end of a row to the next one */
	size_t input;        /* words of the input map before its first valid ones */
	size_t input_stride; /* from one position to the next */
	size_t input_step;   /* from the end of a row to the next one; may wrap around */
};

static struct walk begin_walk(const struct run *run, const struct rectangle *rectangle)
{
	const struct kws_bconv *conv = run->conv;
	const struct kws_window *window = &conv->window;
	size_t width = rectangle->bands.end - rectangle->bands.begin;
	size_t row =
		rectangle->rows.begin * window->stride[0] + rectangle->rows.first - window->pad[0];
	size_t band = rectangle->bands.begin * window->stride[1] + rectangle->bands.first -
		      window->pad[2];
	size_t input_stride = window->stride[1] * conv->words;
	return (struct walk){
		.width = width,
		.left = width,
		.place = rectangle->rows.begin * run->out_bands + rectangle->bands.begin,
		.place_step = run->out_bands - width,
		.input = (row * conv->in.bands + band) * conv->words,
		.input_stride = input_stride,
		.input_step =
			window->stride[0] * conv->in.bands * conv->words - width * input_stride,
	};
}

static inline void step_walk(struct walk *walk)
{
	walk->place++;
	walk->input += walk->input_stride;
	if (--walk->left == 0) {
		walk->left = walk->width;
		walk->place += walk->place_step;
		walk->input += walk->input_step;
	}
}

/* The last two tiles share what is left: two halves are faster than a full one and a small rest. */
static size_t tile_size(size_t left, size_t most)
{
	if (left <= most) {
		return left;
	}
	return left >= 2 * most ? most : (left + 1) / 2;
}

/* The outputs of one group of blocks, from `block` on, at the next positions of the walk. */
static void run_tile(
	const struct run *run, struct kws_bconv_tile *tile, struct walk *walk, size_t block)
{
	const struct kws_bconv *conv = run->conv;
	struct kws_bconv_sums sums; /* no initializer: it would clear the array */
	sums.first = block * BLOCK;
	sums.channels = kws_size_min(conv->outputs - block * BLOCK, tile->blocks * BLOCK);
	sums.positions = tile->positions;
	sums.step = tile->blocks * BLOCK;
	sums.sums = run->sums;
	for (size_t p = 0; p < tile->positions; p++) {
		tile->inputs[p] = run->input + walk->input;
		sums.places[p] = walk->place;
		step_walk(walk);
	}
	conv->ops->sums(tile, run->sums);
	run->take(run->context, &sums);
}

static void run_rectangle(
	const struct run *run, const struct rectangle *rectangle, const int32_t *base, size_t block)
{
	const struct kws_bconv *conv = run->conv;
	size_t tap = rectangle->rows.first * conv->window.kernel[1] + rectangle->bands.first;
	struct kws_bconv_tile tile = {
		.rows = rectangle->rows.last - rectangle->rows.first,
		.words = (rectangle->bands.last - rectangle->bands.first) * conv->words,
		.input_step = conv->in.bands * conv->words,
		.weight_step = conv->window.kernel[1] * conv->words * BLOCK,
		.block_step = conv->taps * conv->words * BLOCK,
		.blocks = kws_size_min(conv->blocks - block, conv->group_blocks),
		.weights = conv->weights + (block * conv->taps + tap) * conv->words * BLOCK,
		.base = base + block * BLOCK,
	};
	struct walk walk = begin_walk(run, rectangle);
	size_t count = (rectangle->rows.end - rectangle->rows.begin) * walk.width;
	for (; count > 0; count -= tile.positions) {
		tile.positions = tile_size(count, conv->ops->positions);
		run_tile(run, &tile, &walk, block);
	}
}

static void run_group(const struct run *run, size_t begin, size_t end, size_t block)
{
	const struct kws_bconv *conv = run->conv;
	size_t base_step = conv->blocks * BLOCK;
	struct rectangle rectangle;
	for (size_t i = 0; i < conv->segment_counts[0]; i++) {
		const int32_t *base = conv->base + i * conv->segment_counts[1] * base_step;
		rectangle.rows = conv->segments[0][i];
		rectangle.rows.begin = kws_size_max(rectangle.rows.begin, begin);
		rectangle.rows.end = kws_size_min(rectangle.rows.end, end);
		if (rectangle.rows.begin >= rectangle.rows.end) {
			continue;
		}
		for (size_t j = 0; j < conv->segment_counts[1]; j++) {
			rectangle.bands = conv->segments[1][j];
			run_rectangle(run, &rectangle, base + j * base_step, block);
		}
	}
}

void kws_bconv_run(const struct kws_bconv *conv, const uint64_t *input, size_t begin, size_t end,
	void *scratch, kws_bconv_take *take, void *context)
{
	struct run run = {
		.conv = conv,
		.input = input,
		.out_bands = conv->segments[1][conv->segment_counts[1] - 1].end,
		.sums = scratch,
		.take = take,
		.context = context,
	};
	for (size_t block = 0; block < conv->blocks; block += conv->group_blocks) {
		run_group(&run, begin, end, block);
	}
}
