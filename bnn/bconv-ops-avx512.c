/* SPDX-License-Identifier: Apache-2.0 */
/* AVX-512 with VPOPCNTDQ: a register holds one word of each of the eight outputs of a block. A step
 * loads the words of four blocks, compares each with the words of up to four positions, broadcast,
 * and adds the population counts to one register of sums for each pair: 3 operations for 512
 * multiply-accumulates, and 8 loads for 48 operations. One or two positions take eight blocks, so
 * that a map's corners have as much to do between the ends of loops. */
#include "bnn/bconv-ops.h"

#include <immintrin.h>
#include <stdbool.h>

#include "common/cpu.h"

#if !defined(__AVX512F__) || !defined(__AVX512VL__) || !defined(__AVX512VPOPCNTDQ__)
#error "needs -mavx512f -mavx512vl -mavx512vpopcntdq"
#endif

#define BLOCK KWS_BCONV_BLOCK
#define POSITIONS 4
#define BLOCKS 8
#define ALWAYS_INLINE inline __attribute__((always_inline))

/* sums = base - 2 * counts for the two blocks of a pair */
static ALWAYS_INLINE void store_pair(
	__m512i counts_a, __m512i counts_b, const int32_t *base, int32_t *sums)
{
	const __m512i even =
		_mm512_setr_epi32(0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30);
	__m512i counts = _mm512_permutex2var_epi32(counts_a, even, counts_b);
	_mm512_storeu_si512(
		sums, _mm512_sub_epi32(_mm512_loadu_si512(base), _mm512_slli_epi32(counts, 1)));
}

static ALWAYS_INLINE void store_one(__m512i counts, const int32_t *base, int32_t *sums)
{
	__m256i narrow = _mm512_cvtepi64_epi32(counts);
	_mm256_storeu_si256((void *)sums, _mm256_sub_epi32(_mm256_loadu_si256((const void *)base),
						  _mm256_slli_epi32(narrow, 1)));
}

/* The sums of `positions` x `blocks`, both constants where this is inlined, from block `first` on.
 * The loops over them unroll, so that counts and words are registers. */
static ALWAYS_INLINE void tile_sums(const struct kws_bconv_tile *tile, size_t positions,
	size_t blocks, size_t first, int32_t *sums)
{
	__m512i counts[POSITIONS][BLOCKS];
	const uint64_t *weights = tile->weights + first * tile->block_step;
	const uint64_t *inputs[POSITIONS];
	for (size_t p = 0; p < positions; p++) {
		inputs[p] = tile->inputs[p];
		for (size_t b = 0; b < blocks; b++) {
			counts[p][b] = _mm512_setzero_si512();
		}
	}
	for (size_t r = 0; r < tile->rows; r++) {
		for (size_t w = 0; w < tile->words; w++) {
			__m512i words[BLOCKS];
			for (size_t b = 0; b < blocks; b++) {
				words[b] = _mm512_load_si512(
					weights + b * tile->block_step + w * BLOCK);
			}
			for (size_t p = 0; p < positions; p++) {
				__m512i x = _mm512_set1_epi64((long long)inputs[p][w]);
				for (size_t b = 0; b < blocks; b++) {
					__m512i differ = _mm512_xor_si512(x, words[b]);
					counts[p][b] = _mm512_add_epi64(
						counts[p][b], _mm512_popcnt_epi64(differ));
				}
			}
		}
		weights += tile->weight_step;
		for (size_t p = 0; p < positions; p++) {
			inputs[p] += tile->input_step;
		}
	}
	for (size_t p = 0; p < positions; p++) {
		int32_t *out = sums + (p * tile->blocks + first) * BLOCK;
		const int32_t *base = tile->base + first * BLOCK;
		for (size_t b = 0; b + 1 < blocks; b += 2) {
			store_pair(
				counts[p][b], counts[p][b + 1], base + b * BLOCK, out + b * BLOCK);
		}
		if (blocks % 2 != 0) {
			store_one(counts[p][blocks - 1], base + (blocks - 1) * BLOCK,
				out + (blocks - 1) * BLOCK);
		}
	}
}

static ALWAYS_INLINE void all_blocks(
	const struct kws_bconv_tile *tile, size_t positions, int32_t *sums)
{
	size_t b = 0;
	for (; positions <= 2 && b + 8 <= tile->blocks; b += 8) {
		tile_sums(tile, positions, 8, b, sums);
	}
	for (; b + 4 <= tile->blocks; b += 4) {
		tile_sums(tile, positions, 4, b, sums);
	}
	switch (tile->blocks - b) {
	case 3:
		tile_sums(tile, positions, 3, b, sums);
		break;
	case 2:
		tile_sums(tile, positions, 2, b, sums);
		break;
	case 1:
		tile_sums(tile, positions, 1, b, sums);
		break;
	}
}

