/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KWS_DAEMON_FINDS_H
#define KWS_DAEMON_FINDS_H

#include <stdint.h>
#include <uv.h>

#include "bnn/model.h"
#include "config/config.h"
#include "daemon/counters.h"
#include "daemon/recorder.h"
#include "exits/detector.h"
#include "ipc/publisher.h"
#include "pipeline/pipeline.h"

/* Where the detections and near misses of the pipeline go: to the subscribers with the audio that
 * was asked for, into the folder of clips, into the log and the counters. Thread: loop. */
struct kws_finds {
	struct kws_publisher *publisher;
	struct kws_recorder *recorder;
	struct kws_counters counters;
};

/* As kws_recorder_create(). Errors: KWS_ENOMEM. */
int kws_finds_init(struct kws_finds *finds, uv_loop_t *loop, struct kws_publisher *publisher,
	void (*failed)(void *user, const char *reason), void *user);

/* Clips under way are still written. Accepts one that is all zero. */
void kws_finds_finish(struct kws_finds *finds);

/* What `pipeline` has just found by `model`, in audio that arrived at `arrival_ns` of
 * CLOCK_MONOTONIC. What fails is logged. */
void kws_finds_take(struct kws_finds *finds, const struct kws_config *config,
	const struct kws_pipeline *pipeline, const struct kws_model *model,
	const struct kws_detector_event *found, uint64_t arrival_ns);

#endif
