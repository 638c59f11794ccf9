/* SPDX-License-Identifier: Apache-2.0 */
#include "audio/ring.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "common/error.h"

#define CACHE_LINE_BYTES 64

/* Blocks shorter than this on average exhaust the block table before the samples; devices deliver
 * at least 1 ms at once. */
#define FRAMES_PER_BLOCK 16
#define BLOCKS_MIN 16

struct block {
	uint32_t frames;
	bool gap; /* the stream breaks before this block */
	uint64_t lost_frames;
	uint64_t arrival_ns;
};

/* All indices run freely and wrap with their type; the capacities are powers of two, so that the
 * difference of two indices stays right over the wrap. 32 bits are lock-free on every target.
 *
 * One store publishes a block: `blocks_written` is released after the samples and the record. */
struct kws_ring {
	unsigned channels;
	uint32_t frame_capacity;
	uint32_t block_capacity;
	int16_t *samples;
	struct block *blocks;

	_Alignas(CACHE_LINE_BYTES) _Atomic uint32_t blocks_written;
	uint32_t frames_written; /* producer only */
	/* What the next block will carry. The producer's; the consumer looks once no block follows.
	 */
	_Atomic bool gap_ahead;
	_Atomic uint32_t lost_ahead;

	_Alignas(CACHE_LINE_BYTES) _Atomic uint32_t blocks_read;
	_Atomic uint32_t frames_read;
	uint32_t block_used; /* this and the next: consumer only, about the block being read */
	bool gap_told;
};

static uint32_t power_of_two(size_t at_least)
{
	uint32_t value = 1;
	while (value < at_least) {
		value *= 2;
	}
	return value;
}

int kws_ring_create(struct kws_ring **out, unsigned channels, size_t frames)
{
	if (channels == 0 || channels > KWS_CHANNELS_MAX || frames == 0 ||
		frames > KWS_RING_FRAMES_MAX) {
		return KWS_EINVAL;
	}
	struct kws_ring *ring = aligned_alloc(CACHE_LINE_BYTES, sizeof(*ring));
	if (ring == NULL) {
		return KWS_ENOMEM;
	}
	memset(ring, 0, sizeof(*ring));
	ring->channels = channels;
	ring->frame_capacity = power_of_two(frames);
	ring->block_capacity = ring->frame_capacity / FRAMES_PER_BLOCK;
	if (ring->block_capacity < BLOCKS_MIN) {
		ring->block_capacity = BLOCKS_MIN;
	}
	ring->samples = calloc(ring->frame_capacity, channels * sizeof(*ring->samples));
	ring->blocks = calloc(ring->block_capacity, sizeof(*ring->blocks));
	if (ring->samples == NULL || ring->blocks == NULL) {
		kws_ring_destroy(ring);
		return KWS_ENOMEM;
	}
	*out = ring;
	return 0;
}

void kws_ring_destroy(struct kws_ring *ring)
{
	if (ring == NULL) {
		return;
	}
	free(ring->samples);
	free(ring->blocks);
	free(ring);
}

static void copy_in(struct kws_ring *ring, const int16_t *frames, uint32_t count)
{
	uint32_t start = ring->frames_written & (ring->frame_capacity - 1);
	uint32_t first = ring->frame_capacity - start;
	if (first > count) {
		first = count;
	}
	size_t frame_bytes = ring->channels * sizeof(*frames);
	memcpy(ring->samples + (size_t)start * ring->channels, frames, first * frame_bytes);
	memcpy(ring->samples, frames + (size_t)first * ring->channels,
		(count - first) * frame_bytes);
}

static void copy_out(const struct kws_ring *ring, int16_t *out, uint32_t from, uint32_t count)
{
	uint32_t start = from & (ring->frame_capacity - 1);
	uint32_t first = ring->frame_capacity - start;
	if (first > count) {
		first = count;
	}
	size_t frame_bytes = ring->channels * sizeof(*out);
	memcpy(out, ring->samples + (size_t)start * ring->channels, first * frame_bytes);
	memcpy(out + (size_t)first * ring->channels, ring->samples, (count - first) * frame_bytes);
}

