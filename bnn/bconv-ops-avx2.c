/* SPDX-License-Identifier: Apache-2.0 */
/* AVX2: a register holds one word of each of four outputs, half a block. Bytes are counted by two
 * look-ups of their halves (Mula, Kurz and Lemire, "Faster Population Counts Using AVX2
 * Instructions", 2018) and summed in byte counters, which are emptied into sums of words before
 * they could overflow: 8 operations for 256 multiply-accumulates. */
#include "bnn/bconv-ops.h"

#include <immintrin.h>
#include <stdbool.h>

#include "common/cpu.h"
#include "common/size.h"

#if !defined(__AVX2__)
#error "needs -mavx2"
#endif

#define BLOCK KWS_BCONV_BLOCK
#define POSITIONS 4
#define HALVES 2 /* of a block, in registers */
/* A byte counter grows by at most 8 a word, so 31 words fit before it must be emptied. */
#define WORDS_PER_FLUSH 31
#define ALWAYS_INLINE inline __attribute__((always_inline))

/* The population count of each byte. */
static ALWAYS_INLINE __m256i count_bytes(__m256i x)
{
	const __m256i table = _mm256_setr_epi8(0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4, 0, 1,
		1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4);
	const __m256i low = _mm256_set1_epi8(0x0f);
	__m256i a = _mm256_shuffle_epi8(table, _mm256_and_si256(x, low));
	__m256i b = _mm256_shuffle_epi8(table, _mm256_and_si256(_mm256_srli_epi16(x, 4), low));
	return _mm256_add_epi8(a, b);
}

/* Byte counters and sums of words of some positions and both halves of a block. */
struct counters {
	__m256i bytes[POSITIONS][HALVES];
	__m256i sums[POSITIONS][HALVES];
};

static ALWAYS_INLINE void empty_bytes(struct counters *counters, size_t positions)
{
	for (size_t p = 0; p < positions; p++) {
		for (size_t h = 0; h < HALVES; h++) {
			__m256i counts =
				_mm256_sad_epu8(counters->bytes[p][h], _mm256_setzero_si256());
			counters->sums[p][h] = _mm256_add_epi64(counters->sums[p][h], counts);
			counters->bytes[p][h] = _mm256_setzero_si256();
		}
	}
}

/* Counts word w of a run at all positions. */
static ALWAYS_INLINE void count_word(struct counters *counters, const uint64_t *weights,
	const uint64_t *const *inputs, size_t w, size_t positions)
{
	const __m256i *halves = (const void *)(weights + w * BLOCK); /* 64-byte aligned */
	__m256i first = _mm256_load_si256(halves);
	__m256i second = _mm256_load_si256(halves + 1);
	for (size_t p = 0; p < positions; p++) {
		__m256i x = _mm256_set1_epi64x((long long)inputs[p][w]);
		counters->bytes[p][0] = _mm256_add_epi8(
			counters->bytes[p][0], count_bytes(_mm256_xor_si256(x, first)));
		counters->bytes[p][1] = _mm256_add_epi8(
			counters->bytes[p][1], count_bytes(_mm256_xor_si256(x, second)));
	}
}

/* sums = base - 2 * counts for the eight outputs of a block */
static ALWAYS_INLINE void store_block(
	__m256i first, __m256i second, const int32_t *base, int32_t *sums)
{
	__m256i mixed = _mm256_castps_si256(_mm256_shuffle_ps(
		_mm256_castsi256_ps(first), _mm256_castsi256_ps(second), _MM_SHUFFLE(2, 0, 2, 0)));
	__m256i counts = _mm256_permute4x64_epi64(mixed, _MM_SHUFFLE(3, 1, 2, 0));
	_mm256_storeu_si256((void *)sums, _mm256_sub_epi32(_mm256_loadu_si256((const void *)base),
						  _mm256_slli_epi32(counts, 1)));
}

/* The sums of one block; `positions` is a constant where this is inlined: the loops over it unroll,
 * so that the byte counters are registers. */
