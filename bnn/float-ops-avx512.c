/* SPDX-License-Identifier: Apache-2.0 */
/* The float kernels for AVX-512, Foundation and BW. */
#ifndef __AVX512BW__
#error "compile this file with -mavx512bw"
#endif
#include <immintrin.h>

#include "bnn/float-ops.h"
#include "common/cpu.h"

#define LANES 16
#define TILE_POSITIONS 6
#define TILE_POSITIONS_NARROW 8
#define TILE_BLOCKS 4
#define OPS kws_float_ops_avx512
#define OPS_NAME "avx512"
#define OPS_CPU_FLAGS KWS_CPU_AVX512

typedef __m512 vec;
#define vec_load(from) _mm512_loadu_ps(from)
#define vec_store(to, v) _mm512_storeu_ps(to, v)
#define vec_broadcast(x) _mm512_set1_ps(x)
#define vec_broadcast_halves(a, b) \
	_mm512_mask_blend_ps(0xff00, _mm512_set1_ps(a), _mm512_set1_ps(b))
/* maxps is a > b ? a : b to the letter: the second operand where they are equal or unordered */
#define vec_larger(a, b) _mm512_max_ps(a, b)
#define vec_less_bits(a, b) _mm512_cmp_ps_mask(a, b, _CMP_LT_OQ)
#define vec_load_int16(from) _mm512_cvtepi32_ps(_mm512_cvtepi16_epi32(load_half(from)))

#define INT16_LANES 32

static inline __m256i load_half(const int16_t *from)
{
	return _mm256_loadu_si256((const void *)from);
}

static inline uint32_t int16_less_bits(const int16_t *a, const int16_t *b)
{
	return _mm512_cmplt_epi16_mask(_mm512_loadu_si512(a), _mm512_loadu_si512(b));
}

#include "bnn/float-ops-template.h"
