/* SPDX-License-Identifier: Apache-2.0 */
/* The bodies of the float kernels, included once by each bnn/float-ops-ISA.c, which defines before:
 *
 *   LANES       floats of a vector; KWS_FLOAT_BLOCK is a multiple
 *   vec         a vector of LANES floats that knows +, * and /; a float if LANES is 1
 *   vec_load, vec_store, vec_broadcast, vec_load_int16 (from int16_t)
 *   vec_larger (a > b ? a : b), vec_less_bits (bit i: a[i] < b[i])
 *   vec_broadcast_halves (a below, b above; only if LANES is KWS_FLOAT_BLOCK)
 *   INT16_LANES, int16_less_bits   the same comparison of so many int16_t in memory
 *   TILE_POSITIONS, TILE_BLOCKS   a tile of a dense convolution, as large as the registers allow:
 *               each weight that is loaded serves all positions, each input all blocks
 *   TILE_POSITIONS_NARROW   positions of a tile where fewer blocks are left
 *   OPS, OPS_NAME, OPS_CPU_FLAGS   the table, its name for people, what the CPU must have
 *
 * Which lane or tile an output falls into never changes its value: see bnn/float-ops.h. */
#include <assert.h>
#include <float.h>

#include "bnn/float-ops.h"

static_assert(FLT_EVAL_METHOD == 0,
	"every operation rounds to a float; 32-bit x86 needs -msse2 -mfpmath=sse for that");

#define BLOCK KWS_FLOAT_BLOCK
#define BLOCK_VECTORS (BLOCK / LANES)
#define TILE_VECTORS (TILE_BLOCKS * BLOCK_VECTORS)
#define TILE_POSITIONS_MAX \
	(TILE_POSITIONS_NARROW > TILE_POSITIONS ? TILE_POSITIONS_NARROW : TILE_POSITIONS)
#define SIDE_VECTORS 4
/* Tiles are inlined with constant extents, so that their sums live in registers. */
#define TILE static inline __attribute__((always_inline))

static inline float larger(float a, float b)
{
	return a > b ? a : b;
}

/* Vector v of weights or bias, which lie in blocks that are `pitch` apart. */
TILE vec load_of_block(const float *from, size_t pitch, size_t v)
{
	return vec_load(from + v / BLOCK_VECTORS * pitch + v % BLOCK_VECTORS * LANES);
}

/* The input that vector v multiplies, in all of its lanes or in each half of a block its own. */
#if LANES == BLOCK
#define broadcast_halves(x, pitch, v) vec_broadcast_halves((x)[0], (x)[pitch])
#else
#define broadcast_halves(x, pitch, v) vec_broadcast((x)[(v)*LANES / (BLOCK / 2) * (pitch)])
#endif

/* sum[p][v] += the products of one tap */
TILE void add_tap(const struct kws_float_conv *conv, const float *x, const float *weight,
	vec sum[][TILE_VECTORS], size_t positions, size_t vectors, bool halves)
{
	for (size_t c = 0; c < conv->taps.channels; c++) {
		vec w[TILE_VECTORS];
		for (size_t v = 0; v < vectors; v++) {
			w[v] = load_of_block(weight + c * BLOCK, conv->weight_block_pitch, v);
		}
		for (size_t p = 0; p < positions; p++) {
			const float *from = x + p * conv->taps.position_pitch + c;
			for (size_t v = 0; v < vectors; v++) {
				vec value = halves ? broadcast_halves(from, conv->half_pitch, v)
						   : vec_broadcast(*from);
				sum[p][v] = sum[p][v] + value * w[v];
			}
		}
	}
}

/* Stores `count` of the vectors' floats. */
TILE void store_outputs(const vec *from, size_t vectors, size_t count, float *output)
{
	if (count >= vectors * LANES) {
		for (size_t v = 0; v < vectors; v++) {
			vec_store(output + v * LANES, from[v]);
		}
		return;
	}
	float all[TILE_VECTORS * LANES];
	for (size_t v = 0; v < vectors; v++) {
		vec_store(all + v * LANES, from[v]);
	}
	for (size_t i = 0; i < count; i++) {
		output[i] = all[i];
	}
}

