/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline/preroll.h"

#include <stdlib.h>

#include "common/error.h"
#include "common/sample.h"
#include "dsp/mel.h"

struct kws_preroll {
	size_t size; /* of the ring: whole blocks */
	size_t fill;
	size_t next; /* where the next sample goes */
	uint64_t end;
	int16_t samples[];
};

int kws_preroll_create(struct kws_preroll **out, size_t samples)
{
	size_t blocks = (samples + KWS_HOP_SAMPLES - 1) / KWS_HOP_SAMPLES;
	size_t size = blocks * KWS_HOP_SAMPLES;
	struct kws_preroll *preroll = calloc(1, sizeof(*preroll) + size * sizeof(int16_t));
	if (preroll == NULL) {
		return KWS_ENOMEM;
	}
	preroll->size = size;
	*out = preroll;
	return 0;
}

void kws_preroll_destroy(struct kws_preroll *preroll)
{
	free(preroll);
}

void kws_preroll_push(struct kws_preroll *preroll, const float *block, uint64_t end)
{
	if (end != preroll->end + KWS_HOP_SAMPLES) {
		preroll->fill = 0;
	}
	for (size_t i = 0; i < KWS_HOP_SAMPLES; i++) {
		preroll->samples[preroll->next + i] = kws_sample_to_int16(block[i]);
	}
	preroll->next = (preroll->next + KWS_HOP_SAMPLES) % preroll->size;
	preroll->fill += preroll->fill < preroll->size ? KWS_HOP_SAMPLES : 0;
	preroll->end = end;
}

void kws_preroll_clear(struct kws_preroll *preroll)
{
	preroll->fill = 0;
}

size_t kws_preroll_copy(
	const struct kws_preroll *preroll, int16_t *samples, size_t max, uint64_t *end)
{
	size_t count = preroll->fill < max ? preroll->fill : max;
	for (size_t i = 0; i < count; i++) {
		size_t at = preroll->next + preroll->size - count + i;
		samples[i] = preroll->samples[at % preroll->size];
	}
	*end = preroll->end;
	return count;
}
