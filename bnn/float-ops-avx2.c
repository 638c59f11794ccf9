/* SPDX-License-Identifier: Apache-2.0 */
/* The float kernels for AVX2. */
#ifndef __AVX2__
#error "compile this file with -mavx2"
#endif
#include <immintrin.h>

#include "bnn/float-ops.h"
#include "common/cpu.h"

#define LANES 8
#define TILE_POSITIONS 6
#define TILE_POSITIONS_NARROW 6
#define TILE_BLOCKS 1
#define OPS kws_float_ops_avx2
#define OPS_NAME "avx2"
#define OPS_CPU_FLAGS KWS_CPU_AVX2

typedef __m256 vec;
#define vec_load(from) _mm256_loadu_ps(from)
#define vec_store(to, v) _mm256_storeu_ps(to, v)
#define vec_broadcast(x) _mm256_set1_ps(x)
/* maxps is a > b ? a : b to the letter: the second operand where they are equal or unordered */
#define vec_larger(a, b) _mm256_max_ps(a, b)
#define vec_less_bits(a, b) (unsigned)_mm256_movemask_ps(_mm256_cmp_ps(a, b, _CMP_LT_OQ))
#define vec_load_int16(from) _mm256_cvtepi32_ps(_mm256_cvtepi16_epi32(load_half(from)))

#define INT16_LANES 32

static inline __m128i load_half(const int16_t *from)
{
	return _mm_loadu_si128((const void *)from);
}

static inline __m256i int16_less(const int16_t *a, const int16_t *b)
{
	return _mm256_cmpgt_epi16(
		_mm256_loadu_si256((const void *)b), _mm256_loadu_si256((const void *)a));
}

static inline uint32_t int16_less_bits(const int16_t *a, const int16_t *b)
{
	/* packing leaves quarters of 8 in the order 0, 2, 1, 3 */
	__m256i bytes = _mm256_packs_epi16(int16_less(a, b), int16_less(a + 16, b + 16));
	return (uint32_t)_mm256_movemask_epi8(
		_mm256_permute4x64_epi64(bytes, _MM_SHUFFLE(3, 1, 2, 0)));
}

#include "bnn/float-ops-template.h"