/* `positions` positions from `position` on, `blocks` blocks from `block` on. */
TILE void conv_tile(const struct kws_float_conv *conv, size_t position, size_t block,
	size_t positions, size_t blocks, bool halves)
{
	const struct kws_float_taps *taps = &conv->taps;
	size_t vectors = blocks * BLOCK_VECTORS;
	vec sum[TILE_POSITIONS_MAX][TILE_VECTORS];
	for (size_t p = 0; p < positions; p++) {
		for (size_t v = 0; v < vectors; v++) {
			sum[p][v] = load_of_block(conv->bias + block * BLOCK, BLOCK, v);
		}
	}
	for (size_t r = 0; r < taps->rows; r++) {
		const float *x =
			taps->input + position * taps->position_pitch + r * taps->row_pitch;
		const float *weight = conv->weight + block * conv->weight_block_pitch +
				      r * conv->weight_row_pitch;
		for (size_t t = 0; t < taps->taps; t++) {
			add_tap(conv, x, weight, sum, positions, vectors, halves);
			x += taps->tap_pitch;
			weight += taps->channels * BLOCK;
		}
	}
	size_t first = block * BLOCK;
	for (size_t p = 0; p < positions; p++) {
		for (size_t v = 0; conv->relu && v < vectors; v++) {
			sum[p][v] = vec_larger(sum[p][v], vec_broadcast(0.0f));
		}
		store_outputs(sum[p], vectors, conv->outputs - first,
			conv->output + (position + p) * conv->output_pitch + first);
	}
}

/* All positions of some blocks. Where too many for small tiles are left over, the last tile goes
 * back to fill itself: computing a position twice is cheaper. */
TILE void conv_blocks(const struct kws_float_conv *conv, size_t block, size_t tile_positions,
	size_t blocks, bool halves)
{
	size_t positions = conv->taps.positions;
	size_t p = 0;
	for (; p + tile_positions <= positions; p += tile_positions) {
		conv_tile(conv, p, block, tile_positions, blocks, halves);
	}
	if (positions > tile_positions && positions - p > tile_positions / 2) {
		conv_tile(conv, positions - tile_positions, block, tile_positions, blocks, halves);
		return;
	}
	for (; p + 2 <= positions && tile_positions > 2; p += 2) {
		conv_tile(conv, p, block, 2, blocks, halves);
	}
	for (; p < positions; p++) {
		conv_tile(conv, p, block, 1, blocks, halves);
	}
}

static void conv(const struct kws_float_conv *conv)
{
	size_t blocks = (conv->outputs + BLOCK - 1) / BLOCK;
	size_t b = 0;
	if (conv->half_pitch != 0) {
		conv_blocks(conv, 0, TILE_POSITIONS_NARROW, 1, true);
		return;
	}
	for (; b + TILE_BLOCKS <= blocks && TILE_BLOCKS > 1; b += TILE_BLOCKS) {
		conv_blocks(conv, b, TILE_POSITIONS, TILE_BLOCKS, false);
	}
	for (; b + 2 <= blocks && TILE_BLOCKS > 2; b += 2) {
		conv_blocks(conv, b, TILE_POSITIONS_NARROW, 2, false);
	}
	for (; b < blocks; b++) {
		conv_blocks(conv, b, TILE_POSITIONS_NARROW, 1, false);
	}
}

