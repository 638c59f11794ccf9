/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/recorder.h"

#include <endian.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "daemon/log.h"
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

void kws_recorder_warn(const struct kws_config *config)
{
	bool saves = config->clips.folder[0] != '\0';
	bool near_misses = config->clips.near_misses;
	if (config->clips.preroll_ms == 0 && (saves || config->clips.publish || near_misses)) {
		kws_log_warning("[clips].preroll_ms is 0: no audio is kept, so there are no clips "
				"and no kws.audio");
	}
	if (near_misses && !saves) {
		kws_log_warning("[clips].near_misses: none is saved without [clips].folder");
	}
	if (near_misses && config->detector.candidate_threshold <= 0.0) {
		kws_log_warning("[clips].near_misses: there are none while "
				"[detector].candidate_threshold is 0");
	}
}

size_t kws_recorder_audio_bytes(const struct kws_config *config)
{
	size_t samples = (size_t)config->clips.preroll_ms * KWS_SAMPLE_RATE_HZ / 1000;
	return config->clips.publish ? samples * sizeof(int16_t) : 0;
}

/* The last samples that the pipeline keeps. */
struct piece {
	uint64_t start; /* positions in the stream */
	uint64_t end;
	size_t count;
};

static const char *name_of(const struct kws_recorder_find *find)
{
	return kws_model_label(find->model, find->found->label);
}

/* The samples are turned to little endian where they lie. */
static int publish_audio(struct kws_recorder *recorder, const struct kws_recorder_find *find,
	const struct piece *piece)
{
	const struct kws_audio_event audio = {
		.start_sample = piece->start,
		.end_sample = piece->end,
		.rate_hz = KWS_SAMPLE_RATE_HZ,
		.name = name_of(find),
		.hop = find->found->at.hop,
		.sample = find->found->at.sample,
		.time_ms = find->clock->time_ms,
		.monotonic_ns = find->clock->monotonic_ns,
		.model = kws_model_name(find->model),
	};
	char topic[sizeof(KWS_TOPIC_AUDIO) + KWS_KEYWORD_NAME_SIZE];
	json_t *event;
	int result = kws_event_audio(&audio, &event);
	if (result != 0) {
		return result;
	}
	snprintf(topic, sizeof(topic), "%s%s", KWS_TOPIC_AUDIO, audio.name);
	for (size_t i = 0; i < piece->count; i++) {
		recorder->samples[i] = (int16_t)htole16((uint16_t)recorder->samples[i]);
	}
	result = kws_publisher_send_data(recorder->publisher, topic, event, recorder->samples,
		piece->count * sizeof(int16_t));
	json_decref(event);
	return result;
}

/* As kwsctl monitor --json prints the event, and where the clip lies in the stream; NULL without
 * memory. */
static json_t *describe_clip(const struct kws_recorder *recorder,
	const struct kws_recorder_find *find, const struct piece *piece)
{
	json_t *stamped = NULL;
	json_t *clip = json_pack("{s:s}", "topic", find->topic);
	json_t *place = json_pack("{s:I, s:I}", "start_sample", (json_int_t)piece->start,
		"end_sample", (json_int_t)piece->end);
	if (kws_publisher_stamp(recorder->publisher, find->topic, find->event, &stamped) != 0 ||
		json_object_update(clip, stamped) != 0 || json_object_update(clip, place) != 0) {
		json_decref(clip);
		clip = NULL;
	}
	json_decref(stamped);
	json_decref(place);
	return clip;
}

static void save(struct kws_recorder *recorder, const struct kws_config *config,
	const struct kws_recorder_find *find, const struct piece *piece)
{
	json_t *clip = describe_clip(recorder, find, piece);
	kws_clips_save(recorder->clips, config->clips.folder,
		(uint64_t)config->clips.quota_mb * MEBIBYTE, name_of(find), find->clock->time_ms,
		recorder->samples, piece->count, clip);
	json_decref(clip);
}

int kws_recorder_take(struct kws_recorder *recorder, const struct kws_config *config,
	const struct kws_pipeline *pipeline, const struct kws_recorder_find *find)
{
	struct piece piece = {.count = 0};
	bool detection = find->found->type == KWS_DETECTOR_DETECTION;
	bool saves = config->clips.folder[0] != '\0' && (detection || config->clips.near_misses);
	bool publishes = config->clips.publish && detection;
	if (saves || publishes) {
		piece.count =
			kws_pipeline_preroll(pipeline, recorder->samples, SAMPLES_MAX, &piece.end);
	}
	if (piece.count == 0) {
		return 0;
	}
	piece.start = piece.end - piece.count;
	if (saves) {
		save(recorder, config, find, &piece);
	}
	return publishes ? publish_audio(recorder, find, &piece) : 0;
}

struct kws_clips_counts kws_recorder_counts(const struct kws_recorder *recorder)
{
	return kws_clips_counts(recorder->clips);
}
