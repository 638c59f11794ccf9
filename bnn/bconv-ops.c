/* SPDX-License-Identifier: Apache-2.0 */
#include "bnn/bconv-ops.h"

const struct kws_bconv_ops *const kws_bconv_sets[] = {
#ifdef KWS_HAVE_AVX512
	&kws_bconv_ops_avx512,
#endif
#ifdef KWS_HAVE_AVX2
	&kws_bconv_ops_avx2,
#endif
#ifdef KWS_HAVE_NEON
	&kws_bconv_ops_neon,
#endif
	&kws_bconv_ops_c,
	NULL,
};

const struct kws_bconv_ops *kws_bconv_ops_find(uint32_t cpu_flags)
{
	const struct kws_bconv_ops *const *set = kws_bconv_sets;
	while (((*set)->cpu_flags & ~cpu_flags) != 0) { /* plain C needs none */
		set++;
	}
	return *set;
}
