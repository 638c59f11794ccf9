/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KWS_DAEMON_STREAM_H
#define KWS_DAEMON_STREAM_H

#include <jansson.h>
#include <stdbool.h>

#include "audio/capture.h"
#include "bnn/model.h"
#include "common/error.h"
#include "config/config.h"
#include "daemon/wake.h"
#include "ipc/publisher.h"
#include "pipeline/pipeline.h"
#include "systemd/watchdog.h"

/* Capture, models and pipeline of the running daemon: reads what the source delivers and publishes
 * what is found in it. Thread: loop, for all functions. */
struct kws_stream;

/* Ends the daemon: the input is over (KWS_STREAM_ENDED) or can never be had (KWS_STREAM_FAILED). */
enum kws_stream_end {
	KWS_STREAM_ENDED,
	KWS_STREAM_FAILED,
};

/* Whether a stream could be created, as far as can be told without opening the source: loads the
 * models as well. A folder for clips that cannot be written is no error, for it may come later.
 * Errors: those of kws_stream_create(), with a sentence. */
int kws_stream_check(const struct kws_config *config, struct kws_error *error);

/* Loads the models and starts to capture, muted where a daemon died muted. `config` must outlive
 * the stream or be replaced by kws_stream_apply(); `publisher` outlives it. `ended` is called at
 * most once, from the loop. Errors: those of the model, the pipeline and kws_capture_create(), with
 * a sentence. */
int kws_stream_create(struct kws_stream **out, uv_loop_t *loop, const struct kws_config *config,
	struct kws_publisher *publisher, void (*ended)(void *user, enum kws_stream_end end),
	void *user, struct kws_error *error);

/* Stops the capture and starts to close the handles; the loop frees the rest. Ends a mute, unless
 * the stream has failed: then the daemon is started anew by itself. Accepts NULL. */
void kws_stream_destroy(struct kws_stream *stream);

/* Goes over to another configuration between two hops. What a change needs is prepared first; on an
 * error nothing has changed. Only changed [audio] keys interrupt the audio; a changed
 * [model].hop_frames, [dsp] or [clips].preroll_ms starts an empty window; all others, and model
 * files that were replaced, are taken over without a break. Errors: as create. On success `config`
 * takes the place of the old one. */
int kws_stream_apply(
	struct kws_stream *stream, const struct kws_config *config, struct kws_error *error);

/* Throws away what comes in, from now on and for `for_ms` (0: until kws_stream_unmute()), in which
 * the system's sleep counts. After that there is no decision before a whole window is in. A file in
 * the runtime directory keeps it beyond the daemon's death. */
void kws_stream_mute(struct kws_stream *stream, uint64_t for_ms);
void kws_stream_unmute(struct kws_stream *stream);

/* What it does and why, as the events kws.state say: "listening: USB microphone". Valid until the
 * next call that may change it. */
const char *kws_stream_state(const struct kws_stream *stream);

/* What the watchdog wants to know. */
struct kws_progress kws_stream_progress(struct kws_stream *stream);

/* The part of the control method `status` that is known here; new reference, NULL without memory.
 */
json_t *kws_stream_status(struct kws_stream *stream);

/* The input devices as a list for the control method `devices`; new reference. */
json_t *kws_stream_devices(struct kws_stream *stream);

/* The audio level for the control method `level`, null while nothing is heard; new reference, NULL
 * without memory. */
json_t *kws_stream_level(const struct kws_stream *stream);

/* Publishes kws.level, ends a mute when the time has come, and tries again what failed for lack of
 * memory. To be called every 100 ms. */
void kws_stream_tick(struct kws_stream *stream);

#endif
