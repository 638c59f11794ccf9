/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/recorder.h"

#include <endian.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "dsp/mel.h"
#include "ipc/event.h"

#define SAMPLES_MAX (30 * KWS_SAMPLE_RATE_HZ) /* [clips] preroll_ms at most */
#define MEBIBYTE UINT64_C(1048576)

struct kws_recorder {
	struct kws_publisher *publisher;
	struct kws_clips *clips;
	int16_t samples[SAMPLES_MAX]; /* copied from the pipeline */
};

int kws_recorder_create(struct kws_recorder **out, uv_loop_t *loop, struct kws_publisher *publisher,
	void (*failed)(void *user, const char *reason), void *user)
{
	struct kws_recorder *recorder = calloc(1, sizeof(*recorder));
	if (recorder == NULL) {
		return KWS_ENOMEM;
	}
	recorder->publisher = publisher;
	if (kws_clips_create(&recorder->clips, loop, failed, user) != 0) {
		free(recorder);
		return KWS_ENOMEM;
	}
	*out = recorder;
	return 0;
}

void kws_recorder_destroy(struct kws_recorder *recorder)
{
	if (recorder != NULL) {
		kws_clips_destroy(recorder->clips);
		free(recorder);
	}
}

int kws_recorder_check(const struct kws_config *config, struct kws_error *error)
{
	const char *folder = config->clips.folder;
	if (folder[0] != '\0' && access(folder, W_OK | X_OK) != 0) {
		return kws_fail(error, KWS_ENOENT, "[clips].folder: cannot write to '%.120s': %s",
			folder, strerror(errno));
	}
	return 0;
}

size_t kws_recorder_audio_bytes(const struct kws_config *config)
{
	size_t samples = (size_t)config->clips.preroll_ms * KWS_SAMPLE_RATE_HZ / 1000;
	return config->clips.publish ? samples * sizeof(int16_t) : 0;
}

/* The first `count` samples, which end at `end`; they are turned to little endian where they lie.
 */
static int publish_audio(
	struct kws_recorder *recorder, const char *name, uint64_t end, size_t count)
{
	struct kws_audio_event audio = {name, end - count, end, KWS_SAMPLE_RATE_HZ};
	char topic[sizeof(KWS_TOPIC_AUDIO) + KWS_KEYWORD_NAME_SIZE];
	json_t *event;
	int result = kws_event_audio(&audio, &event);
	if (result != 0) {
		return result;
	}
	snprintf(topic, sizeof(topic), "%s%s", KWS_TOPIC_AUDIO, name);
	for (size_t i = 0; i < count; i++) {
		recorder->samples[i] = (int16_t)htole16((uint16_t)recorder->samples[i]);
	}
	result = kws_publisher_send_data(
		recorder->publisher, topic, event, recorder->samples, count * sizeof(int16_t));
	json_decref(event);
	return result;
}

int kws_recorder_take(struct kws_recorder *recorder, const struct kws_config *config,
	const struct kws_pipeline *pipeline, const char *name, bool detection, int64_t time_ms,
	json_t *event)
{
	uint64_t end;
	bool save = config->clips.folder[0] != '\0' && (detection || config->clips.near_misses);
	bool publish = config->clips.publish && detection;
	size_t count = save || publish ? kws_pipeline_preroll(
						 pipeline, recorder->samples, SAMPLES_MAX, &end)
				       : 0;
	if (count == 0) {
		return 0;
	}
	if (save) {
		kws_clips_save(recorder->clips, config->clips.folder,
			(uint64_t)config->clips.quota_mb * MEBIBYTE, name, time_ms,
			recorder->samples, count, event);
	}
	return publish ? publish_audio(recorder, name, end, count) : 0;
}

struct kws_clips_counts kws_recorder_counts(const struct kws_recorder *recorder)
{
	return kws_clips_counts(recorder->clips);
}
