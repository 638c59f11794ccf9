/* SPDX-License-Identifier: Apache-2.0 */
#include "audio/feed.h"

#include <stdatomic.h>
#include <stdlib.h>

#include "audio/monitor.h"
#include "common/clock.h"
#include "common/error.h"

#define CHUNKS_MIN 4

struct kws_feed {
	struct kws_ring *ring;
	struct kws_feed_hooks hooks;
	_Atomic uint32_t arrivals;
	_Atomic uint32_t xruns;
	/* For sources that wait; a device's callback never takes the lock. */
	struct kws_monitor monitor; /* notified when frames were read and when stopped is set */
	bool stopped;
};

int kws_feed_create(
	struct kws_feed **out, unsigned channels, size_t frames, const struct kws_feed_hooks *hooks)
{
	struct kws_feed *feed = calloc(1, sizeof(*feed));
	if (feed == NULL) {
		return KWS_ENOMEM;
	}
	feed->hooks = *hooks;
	if (frames < CHUNKS_MIN * KWS_FEED_CHUNK_FRAMES) {
		frames = CHUNKS_MIN * KWS_FEED_CHUNK_FRAMES;
	}
	if (frames > KWS_RING_FRAMES_MAX) {
		frames = KWS_RING_FRAMES_MAX;
	}
	int result = kws_ring_create(&feed->ring, channels, frames);
	if (result == 0) {
		result = kws_monitor_init(&feed->monitor);
	}
	if (result < 0) {
		kws_ring_destroy(feed->ring);
		free(feed);
		return result;
	}
	*out = feed;
	return 0;
}

void kws_feed_destroy(struct kws_feed *feed)
{
	if (feed == NULL) {
		return;
	}
	kws_monitor_finish(&feed->monitor);
	kws_ring_destroy(feed->ring);
	free(feed);
}

void kws_feed_write(struct kws_feed *feed, const int16_t *frames, size_t count)
{
	kws_ring_write(feed->ring, frames, count, kws_clock_monotonic_ns());
	atomic_fetch_add_explicit(&feed->arrivals, 1, memory_order_relaxed);
	feed->hooks.wake(feed->hooks.user);
}

void kws_feed_xrun(struct kws_feed *feed)
{
	atomic_fetch_add_explicit(&feed->xruns, 1, memory_order_relaxed);
	kws_ring_break(feed->ring, 0);
}

bool kws_feed_write_all(struct kws_feed *feed, const int16_t *frames, size_t count)
{
	/* The reader frees space before it takes the lock to signal, so a look at the space under
	 * the lock cannot miss it. */
	kws_monitor_lock(&feed->monitor);
	while (!feed->stopped && kws_ring_space(feed->ring) < count) {
		kws_monitor_wait(&feed->monitor);
	}
	bool stopped = feed->stopped;
	kws_monitor_unlock(&feed->monitor);
	if (stopped) {
		return false;
	}
	kws_feed_write(feed, frames, count);
	return true;
}

bool kws_feed_sleep_until(struct kws_feed *feed, uint64_t deadline_ns)
{
	kws_monitor_lock(&feed->monitor);
	while (!feed->stopped && kws_clock_monotonic_ns() < deadline_ns) {
		kws_monitor_wait_until(&feed->monitor, deadline_ns);
	}
	bool stopped = feed->stopped;
	kws_monitor_unlock(&feed->monitor);
	return !stopped;
}

void kws_feed_end(struct kws_feed *feed, int code, const char *reason)
{
	feed->hooks.ended(feed->hooks.user, code, reason);
}

void kws_feed_stop(struct kws_feed *feed)
{
	kws_monitor_lock(&feed->monitor);
	feed->stopped = true;
	kws_monitor_notify(&feed->monitor);
	kws_monitor_unlock(&feed->monitor);
}

size_t kws_feed_read(
	struct kws_feed *feed, int16_t *out, size_t max_frames, struct kws_ring_mark *mark)
{
	size_t count = kws_ring_read(feed->ring, out, max_frames, mark);
	if (count > 0) {
		kws_monitor_lock(&feed->monitor);
		kws_monitor_notify(&feed->monitor);
		kws_monitor_unlock(&feed->monitor);
	}
	return count;
}

bool kws_feed_end_gap(const struct kws_feed *feed, uint64_t *lost_frames)
{
	return kws_ring_end_gap(feed->ring, lost_frames);
}

uint32_t kws_feed_arrivals(const struct kws_feed *feed)
{
	return atomic_load_explicit(&feed->arrivals, memory_order_relaxed);
}

uint32_t kws_feed_xruns(const struct kws_feed *feed)
{
	return atomic_load_explicit(&feed->xruns, memory_order_relaxed);
}