/* SIDE_VECTORS vectors of channels side by side: enough sums to hide how long an addition takes. */
TILE void depthwise_vectors(const struct kws_float_conv *conv, const float *x, size_t channel,
	float *output, size_t vectors)
{
	const struct kws_float_taps *taps = &conv->taps;
	vec sum[SIDE_VECTORS];
	for (size_t v = 0; v < vectors; v++) {
		sum[v] = vec_load(conv->bias + channel + v * LANES);
	}
	for (size_t r = 0; r < taps->rows; r++) {
		const float *from = x + r * taps->row_pitch + channel;
		const float *weight = conv->weight + r * conv->weight_row_pitch + channel;
		for (size_t t = 0; t < taps->taps; t++) {
			for (size_t v = 0; v < vectors; v++) {
				sum[v] = sum[v] +
					 vec_load(from + v * LANES) * vec_load(weight + v * LANES);
			}
			from += taps->tap_pitch;
			weight += taps->channels;
		}
	}
	for (size_t v = 0; v < vectors; v++) {
		vec_store(output + channel + v * LANES,
			conv->relu ? vec_larger(sum[v], vec_broadcast(0.0f)) : sum[v]);
	}
}

static float depthwise_channel(const struct kws_float_conv *conv, const float *x, size_t channel)
{
	const struct kws_float_taps *taps = &conv->taps;
	float sum = conv->bias[channel];
	for (size_t r = 0; r < taps->rows; r++) {
		const float *from = x + r * taps->row_pitch + channel;
		const float *weight = conv->weight + r * conv->weight_row_pitch + channel;
		for (size_t t = 0; t < taps->taps; t++) {
			sum += from[t * taps->tap_pitch] * weight[t * taps->channels];
		}
	}
	return conv->relu ? larger(sum, 0.0f) : sum;
}

static void depthwise(const struct kws_float_conv *conv)
{
	size_t channels = conv->taps.channels;
	for (size_t p = 0; p < conv->taps.positions; p++) {
		const float *x = conv->taps.input + p * conv->taps.position_pitch;
		float *output = conv->output + p * conv->output_pitch;
		size_t c = 0;
		for (; c + SIDE_VECTORS * LANES <= channels; c += SIDE_VECTORS * LANES) {
			depthwise_vectors(conv, x, c, output, SIDE_VECTORS);
		}
		for (; c + LANES <= channels; c += LANES) {
			depthwise_vectors(conv, x, c, output, 1);
		}
		for (; c < channels; c++) {
			output[c] = depthwise_channel(conv, x, c);
		}
	}
}

TILE void max_vectors(
	const struct kws_float_taps *taps, const float *x, bool relu, float *output, size_t vectors)
{
	vec most[SIDE_VECTORS];
	for (size_t v = 0; v < vectors; v++) {
		most[v] = vec_load(x + v * LANES);
	}
	for (size_t r = 0; r < taps->rows; r++) {
		const float *from = x + r * taps->row_pitch;
		for (size_t t = 0; t < taps->taps; t++) {
			for (size_t v = 0; v < vectors; v++) {
				most[v] = vec_larger(vec_load(from + v * LANES), most[v]);
			}
			from += taps->tap_pitch;
		}
	}
	for (size_t v = 0; v < vectors; v++) {
		vec_store(output + v * LANES,
			relu ? vec_larger(most[v], vec_broadcast(0.0f)) : most[v]);
	}
}

static float max_channel(const struct kws_float_taps *taps, const float *x, bool relu)
{
	float most = x[0];
	for (size_t r = 0; r < taps->rows; r++) {
		for (size_t t = 0; t < taps->taps; t++) {
			most = larger(x[r * taps->row_pitch + t * taps->tap_pitch], most);
		}
	}
	return relu ? larger(most, 0.0f) : most;
}

static void max(const struct kws_float_taps *taps, bool relu, float *output)
{
	for (size_t p = 0; p < taps->positions; p++) {
		const float *x = taps->input + p * taps->position_pitch;
		size_t c = 0;
		for (; c + SIDE_VECTORS * LANES <= taps->channels; c += SIDE_VECTORS * LANES) {
			max_vectors(taps, x + c, relu, output + c, SIDE_VECTORS);
		}
		for (; c + LANES <= taps->channels; c += LANES) {
			max_vectors(taps, x + c, relu, output + c, 1);
		}
		for (; c < taps->channels; c++) {
			output[c] = max_channel(taps, x + c, relu);
		}
		output += taps->channels;
	}
}

