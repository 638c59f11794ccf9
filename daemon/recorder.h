/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KWS_DAEMON_RECORDER_H
#define KWS_DAEMON_RECORDER_H

#include <jansson.h>
#include <stddef.h>
#include <uv.h>

#include "bnn/model.h"
#include "common/error.h"
#include "config/config.h"
#include "daemon/clips.h"
#include "exits/detector.h"
#include "ipc/publisher.h"
#include "pipeline/pipeline.h"
#include "pipeline/report.h"

/* Gives the audio of a detection to those who asked for it: as kws.audio to subscribers, as clips
 * into a folder. Without [clips] preroll_ms no audio leaves the process. Thread: loop. */
struct kws_recorder;

/* `failed(user, reason)` tells of each clip that could not be saved; `publisher` outlives the
 * recorder. Errors: KWS_ENOMEM. */
int kws_recorder_create(struct kws_recorder **out, uv_loop_t *loop, struct kws_publisher *publisher,
	void (*failed)(void *user, const char *reason), void *user);

/* Clips under way are still written. Accepts NULL. */
void kws_recorder_destroy(struct kws_recorder *recorder);

/* Whether clips can be written as configured. Errors: KWS_ENOENT with a sentence. */
int kws_recorder_check(const struct kws_config *config, struct kws_error *error);

/* Logs what [clips] asks for in vain. That is no error, for the keys that it lacks may be set next.
 */
void kws_recorder_warn(const struct kws_config *config);

/* The bytes of audio in a kws.audio message, as configured; 0: none is published. */
size_t kws_recorder_audio_bytes(const struct kws_config *config);

/* A detection or a near miss, and what is going to be published of it. */
struct kws_recorder_find {
	const struct kws_model *model;
	const struct kws_detector_event *found;
	const struct kws_report_clock *clock;
	const char *topic;
	json_t *event;
};

/* What `pipeline` has just found, before it is published: a clip tells the number that it will
 * have. Errors: those of kws_publisher_send_data(). */
int kws_recorder_take(struct kws_recorder *recorder, const struct kws_config *config,
	const struct kws_pipeline *pipeline, const struct kws_recorder_find *find);

struct kws_clips_counts kws_recorder_counts(const struct kws_recorder *recorder);

#endif