static ALWAYS_INLINE void block_sums(
	const struct kws_bconv_tile *tile, size_t positions, size_t block, int32_t *sums)
{
	struct counters counters;
	const uint64_t *weights = tile->weights + block * tile->block_step;
	const uint64_t *inputs[POSITIONS];
	size_t room = WORDS_PER_FLUSH;
	for (size_t p = 0; p < positions; p++) {
		inputs[p] = tile->inputs[p];
		for (size_t h = 0; h < HALVES; h++) {
			counters.bytes[p][h] = _mm256_setzero_si256();
			counters.sums[p][h] = _mm256_setzero_si256();
		}
	}
	for (size_t r = 0; r < tile->rows; r++) {
		for (size_t w = 0; w < tile->words;) {
			size_t end = w + kws_size_min(tile->words - w, room);
			room -= end - w;
			for (; w < end; w++) {
				count_word(&counters, weights, inputs, w, positions);
			}
			if (room == 0) {
				empty_bytes(&counters, positions);
				room = WORDS_PER_FLUSH;
			}
		}
		weights += tile->weight_step;
		for (size_t p = 0; p < positions; p++) {
			inputs[p] += tile->input_step;
		}
	}
	empty_bytes(&counters, positions);
	for (size_t p = 0; p < positions; p++) {
		store_block(counters.sums[p][0], counters.sums[p][1], tile->base + block * BLOCK,
			sums + (p * tile->blocks + block) * BLOCK);
	}
}

static void sums_avx2(const struct kws_bconv_tile *tile, int32_t *sums)
{
	for (size_t block = 0; block < tile->blocks; block++) {
		switch (tile->positions) {
		case 4:
			block_sums(tile, 4, block, sums);
			break;
		case 3:
			block_sums(tile, 3, block, sums);
			break;
		case 2:
			block_sums(tile, 2, block, sums);
			break;
		case 1:
			block_sums(tile, 1, block, sums);
			break;
		}
	}
}

/* Eight or fewer floats; the lanes after them are 0. */
static ALWAYS_INLINE __m256 load(const float *from, size_t count)
{
	const __m256i lanes = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
	return count == 8 ? _mm256_loadu_ps(from)
			  : _mm256_maskload_ps(
				    from, _mm256_cmpgt_epi32(_mm256_set1_epi32((int)count), lanes));
}

static ALWAYS_INLINE void store(float *to, size_t count, __m256 values)
{
	float last[8];
	if (count == 8) {
		_mm256_storeu_ps(to, values);
		return;
	}
	_mm256_storeu_ps(last, values);
	for (size_t i = 0; i < count; i++) {
		to[i] = last[i];
	}
}

/* `count` channels from c on, at all positions. The sums may be read up to a multiple of eight. */
static ALWAYS_INLINE void transform_lanes(const struct kws_bconv_transform *transform,
	const int32_t *sums, size_t c, size_t count, bool add)
{
	const __m256 zero = _mm256_setzero_ps();
	const __m256 slope = load(transform->slope + c, count);
	const __m256 scale = load(transform->scale + c, count);
	const __m256 bias = load(transform->bias + c, count);
	for (size_t p = 0; p < transform->positions; p++) {
		const int32_t *from = sums + p * transform->sums_step + c;
		__m256 a = _mm256_cvtepi32_ps(_mm256_loadu_si256((const void *)from));
		__m256 sloped = _mm256_mul_ps(a, slope);
		a = _mm256_blendv_ps(a, sloped, _mm256_cmp_ps(a, zero, _CMP_LT_OQ));
		a = _mm256_add_ps(_mm256_mul_ps(a, scale), bias);
		if (add) {
			a = _mm256_add_ps(a, load(transform->residuals[p] + c, count));
		}
		store(transform->outputs[p] + c, count, a);
	}
}

static ALWAYS_INLINE void transform_channels(
	const struct kws_bconv_transform *transform, const int32_t *sums, bool add)
{
	size_t channels = transform->channels;
	size_t c = 0;
	for (; c + 8 <= channels; c += 8) {
		transform_lanes(transform, sums, c, 8, add);
	}
	if (c < channels) {
		transform_lanes(transform, sums, c, channels - c, add);
	}
}

static void transform_avx2(const struct kws_bconv_transform *transform, const int32_t *sums)
{
	if (transform->residuals[0] != NULL) {
		transform_channels(transform, sums, true);
	} else {
		transform_channels(transform, sums, false);
	}
}

const struct kws_bconv_ops kws_bconv_ops_avx2 = {
	.name = "avx2",
	.cpu_flags = KWS_CPU_AVX2,
	.positions = POSITIONS,
	.blocks = 1,
	.sums = sums_avx2,
	.transform = transform_avx2,
};