bool kws_ring_write(struct kws_ring *ring, const int16_t *frames, size_t count, uint64_t arrival_ns)
{
	if (count == 0) {
		return true;
	}
	if (count > kws_ring_space(ring)) {
		kws_ring_break(ring, count);
		return false;
	}
	uint32_t index = atomic_load_explicit(&ring->blocks_written, memory_order_relaxed);
	copy_in(ring, frames, (uint32_t)count);
	ring->blocks[index & (ring->block_capacity - 1)] = (struct block){
		.frames = (uint32_t)count,
		.gap = atomic_load_explicit(&ring->gap_ahead, memory_order_relaxed),
		.lost_frames = atomic_load_explicit(&ring->lost_ahead, memory_order_relaxed),
		.arrival_ns = arrival_ns,
	};
	ring->frames_written += (uint32_t)count;
	atomic_store_explicit(&ring->gap_ahead, false, memory_order_relaxed);
	atomic_store_explicit(&ring->lost_ahead, 0, memory_order_relaxed);
	atomic_store_explicit(&ring->blocks_written, index + 1, memory_order_release);
	return true;
}

void kws_ring_break(struct kws_ring *ring, uint64_t lost_frames)
{
	/* One writer: a load and a store are enough. */
	uint32_t before = atomic_load_explicit(&ring->lost_ahead, memory_order_relaxed);
	uint32_t room = UINT32_MAX - before;
	uint32_t lost = lost_frames < room ? before + (uint32_t)lost_frames : UINT32_MAX;
	atomic_store_explicit(&ring->lost_ahead, lost, memory_order_relaxed);
	atomic_store_explicit(&ring->gap_ahead, true, memory_order_relaxed);
}

bool kws_ring_end_gap(const struct kws_ring *ring, uint64_t *lost_frames)
{
	*lost_frames = atomic_load_explicit(&ring->lost_ahead, memory_order_relaxed);
	return atomic_load_explicit(&ring->gap_ahead, memory_order_relaxed);
}

size_t kws_ring_space(const struct kws_ring *ring)
{
	/* Acquire: the consumer has finished copying what these indices give back. */
	uint32_t blocks_read = atomic_load_explicit(&ring->blocks_read, memory_order_acquire);
	uint32_t frames_read = atomic_load_explicit(&ring->frames_read, memory_order_acquire);
	uint32_t blocks_written = atomic_load_explicit(&ring->blocks_written, memory_order_relaxed);
	if (blocks_written - blocks_read == ring->block_capacity) {
		return 0;
	}
	return ring->frame_capacity - (ring->frames_written - frames_read);
}

size_t kws_ring_read(
	struct kws_ring *ring, int16_t *out, size_t max_frames, struct kws_ring_mark *mark)
{
	*mark = (struct kws_ring_mark){0};
	uint32_t index = atomic_load_explicit(&ring->blocks_read, memory_order_relaxed);
	if (atomic_load_explicit(&ring->blocks_written, memory_order_acquire) == index) {
		return 0;
	}
	const struct block *block = &ring->blocks[index & (ring->block_capacity - 1)];
	if (block->gap && !ring->gap_told) {
		ring->gap_told = true;
		mark->gap = true;
		mark->lost_frames = block->lost_frames;
		return 0;
	}
	uint32_t count = block->frames - ring->block_used;
	if (count > max_frames) {
		count = (uint32_t)max_frames;
	}
	uint32_t from = atomic_load_explicit(&ring->frames_read, memory_order_relaxed);
	copy_out(ring, out, from, count);
	mark->arrival_ns = block->arrival_ns;
	ring->block_used += count;
	bool finished = ring->block_used == block->frames;
	atomic_store_explicit(&ring->frames_read, from + count, memory_order_release);
	if (finished) {
		ring->block_used = 0;
		ring->gap_told = false;
		atomic_store_explicit(&ring->blocks_read, index + 1, memory_order_release);
	}
	return count;
}
