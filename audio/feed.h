/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KWS_AUDIO_FEED_H
#define KWS_AUDIO_FEED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "audio/ring.h"

/* What a source writes its frames into: a ring, the wake-up of its reader, and the waiting that a
 * source needs which is not driven by a device. One feed serves one opening of a source. */
struct kws_feed;

/* The most frames that a source may write at once with kws_feed_write_all(). */
#define KWS_FEED_CHUNK_FRAMES 1024

struct kws_feed_hooks {
	/* Something new can be read. Called after each write, on the source's thread, which may be
	 * PortAudio's callback: must be RT-safe. */
	void (*wake)(void *user);
	/* The source will write no more: `code` 0 at the end of its input, else KWS_E... with the
	 * reason. Called on the source's thread. */
	void (*ended)(void *user, int code, const char *reason);
	void *user;
};

/* A feed for frames of `channels` samples with room for at least `frames` frames, but never less
 * than a few chunks nor more than KWS_RING_FRAMES_MAX. Errors: those of kws_ring_create(). Thread:
 * control. */
int kws_feed_create(struct kws_feed **out, unsigned channels, size_t frames,
	const struct kws_feed_hooks *hooks);

/* Accepts NULL. The source must be closed. Thread: control. */
void kws_feed_destroy(struct kws_feed *feed);

/* Writes a block that arrived now and wakes the reader; when the ring is full the block is dropped
 * and becomes a gap. Thread: source. RT-safe: yes, as far as the wake hook is. */
void kws_feed_write(struct kws_feed *feed, const int16_t *frames, size_t count);

/* The device lost frames before the next block: counts an xrun and puts a gap there.
 * Thread: source. RT-safe: yes. */
void kws_feed_xrun(struct kws_feed *feed);

/* Like kws_feed_write() for at most KWS_FEED_CHUNK_FRAMES frames, but waits until the reader has
 * made room: nothing is dropped. Returns false when the feed was stopped: the source must return
 * from its thread. Thread: source. */
bool kws_feed_write_all(struct kws_feed *feed, const int16_t *frames, size_t count);

/* Sleeps until CLOCK_MONOTONIC is `deadline_ns`; false when the feed was stopped.
 * Thread: source. */
bool kws_feed_sleep_until(struct kws_feed *feed, uint64_t deadline_ns);

/* Reports the end of the input (`code` 0) or a failure. Thread: source. RT-safe: no. */
void kws_feed_end(struct kws_feed *feed, int code, const char *reason);

/* Makes the waiting calls above return false from now on. A source calls it at the start of its
 * close. Thread: control. */
void kws_feed_stop(struct kws_feed *feed);

/* kws_ring_read(), then lets a waiting source go on. Thread: consumer. RT-safe: no. */
size_t kws_feed_read(
	struct kws_feed *feed, int16_t *out, size_t max_frames, struct kws_ring_mark *mark);

/* kws_ring_end_gap(). Thread: consumer. RT-safe: yes. */
bool kws_feed_end_gap(const struct kws_feed *feed, uint64_t *lost_frames);

/* How often a block arrived, also a dropped one; wraps. A value that stands still is a device that
 * is silent in the worst sense. Thread: any. */
uint32_t kws_feed_arrivals(const struct kws_feed *feed);

/* How often kws_feed_xrun() was called; wraps. Thread: any. */
uint32_t kws_feed_xruns(const struct kws_feed *feed);

#endif
