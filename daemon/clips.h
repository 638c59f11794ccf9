/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KWS_DAEMON_CLIPS_H
#define KWS_DAEMON_CLIPS_H

#include <jansson.h>
#include <stdint.h>
#include <uv.h>

/* Saves what was heard as FOLDER/TIME-NAME.wav with its event as FOLDER/TIME-NAME.json, and removes
 * the oldest clips where they pass a quota; one whose time lies ahead of the new clip's, because
 * the clock went back, counts as the oldest. A worker thread of libuv writes, one clip after the
 * other in their order, so that a slow card holds nothing up and a dead one keeps but one of the
 * workers. Thread: loop, for all functions and the callback. */
struct kws_clips;

/* Jobs that wait at most, with the one under way; a clip that comes then is dropped and counted as
 * failed. */
#define KWS_CLIPS_WAITING_MAX 8

struct kws_clips_counts {
	uint64_t saved;
	uint64_t failed;
	uint64_t removed; /* for the quota */
};

/* `failed(user, reason)` tells of each clip that could not be saved. Errors: KWS_ENOMEM. */
int kws_clips_create(struct kws_clips **out, uv_loop_t *loop,
	void (*failed)(void *user, const char *reason), void *user);

/* What waits is still written, but nobody is told; the loop frees the rest. Accepts NULL. */
void kws_clips_destroy(struct kws_clips *clips);

/* Copies all it needs. `folder` exists; `name` is the keyword's, `time_ms` since 1970; `event` is
 * what the JSON says, NULL: there was no memory for it. */
void kws_clips_save(struct kws_clips *clips, const char *folder, uint64_t quota_bytes,
	const char *name, int64_t time_ms, const int16_t *samples, size_t count, json_t *event);

struct kws_clips_counts kws_clips_counts(const struct kws_clips *clips);

#endif
