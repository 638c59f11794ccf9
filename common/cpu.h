/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KWS_COMMON_CPU_H
#define KWS_COMMON_CPU_H

#include <stdint.h>

#include "common/error.h"

/* Which vector instructions kernels may use. A kernel family picks the first kernel of its table
 * whose flags are all in kws_cpu_flags(), when something is created or loaded.
 *
 * Columns: flag, bit, name in a mask, the flags that a CPU with this one has too. "avx512" is one
 * level: F, BW, VL, DQ and VPOPCNTDQ, as in Ice Lake, Zen 4 and later. */
#define KWS_CPU_FLAG_MAP(XX)                   \
	XX(AVX2, 1u << 0, "avx2", 0u)          \
	XX(AVX512, 1u << 1, "avx512", 1u << 0) \
	XX(NEON, 1u << 2, "neon", 0u)

enum kws_cpu_flag {
#define XX(name, bit, text, implied) KWS_CPU_##name = (bit),
	KWS_CPU_FLAG_MAP(XX)
#undef XX
};

#define KWS_CPU_ALL UINT32_MAX

/* What CPU and operating system together support. Thread: any. */
uint32_t kws_cpu_detect(void);

/* The same without what the mask takes away. Thread: any. RT-safe. */
uint32_t kws_cpu_flags(void);

/* Allows only these flags from now on, in the whole process; what was created before keeps its
 * kernels. Thread: any. */
void kws_cpu_set_mask(uint32_t mask);

/* Reads "c" (no vector instructions asked for), "avx2", "avx512", "neon" or "all"; a level allows
 * the ones below it. Errors: KWS_EINVAL with a sentence. */
int kws_cpu_parse_mask(const char *text, uint32_t *mask, struct kws_error *error);

/* For the start of a program: sets the mask from `text`, or if that is NULL from the environment's
 * KWS_CPU_MASK; leaves it when neither is there. Errors: KWS_EINVAL with a sentence. */
int kws_cpu_take_mask(const char *text, struct kws_error *error);

#endif
