/* SPDX-License-Identifier: Apache-2.0 */
#include "dsp/enhancer.h"

#include <speex/speex_preprocess.h>
#include <stdlib.h>

#include "common/error.h"
#include "common/sample.h"
#include "dsp/mel.h"

struct kws_enhancer {
	SpeexPreprocessState *speex; /* NULL: nothing is switched on */
	bool changes_samples;
	bool vad;
};

static void set_int(SpeexPreprocessState *speex, int request, spx_int32_t value)
{
	speex_preprocess_ctl(speex, request, &value);
}

static void configure(SpeexPreprocessState *speex, const struct kws_enhancer_config *config)
{
	set_int(speex, SPEEX_PREPROCESS_SET_DENOISE, config->denoise);
	set_int(speex, SPEEX_PREPROCESS_SET_NOISE_SUPPRESS, config->denoise_db);
	set_int(speex, SPEEX_PREPROCESS_SET_AGC, config->agc);
	if (config->agc) {
		float level = (float)config->agc_level;
		speex_preprocess_ctl(speex, SPEEX_PREPROCESS_SET_AGC_LEVEL, &level);
	}
	if (config->vad) { /* off at first, and SpeexDSP writes a warning to stderr even for that */
		set_int(speex, SPEEX_PREPROCESS_SET_VAD, 1);
	}
	set_int(speex, SPEEX_PREPROCESS_SET_PROB_START, config->vad_start_percent);
	set_int(speex, SPEEX_PREPROCESS_SET_PROB_CONTINUE, config->vad_continue_percent);
}

int kws_enhancer_create(struct kws_enhancer **out, const struct kws_enhancer_config *config)
{
	struct kws_enhancer *enhancer = calloc(1, sizeof(*enhancer));
	if (enhancer == NULL) {
		return KWS_ENOMEM;
	}
	enhancer->changes_samples = config->denoise || config->agc;
	enhancer->vad = config->vad;
	if (enhancer->changes_samples || enhancer->vad) {
		enhancer->speex = speex_preprocess_state_init(KWS_HOP_SAMPLES, KWS_SAMPLE_RATE_HZ);
		if (enhancer->speex == NULL) {
			free(enhancer);
			return KWS_ENOMEM;
		}
		configure(enhancer->speex, config);
	}
	*out = enhancer;
	return 0;
}

void kws_enhancer_destroy(struct kws_enhancer *enhancer)
{
	if (enhancer == NULL) {
		return;
	}
	if (enhancer->speex != NULL) {
		speex_preprocess_state_destroy(enhancer->speex);
	}
	free(enhancer);
}

size_t kws_enhancer_delay(const struct kws_enhancer *enhancer)
{
	/* SpeexDSP overlaps windows of two blocks */
	return enhancer->changes_samples ? KWS_HOP_SAMPLES : 0;
}

bool kws_enhancer_process(struct kws_enhancer *enhancer, float *samples)
{
	if (enhancer->speex == NULL) {
		return true;
	}
	spx_int16_t block[KWS_HOP_SAMPLES];
	for (int i = 0; i < KWS_HOP_SAMPLES; i++) {
		block[i] = kws_sample_to_int16(samples[i]);
	}
	int speech = speex_preprocess_run(enhancer->speex, block);
	for (int i = 0; enhancer->changes_samples && i < KWS_HOP_SAMPLES; i++) {
		samples[i] = (float)block[i] / 32768.0f;
	}
	return !enhancer->vad || speech != 0;
}
