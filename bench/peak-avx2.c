/* SPDX-License-Identifier: Apache-2.0 */
#ifndef __AVX2__
#error "compile this file with -mavx2"
#endif
#include <immintrin.h>

/* The population of every nibble by table; the byte counters are left to overflow. */
static inline __m256i add_differing(__m256i sum, __m256i x, __m256i y)
{
	const __m256i nibble = _mm256_set1_epi8(0x0f);
	const __m256i table = _mm256_setr_epi8(0, 1, 1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4, 0, 1,
		1, 2, 1, 2, 2, 3, 1, 2, 2, 3, 2, 3, 3, 4);
	__m256i bits = _mm256_xor_si256(x, y);
	__m256i low = _mm256_and_si256(bits, nibble);
	__m256i high = _mm256_and_si256(_mm256_srli_epi16(bits, 4), nibble);
	sum = _mm256_add_epi8(sum, _mm256_shuffle_epi8(table, low));
	return _mm256_add_epi8(sum, _mm256_shuffle_epi8(table, high));
}

#define VECTOR __m256i
#define REGISTER "x"
#define SIDE 2
#define ADD_DIFFERING add_differing
#define PEAK bench_peak_avx2
#include "bench/peak-template.h"
