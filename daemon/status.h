/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KWS_DAEMON_STATUS_H
#define KWS_DAEMON_STATUS_H

#include <jansson.h>
#include <stdint.h>

#include "audio/capture.h"
#include "daemon/clips.h"
#include "daemon/counters.h"
#include "daemon/mute.h"
#include "dsp/level.h"
#include "pipeline/pipeline.h"

/* What the parts of the stream tell of themselves, as JSON for the control methods. Each returns a
 * new reference, NULL without memory. Thread: loop. */

/* `source` is the configured type; the counters are those that capture does not know. */
json_t *kws_status_audio(const struct kws_capture_status *capture, const char *source,
	uint64_t zero_periods, uint64_t suspends);
/* `capture` may be NULL: no devices. */
json_t *kws_status_devices(struct kws_capture *capture);
/* `level` NULL: nothing is heard, which gives null for its figures. */
json_t *kws_status_level(const struct kws_level *level, const struct kws_mute *mute);
json_t *kws_status_mute(const struct kws_mute *mute, uint64_t now_ms);
/* The figures of all models together, and of each in `models`, with what `counters` has of it. */
json_t *kws_status_network(
	const struct kws_pipeline *pipeline, const struct kws_counters *counters);
json_t *kws_status_clips(const struct kws_clips_counts *counts);

#endif
