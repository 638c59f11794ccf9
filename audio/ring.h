/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KWS_AUDIO_RING_H
#define KWS_AUDIO_RING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A queue of interleaved 16-bit frames from one producer thread to one consumer thread, without
 * locks. What the producer writes in one call is a block: it is queued whole or dropped whole, and
 * its arrival time and any break in the stream before it travel with it. */
struct kws_ring;

#define KWS_CHANNELS_MAX 32
#define KWS_RING_FRAMES_MAX ((size_t)1 << 24) /* 43 s at 384 kHz */

/* What goes with the frames of one kws_ring_read(). */
struct kws_ring_mark {
	uint64_t arrival_ns; /* when the returned frames arrived, CLOCK_MONOTONIC */
	bool gap;            /* nothing returned: the stream breaks at this place */
	uint64_t
		lost_frames; /* with gap: frames dropped here; 0: lost by the device, not counted */
};

/* A ring that holds at least `frames` frames of `channels` samples (rounded up to a power of two).
 * Errors: KWS_EINVAL (channels not in 1..KWS_CHANNELS_MAX, frames 0 or above
 * KWS_RING_FRAMES_MAX), KWS_ENOMEM.
 * Thread: any; each side's first call must happen after it. */
int kws_ring_create(struct kws_ring **out, unsigned channels, size_t frames);

/* Accepts NULL. Neither side may use the ring any more. */
void kws_ring_destroy(struct kws_ring *ring);

/* Queues `count` frames that arrived at `arrival_ns`. If they do not fit, none is taken, they are
 * counted as lost and the next block carries the gap. Returns whether they were taken.
 * Thread: producer. RT-safe: yes, wait-free. */
bool kws_ring_write(
	struct kws_ring *ring, const int16_t *frames, size_t count, uint64_t arrival_ns);

/* Says that the stream breaks before the next frame because `lost_frames` (0: unknown) are missing.
 * At one break at most 2^32-1 are counted. Thread: producer. RT-safe: yes, wait-free. */
void kws_ring_break(struct kws_ring *ring, uint64_t lost_frames);

/* Whether the stream broke behind the last block, where no block follows that would carry the gap;
 * `lost_frames` as in the mark. For when kws_ring_read() has nothing more and the producer has
 * ended or is given up. Thread: consumer. RT-safe: yes, wait-free. */
bool kws_ring_end_gap(const struct kws_ring *ring, uint64_t *lost_frames);

/* The largest block that kws_ring_write() would take now. Thread: producer. RT-safe: yes. */
size_t kws_ring_space(const struct kws_ring *ring);

/* Copies up to `max_frames` frames to `out`, all of one block, and fills `mark`. Returns 0 at a gap
 * (`mark->gap`, told once) and when nothing is queued.
 * Thread: consumer. RT-safe: yes, wait-free. */
size_t kws_ring_read(
	struct kws_ring *ring, int16_t *out, size_t max_frames, struct kws_ring_mark *mark);

#endif