TILE vec sum_vector(const struct kws_float_taps *taps, const float *x)
{
	vec sum = vec_broadcast(0.0f);
	for (size_t r = 0; r < taps->rows; r++) {
		for (size_t t = 0; t < taps->taps; t++) {
			sum = sum + vec_load(x + r * taps->row_pitch + t * taps->tap_pitch);
		}
	}
	return sum;
}

static float sum_channel(const struct kws_float_taps *taps, const float *x)
{
	float sum = 0.0f;
	for (size_t r = 0; r < taps->rows; r++) {
		for (size_t t = 0; t < taps->taps; t++) {
			sum += x[r * taps->row_pitch + t * taps->tap_pitch];
		}
	}
	return sum;
}

static void mean(const struct kws_float_taps *taps, float *output)
{
	float count = (float)(taps->rows * taps->taps);
	for (size_t p = 0; p < taps->positions; p++) {
		const float *x = taps->input + p * taps->position_pitch;
		size_t c = 0;
		for (; c + LANES <= taps->channels; c += LANES) {
			vec_store(output + c, sum_vector(taps, x + c) / vec_broadcast(count));
		}
		for (; c < taps->channels; c++) {
			output[c] = sum_channel(taps, x + c) / count;
		}
		output += taps->channels;
	}
}

/* The bits of up to 64 floats; inlined with a constant count, that is 64, it is straight code. */
TILE uint64_t less_bits(const float *x, const float *threshold, size_t count)
{
	uint64_t word = 0;
	size_t i = 0;
	for (; i + LANES <= count; i += LANES) {
		word |= (uint64_t)vec_less_bits(vec_load(x + i), vec_load(threshold + i)) << i;
	}
	for (; i < count; i++) {
		word |= (uint64_t)(x[i] < threshold[i]) << i;
	}
	return word;
}

TILE uint64_t less_bits_int16(const int16_t *x, const int16_t *threshold, size_t count)
{
	uint64_t word = 0;
	size_t i = 0;
	for (; i + INT16_LANES <= count; i += INT16_LANES) {
		word |= (uint64_t)int16_less_bits(x + i, threshold + i) << i;
	}
	for (; i < count; i++) {
		word |= (uint64_t)(x[i] < threshold[i]) << i;
	}
	return word;
}

/* Writes `count` bits behind the first `shift` of a word, and what does not fit into the next. */
TILE void put_bits(uint64_t *word, uint64_t bits, size_t count, unsigned shift)
{
	if (shift == 0) {
		*word = bits;
		return;
	}
	*word = (*word & (UINT64_MAX >> (64 - shift))) | bits << shift;
	if (shift + count > 64) {
		word[1] = bits >> (64 - shift);
	}
}

/* Up to 64 channels of all positions: their thresholds stay in registers. */
TILE void pack_channels(
	const struct kws_float_pack *pack, bool int16, size_t channel, size_t count, unsigned shift)
{
	size_t element = int16 ? sizeof(int16_t) : sizeof(float);
	const char *x = (const char *)pack->input + channel * element;
	const char *threshold = (const char *)pack->threshold + channel * element;
	uint64_t *word = pack->output + channel / 64;
	for (size_t p = 0; p < pack->positions; p++) {
		uint64_t bits =
			int16 ? less_bits_int16((const void *)x, (const void *)threshold, count)
			      : less_bits((const void *)x, (const void *)threshold, count);
		put_bits(word, bits, count, shift);
		x += pack->channels * element;
		word += pack->output_pitch;
	}
}

TILE void pack_positions(const struct kws_float_pack *call, bool int16)
{
	/* a copy of our own, which the words that we write cannot be part of */
	const struct kws_float_pack pack = *call;
	size_t c = 0;
	for (; c + 64 <= pack.channels && pack.shift == 0; c += 64) {
		pack_channels(&pack, int16, c, 64, 0);
	}
	for (; c + 64 <= pack.channels; c += 64) {
		pack_channels(&pack, int16, c, 64, pack.shift);
	}
	if (c < pack.channels) {
		pack_channels(&pack, int16, c, pack.channels - c, pack.shift);
	}
}

