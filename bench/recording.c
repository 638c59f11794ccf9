/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/recording.h"

#include <errno.h>
#include <math.h>
#include <sndfile.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/report.h"
#include "dsp/mel.h"
#include "dsp/resampler.h"
#include "pipeline/pipeline.h"

#define BLOCK_SAMPLES 1024
#define RESAMPLER_QUALITY 4

/* Appends a block as 16 kHz, as long as there is room. */
static void append_block(struct bench_recording *recording, struct kws_resampler *resampler,
	const float *block, size_t count, size_t samples_max)
{
	float made[BLOCK_SAMPLES];
	while (count > 0 && recording->sample_count < samples_max) {
		size_t used = count;
		size_t room = samples_max - recording->sample_count;
		size_t made_count = room < BLOCK_SAMPLES ? room : BLOCK_SAMPLES;
		kws_resampler_process(resampler, block, &used, made, &made_count);
		block += used;
		count -= used;
		for (size_t i = 0; i < made_count; i++) {
			float x = fminf(fmaxf(made[i] * 32768.0f, -32768.0f), 32767.0f);
			recording->samples[recording->sample_count++] = (int16_t)lrintf(x);
		}
	}
}

static int append_file(struct bench_recording *recording, const char *path, size_t samples_max,
	struct kws_error *error)
{
	float block[BLOCK_SAMPLES];
	struct kws_resampler *resampler;
	sf_count_t count;
	SF_INFO info = {0};
	SNDFILE *file = sf_open(path, SFM_READ, &info);
	if (file == NULL) {
		return kws_fail(error, KWS_EIO, "%s: %s", path, sf_strerror(NULL));
	}
	if (info.channels != 1 || kws_resampler_create(&resampler, (unsigned)info.samplerate,
					  RESAMPLER_QUALITY) != 0) {
		sf_close(file);
		return kws_fail(error, KWS_EFORMAT, "%s: not one channel", path);
	}
	while (recording->sample_count < samples_max &&
		(count = sf_read_float(file, block, BLOCK_SAMPLES)) > 0) {
		append_block(recording, resampler, block, (size_t)count, samples_max);
	}
	kws_resampler_destroy(resampler);
	sf_close(file);
	return 0;
}

static int read_samples(struct bench_recording *recording, const char *list, size_t samples_max,
	struct kws_error *error)
{
	char line[1024];
	int result = 0;
	FILE *paths = fopen(list, "r");
	if (paths == NULL) {
		return kws_fail(error, KWS_ENOENT, "%s: %s", list, strerror(errno));
	}
	while (result == 0 && recording->sample_count < samples_max &&
		fgets(line, sizeof(line), paths) != NULL) {
		line[strcspn(line, "\n")] = '\0';
		result = append_file(recording, line, samples_max, error);
	}
	fclose(paths);
	if (result == 0 && recording->sample_count < 2 * KWS_SAMPLE_RATE_HZ) {
		result = kws_fail(error, KWS_EFORMAT, "%s: less than two seconds of sound", list);
	}
	return result;
}

static int make_frames(struct bench_recording *recording)
{
	struct kws_mel *mel;
	int result = kws_mel_create(&mel);
	size_t at = 0;
	for (size_t i = 0; result == 0 && at + KWS_FRAME_SAMPLES <= recording->sample_count; i++) {
		float frame[KWS_FRAME_SAMPLES];
		for (size_t s = 0; s < KWS_FRAME_SAMPLES; s++) {
			frame[s] = (float)recording->samples[at + s] / 32768.0f;
		}
		kws_mel_frame(mel, frame, recording->frames + i * KWS_MEL_BANDS);
		at += KWS_HOP_SAMPLES;
	}
	if (result == 0) {
		kws_mel_destroy(mel);
	}
	return result;
}

static void on_hop(void *user, const struct kws_model *model, const struct kws_hop *hop)
{
	struct bench_recording *recording = user;
	(void)model;
	if (recording->hops < recording->hops_max) {
		recording->depths[recording->hops++] = (uint8_t)hop->exit;
	}
}

static int find_depths(
	struct bench_recording *recording, struct kws_model *model, struct kws_error *error)
{
	static const char *const overrides[] = {"model.hop_frames=1"};
	const struct kws_pipeline_sink sink = {.hop = on_hop, .user = recording};
	const struct kws_model_set alone = {1, {model}};
	struct kws_config_errors errors;
	struct kws_config *config;
	struct kws_pipeline *pipeline = NULL;
	int result = kws_config_load(&config, NULL, overrides, 1, &errors);
	if (result != 0) {
		return kws_fail(error, result, "%s", errors.text[0]);
	}
	result = kws_pipeline_create(&pipeline, &alone, config, &sink, error);
	if (result == 0) {
		result = kws_pipeline_open(pipeline, KWS_SAMPLE_RATE_HZ, 1, 0, error);
	}
	if (result == 0) {
		kws_pipeline_push(pipeline, recording->samples, recording->sample_count);
	}
	kws_pipeline_destroy(pipeline);
	kws_config_destroy(config);
	return result;
}

int bench_recording_read(struct bench_recording *recording, const char *list, size_t seconds,
	struct kws_model *model, struct kws_error *error)
{
	size_t samples_max = seconds * KWS_SAMPLE_RATE_HZ;
	size_t frames_max = samples_max / KWS_HOP_SAMPLES;
	*recording = (struct bench_recording){
		.samples = calloc(samples_max, sizeof(*recording->samples)),
		.frames = calloc(frames_max * KWS_MEL_BANDS, sizeof(*recording->frames)),
		.depths = calloc(frames_max, sizeof(*recording->depths)),
	};
	int result = KWS_ENOMEM;
	if (recording->samples != NULL && recording->frames != NULL && recording->depths != NULL) {
		result = read_samples(recording, list, samples_max, error);
	}
	if (result == 0) {
		result = make_frames(recording);
	}
	if (result == 0) {
		recording->hops_max =
			(recording->sample_count - KWS_FRAME_SAMPLES) / KWS_HOP_SAMPLES + 2 -
			KWS_WINDOW_FRAMES;
		result = find_depths(recording, model, error);
	}
	if (result != 0) {
		bench_recording_finish(recording);
	}
	return result;
}

void bench_recording_finish(struct bench_recording *recording)
{
	free(recording->samples);
	free(recording->frames);
	free(recording->depths);
	*recording = (struct bench_recording){0};
}
