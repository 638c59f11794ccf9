/* SPDX-License-Identifier: Apache-2.0 */
#ifndef __AVX512VPOPCNTDQ__
#error "compile this file with -mavx512vpopcntdq"
#endif
#include <immintrin.h>

#define VECTOR __m512i
#define REGISTER "v"
#define SIDE 4
#define ADD_DIFFERING(sum, x, y) _mm512_add_epi64(sum, _mm512_popcnt_epi64(_mm512_xor_si512(x, y)))
#define PEAK bench_peak_avx512
#include "bench/peak-template.h"