static void sums_avx512(const struct kws_bconv_tile *tile, int32_t *sums)
{
	switch (tile->positions) {
	case 4:
		all_blocks(tile, 4, sums);
		break;
	case 3:
		all_blocks(tile, 3, sums);
		break;
	case 2:
		all_blocks(tile, 2, sums);
		break;
	case 1:
		all_blocks(tile, 1, sums);
		break;
	}
}

/* Slope, scale and bias of sixteen channels. */
struct factors {
	__m512 slope;
	__m512 scale;
	__m512 bias;
};

static ALWAYS_INLINE __m512 transform_sums(__m512i sums, const struct factors *factors)
{
	__m512 a = _mm512_cvtepi32_ps(sums);
	__mmask16 negative = _mm512_cmp_ps_mask(a, _mm512_setzero_ps(), _CMP_LT_OQ);
	a = _mm512_mask_mul_ps(a, negative, a, factors->slope);
	return _mm512_add_ps(_mm512_mul_ps(a, factors->scale), factors->bias);
}

/* Where a transform reads and writes, in registers: no store to an output can change it. */
struct places {
	const float *slope;
	const float *scale;
	const float *bias;
	const int32_t *sums[POSITIONS];
	const float *residuals[POSITIONS];
	float *outputs[POSITIONS];
};

/* The channels from c on that `lanes` selects, at all positions. */
static ALWAYS_INLINE void transform_lanes(
	const struct places *places, size_t c, __mmask16 lanes, size_t positions, bool add)
{
	const struct factors factors = {
		_mm512_maskz_loadu_ps(lanes, places->slope + c),
		_mm512_maskz_loadu_ps(lanes, places->scale + c),
		_mm512_maskz_loadu_ps(lanes, places->bias + c),
	};
	for (size_t p = 0; p < positions; p++) {
		__m512i sums = _mm512_maskz_loadu_epi32(lanes, places->sums[p] + c);
		__m512 a = transform_sums(sums, &factors);
		if (add) {
			__m512 residual = _mm512_maskz_loadu_ps(lanes, places->residuals[p] + c);
			a = _mm512_add_ps(a, residual);
		}
		_mm512_mask_storeu_ps(places->outputs[p] + c, lanes, a);
	}
}

/* `positions` and `add` are constants where this is inlined. */
static ALWAYS_INLINE void transform_tile(const struct kws_bconv_transform *transform,
	const int32_t *sums, size_t positions, bool add)
{
	struct places places = {
		.slope = transform->slope, .scale = transform->scale, .bias = transform->bias};
	size_t channels = transform->channels;
	size_t c = 0;
	for (size_t p = 0; p < positions; p++) {
		places.sums[p] = sums + p * transform->sums_step;
		places.residuals[p] = transform->residuals[p];
		places.outputs[p] = transform->outputs[p];
	}
	for (; c + 16 <= channels; c += 16) {
		transform_lanes(&places, c, 0xffff, positions, add);
	}
	if (c < channels) {
		__mmask16 lanes = (__mmask16)((1u << (channels - c)) - 1);
		transform_lanes(&places, c, lanes, positions, add);
	}
}

static ALWAYS_INLINE void transform_positions(
	const struct kws_bconv_transform *transform, const int32_t *sums, size_t positions)
{
	if (transform->residuals[0] != NULL) {
		transform_tile(transform, sums, positions, true);
	} else {
		transform_tile(transform, sums, positions, false);
	}
}

static void transform_avx512(const struct kws_bconv_transform *transform, const int32_t *sums)
{
	switch (transform->positions) {
	case 4:
		transform_positions(transform, sums, 4);
		break;
	case 3:
		transform_positions(transform, sums, 3);
		break;
	case 2:
		transform_positions(transform, sums, 2);
		break;
	case 1:
		transform_positions(transform, sums, 1);
		break;
	}
}

const struct kws_bconv_ops kws_bconv_ops_avx512 = {
	.name = "avx512",
	.cpu_flags = KWS_CPU_AVX512,
	.positions = POSITIONS,
	.blocks = BLOCKS,
	.sums = sums_avx512,
	.transform = transform_avx512,
};
