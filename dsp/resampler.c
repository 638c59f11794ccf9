/* SPDX-License-Identifier: Apache-2.0 */
#include "dsp/resampler.h"

#include <speex/speex_resampler.h>
#include <stdlib.h>
#include <string.h>

#include "common/error.h"
#include "dsp/mel.h"

struct kws_resampler {
	SpeexResamplerState *speex; /* NULL: already at the right rate */
};

int kws_resampler_create(struct kws_resampler **out, unsigned rate_hz, int quality)
{
	if (rate_hz == 0 || quality < SPEEX_RESAMPLER_QUALITY_MIN ||
		quality > SPEEX_RESAMPLER_QUALITY_MAX) {
		return KWS_EINVAL;
	}
	struct kws_resampler *resampler = calloc(1, sizeof(*resampler));
	if (resampler == NULL) {
		return KWS_ENOMEM;
	}
	if (rate_hz != KWS_SAMPLE_RATE_HZ) {
		int error = RESAMPLER_ERR_SUCCESS;
		resampler->speex =
			speex_resampler_init(1, rate_hz, KWS_SAMPLE_RATE_HZ, quality, &error);
		if (resampler->speex == NULL) {
			free(resampler);
			return error == RESAMPLER_ERR_ALLOC_FAILED ? KWS_ENOMEM : KWS_EINVAL;
		}
		/* drop the filter's delay, so that positions in the output are positions in the
		 * input */
		speex_resampler_skip_zeros(resampler->speex);
	}
	*out = resampler;
	return 0;
}

void kws_resampler_destroy(struct kws_resampler *resampler)
{
	if (resampler == NULL) {
		return;
	}
	if (resampler->speex != NULL) {
		speex_resampler_destroy(resampler->speex);
	}
	free(resampler);
}

void kws_resampler_process(struct kws_resampler *resampler, const float *in, size_t *in_count,
	float *out, size_t *out_count)
{
	if (resampler->speex == NULL) {
		size_t count = *in_count < *out_count ? *in_count : *out_count;
		memcpy(out, in, count * sizeof(*out));
		*in_count = count;
		*out_count = count;
		return;
	}
	spx_uint32_t used = (spx_uint32_t)*in_count;
	spx_uint32_t made = (spx_uint32_t)*out_count;
	speex_resampler_process_float(resampler->speex, 0, in, &used, out, &made);
	*in_count = used;
	*out_count = made;
}

size_t kws_resampler_latency(const struct kws_resampler *resampler)
{
	return resampler->speex != NULL
		       ? (size_t)speex_resampler_get_input_latency(resampler->speex)
		       : 0;
}

void kws_resampler_reset(struct kws_resampler *resampler)
{
	if (resampler->speex != NULL) {
		speex_resampler_reset_mem(resampler->speex);
		speex_resampler_skip_zeros(resampler->speex);
	}
}
