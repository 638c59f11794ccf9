/* SPDX-License-Identifier: Apache-2.0 */
#include "common/cpu.h"

#include <stdatomic.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#if defined(__arm__) || defined(__aarch64__)
#include <sys/auxv.h>
/* Bits of AT_HWCAP, from the kernel's asm/hwcap.h of either architecture. */
#define HWCAP_32BIT_NEON (1u << 12)
#define HWCAP_64BIT_ASIMD (1u << 1)
#endif

static _Atomic uint32_t cpu_mask = KWS_CPU_ALL;

static const struct {
	const char *name;
	uint32_t mask;
} masks[] = {
	{"c", 0},
#define XX(name, bit, text, implied) {text, (bit) | (implied)},
	KWS_CPU_FLAG_MAP(XX)
#undef XX
		{"all", KWS_CPU_ALL},
};

#if defined(__x86_64__) || defined(__i386__)

/* The built-in asks XGETBV too, so that registers which the system does not save do not count. */
static uint32_t detect(void)
{
	uint32_t flags = 0;
	__builtin_cpu_init();
	if (__builtin_cpu_supports("avx2")) {
		flags |= KWS_CPU_AVX2;
	}
	if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
		__builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq") &&
		__builtin_cpu_supports("avx512vpopcntdq")) {
		flags |= KWS_CPU_AVX512;
	}
	return flags;
}

#elif defined(__aarch64__)

static uint32_t detect(void)
{
	return getauxval(AT_HWCAP) & HWCAP_64BIT_ASIMD ? KWS_CPU_NEON : 0;
}

#elif defined(__arm__)

static uint32_t detect(void)
{
	return getauxval(AT_HWCAP) & HWCAP_32BIT_NEON ? KWS_CPU_NEON : 0;
}

#else

static uint32_t detect(void)
{
	return 0;
}

#endif

uint32_t kws_cpu_detect(void)
{
	return detect();
}

uint32_t kws_cpu_flags(void)
{
	return detect() & atomic_load(&cpu_mask);
}

void kws_cpu_set_mask(uint32_t mask)
{
	atomic_store(&cpu_mask, mask);
}

int kws_cpu_parse_mask(const char *text, uint32_t *mask, struct kws_error *error)
{
	for (size_t i = 0; i < sizeof(masks) / sizeof(masks[0]); i++) {
		if (strcmp(text, masks[i].name) == 0) {
			*mask = masks[i].mask;
			return 0;
		}
	}
	return kws_fail(error, KWS_EINVAL,
		"the CPU mask '%.32s' is none of c, avx2, avx512, neon and all", text);
}

int kws_cpu_take_mask(const char *text, struct kws_error *error)
{
	uint32_t mask;
	text = text != NULL ? text : getenv("KWS_CPU_MASK");
	if (text == NULL) {
		return 0;
	}
	int result = kws_cpu_parse_mask(text, &mask, error);
	if (result == 0) {
		kws_cpu_set_mask(mask);
	}
	return result;
}
