/* SPDX-License-Identifier: Apache-2.0 */
/* The float kernels in plain C. Where the compiler may count on vectors of four floats that round
 * as single ones do, SSE2 of every x86-64 and NEON of every aarch64, it is told so. NEON of 32-bit
 * ARM is none of these: it takes numbers below the normal ones for 0, so floats stay on the VFP. */
#include "bnn/float-ops.h"

#define OPS kws_float_ops_c
#define OPS_NAME "c"
#define OPS_CPU_FLAGS 0

#if defined(__SSE2__)
#include <emmintrin.h>

#define LANES 4
#define TILE_POSITIONS 2
#define TILE_POSITIONS_NARROW 2
#define TILE_BLOCKS 1

typedef __m128 vec;
#define vec_load(from) _mm_loadu_ps(from)
#define vec_store(to, v) _mm_storeu_ps(to, v)
#define vec_broadcast(x) _mm_set1_ps(x)
/* maxps is a > b ? a : b to the letter: the second operand where they are equal or unordered */
#define vec_larger(a, b) _mm_max_ps(a, b)
#define vec_less_bits(a, b) (unsigned)_mm_movemask_ps(_mm_cmplt_ps(a, b))

static inline vec vec_load_int16(const int16_t *from)
{
	__m128i x = _mm_loadl_epi64((const void *)from);
	return _mm_cvtepi32_ps(_mm_srai_epi32(_mm_unpacklo_epi16(x, x), 16));
}

#define INT16_LANES 16

static inline __m128i int16_less(const int16_t *a, const int16_t *b)
{
	return _mm_cmplt_epi16(_mm_loadu_si128((const void *)a), _mm_loadu_si128((const void *)b));
}

static inline uint32_t int16_less_bits(const int16_t *a, const int16_t *b)
{
	__m128i bytes = _mm_packs_epi16(int16_less(a, b), int16_less(a + 8, b + 8));
	return (uint32_t)_mm_movemask_epi8(bytes);
}

#elif defined(__aarch64__)
#include <arm_neon.h>

#define LANES 4
#define TILE_POSITIONS 4
#define TILE_POSITIONS_NARROW 4
#define TILE_BLOCKS 1

typedef float32x4_t vec;
#define vec_load(from) vld1q_f32(from)
#define vec_store(to, v) vst1q_f32(to, v)
#define vec_broadcast(x) vdupq_n_f32(x)

/* not vmaxq, which makes 0.0 of 0.0 and -0.0 and hands on what is not a number */
static inline vec vec_larger(vec a, vec b)
{
	return vbslq_f32(vcgtq_f32(a, b), a, b);
}

static inline unsigned vec_less_bits(vec a, vec b)
{
	static const uint32_t bits[4] = {1, 2, 4, 8};
	return vaddvq_u32(vandq_u32(vcltq_f32(a, b), vld1q_u32(bits)));
}

static inline vec vec_load_int16(const int16_t *from)
{
	return vcvtq_f32_s32(vmovl_s16(vld1_s16(from)));
}

#define INT16_LANES 8

static inline uint32_t int16_less_bits(const int16_t *a, const int16_t *b)
{
	static const uint16_t bits[8] = {1, 2, 4, 8, 16, 32, 64, 128};
	return vaddvq_u16(vandq_u16(vcltq_s16(vld1q_s16(a), vld1q_s16(b)), vld1q_u16(bits)));
}

#else
#define LANES 1
#define TILE_POSITIONS 1
#define TILE_POSITIONS_NARROW 1
#define TILE_BLOCKS 1

typedef float vec;
#define vec_load(from) (*(from))
#define vec_store(to, v) (*(to) = (v))
#define vec_broadcast(x) (x)
#define vec_larger(a, b) larger(a, b)
#define vec_less_bits(a, b) ((a) < (b))
#define vec_load_int16(from) ((float)*(from))
#define INT16_LANES 1
#define int16_less_bits(a, b) (*(a) < *(b))
#endif

#include "bnn/float-ops-template.h"