static void pack(const struct kws_float_pack *pack)
{
	pack_positions(pack, false);
}

static void pack_int16(const struct kws_float_pack *pack)
{
	pack_positions(pack, true);
}

TILE void affine_channels(const struct kws_float_affine *affine, bool int16, const void *input,
	size_t channel, float *output)
{
	vec x = int16 ? vec_load_int16((const int16_t *)input + channel)
		      : vec_load((const float *)input + channel);
	x = x * vec_load(affine->scale + channel) + vec_load(affine->bias + channel);
	vec_store(output + channel, affine->relu ? vec_larger(x, vec_broadcast(0.0f)) : x);
}

TILE void affine_channel(const struct kws_float_affine *affine, bool int16, const void *input,
	size_t channel, float *output)
{
	float x =
		int16 ? (float)((const int16_t *)input)[channel] : ((const float *)input)[channel];
	x = x * affine->scale[channel] + affine->bias[channel];
	output[channel] = affine->relu ? larger(x, 0.0f) : x;
}

TILE void affine_positions(const struct kws_float_affine *affine, bool int16)
{
	size_t bytes = affine->channels * (int16 ? sizeof(int16_t) : sizeof(float));
	for (size_t p = 0; p < affine->positions; p++) {
		const void *input = (const char *)affine->input + p * bytes;
		float *output = affine->output + p * affine->output_pitch;
		size_t c = 0;
		for (; c + LANES <= affine->channels; c += LANES) {
			affine_channels(affine, int16, input, c, output);
		}
		for (; c < affine->channels; c++) {
			affine_channel(affine, int16, input, c, output);
		}
	}
}

static void affine(const struct kws_float_affine *affine)
{
	affine_positions(affine, false);
}

static void affine_int16(const struct kws_float_affine *affine)
{
	affine_positions(affine, true);
}

/* Vectors of features that are summed at once: enough to hide how long an addition takes. */
#define SUM_VECTORS 4

TILE void sum_vectors(const struct kws_float_rows *rows, size_t f, size_t vectors)
{
	const float *x = rows->input + f;
	vec sums[SUM_VECTORS];
	for (size_t v = 0; v < vectors; v++) {
		sums[v] = vec_broadcast(0.0f);
	}
	for (size_t r = 0; r < rows->rows; r++, x += rows->row_pitch) {
		for (size_t v = 0; v < vectors; v++) {
			vec value = vec_load(x + v * LANES);
			sums[v] = sums[v] +
				  (rows->relu ? vec_larger(value, vec_broadcast(0.0f)) : value);
		}
	}
	for (size_t v = 0; v < vectors; v++) {
		vec_store(rows->output + f + v * LANES, sums[v] / vec_broadcast(rows->divisor));
	}
}

static void sum_feature(const struct kws_float_rows *rows, size_t f)
{
	const float *x = rows->input + f;
	float sum = 0.0f;
	for (size_t r = 0; r < rows->rows; r++, x += rows->row_pitch) {
		sum += rows->relu ? larger(*x, 0.0f) : *x;
	}
	rows->output[f] = sum / rows->divisor;
}

static void sum_rows(const struct kws_float_rows *rows)
{
	size_t f = 0;
	for (; f + SUM_VECTORS * LANES <= rows->features; f += SUM_VECTORS * LANES) {
		sum_vectors(rows, f, SUM_VECTORS);
	}
	for (; f + LANES <= rows->features; f += LANES) {
		sum_vectors(rows, f, 1);
	}
	for (; f < rows->features; f++) {
		sum_feature(rows, f);
	}
}

const struct kws_float_ops OPS = {
	.name = OPS_NAME,
	.cpu_flags = OPS_CPU_FLAGS,
	.conv = conv,
	.depthwise = depthwise,
	.max = max,
	.mean = mean,
	.pack = pack,
	.pack_int16 = pack_int16,
	.affine = affine,
	.affine_int16 = affine_int16,
	.sum_rows = sum_rows,
};
