/* SPDX-License-Identifier: Apache-2.0 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <stdlib.h>
#include <string.h>

/* The file itself: the indices must be set close to their wrap, three days of audio away. */
#include "audio/ring.c"

#define CHANNELS 2
#define THREADED_FRAMES 3000000u
#define BLOCK_MAX 700

/* A frame that tells its number. */
static void fill(int16_t *out, uint32_t first, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		uint32_t number = first + (uint32_t)i;
		out[CHANNELS * i] = (int16_t)(uint16_t)(number & 0xffff);
		out[CHANNELS * i + 1] = (int16_t)(uint16_t)(number >> 16);
	}
}

static uint32_t number_of(const int16_t *frame)
{
	return (uint32_t)(uint16_t)frame[0] | (uint32_t)(uint16_t)frame[1] << 16;
}

static void assert_numbers(const int16_t *frames, uint32_t first, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		assert_int_equal(number_of(frames + CHANNELS * i), first + i);
	}
}

static struct kws_ring *create(size_t frames)
{
	struct kws_ring *ring = NULL;
	assert_int_equal(kws_ring_create(&ring, CHANNELS, frames), 0);
	return ring;
}

static bool write_numbers(struct kws_ring *ring, uint32_t first, size_t count)
{
	int16_t frames[CHANNELS * BLOCK_MAX];
	fill(frames, first, count);
	return kws_ring_write(ring, frames, count, first);
}

static void rejects_bad_sizes(void **state)
{
	(void)state;
	struct kws_ring *ring;
	assert_int_equal(kws_ring_create(&ring, 0, 16), KWS_EINVAL);
	assert_int_equal(kws_ring_create(&ring, KWS_CHANNELS_MAX + 1, 16), KWS_EINVAL);
	assert_int_equal(kws_ring_create(&ring, 1, 0), KWS_EINVAL);
	assert_int_equal(kws_ring_create(&ring, 1, KWS_RING_FRAMES_MAX + 1), KWS_EINVAL);
	kws_ring_destroy(NULL);
}

static void keeps_blocks_and_their_times(void **state)
{
	(void)state;
	struct kws_ring *ring = create(500);
	assert_int_equal(kws_ring_space(ring), 512);
	assert_true(write_numbers(ring, 0, 100));
	assert_true(write_numbers(ring, 100, 50));
	int16_t out[CHANNELS * 512];
	struct kws_ring_mark mark;
	assert_int_equal(kws_ring_read(ring, out, 60, &mark), 60);
	assert_int_equal(mark.arrival_ns, 0);
	assert_numbers(out, 0, 60);
	assert_int_equal(kws_ring_read(ring, out, 512, &mark), 40); /* not into the next block */
	assert_numbers(out, 60, 40);
	assert_int_equal(kws_ring_read(ring, out, 512, &mark), 50);
	assert_int_equal(mark.arrival_ns, 100);
	assert_numbers(out, 100, 50);
	assert_int_equal(kws_ring_read(ring, out, 512, &mark), 0);
	assert_false(mark.gap);
	assert_int_equal(kws_ring_space(ring), 512);
	kws_ring_destroy(ring);
}

static void tells_a_gap_in_its_place(void **state)
{
	(void)state;
	struct kws_ring *ring = create(512);
	int16_t out[CHANNELS * 512];
	struct kws_ring_mark mark;
	assert_true(write_numbers(ring, 0, 400));
	assert_false(write_numbers(ring, 400, 113)); /* one too many */
	assert_false(write_numbers(ring, 513, 200));
	assert_int_equal(kws_ring_read(ring, out, 100, &mark), 100);
	assert_true(write_numbers(ring, 713, 150));
	assert_int_equal(kws_ring_read(ring, out, 512, &mark), 300); /* all before the gap */
	assert_numbers(out, 100, 300);
	assert_int_equal(kws_ring_read(ring, out, 512, &mark), 0);
	assert_true(mark.gap);
	assert_int_equal(mark.lost_frames, 313);
	assert_int_equal(kws_ring_read(ring, out, 512, &mark), 150);
	assert_false(mark.gap);
	assert_numbers(out, 713, 150);
	kws_ring_destroy(ring);
}

static void tells_a_break_by_the_device(void **state)
{
	(void)state;
	struct kws_ring *ring = create(512);
	int16_t out[CHANNELS * 512];
	struct kws_ring_mark mark;
	assert_true(write_numbers(ring, 0, 10));
	kws_ring_break(ring, 0);
	assert_true(write_numbers(ring, 10, 10));
	assert_int_equal(kws_ring_read(ring, out, 512, &mark), 10);
	assert_int_equal(kws_ring_read(ring, out, 512, &mark), 0);
	assert_true(mark.gap);
	assert_int_equal(mark.lost_frames, 0);
	assert_int_equal(kws_ring_read(ring, out, 512, &mark), 10);
	kws_ring_destroy(ring);
}

/* Nothing is written after it that could carry it. */
static void tells_a_gap_at_the_end(void **state)
{
	(void)state;
	struct kws_ring *ring = create(512);
	int16_t out[CHANNELS * 512];
	struct kws_ring_mark mark;
	uint64_t lost;
	assert_true(write_numbers(ring, 0, 400));
	assert_false(kws_ring_end_gap(ring, &lost));
	assert_false(write_numbers(ring, 400, 113));
	assert_int_equal(kws_ring_read(ring, out, 512, &mark), 400);
	assert_int_equal(kws_ring_read(ring, out, 512, &mark), 0);
	assert_false(mark.gap);
	assert_true(kws_ring_end_gap(ring, &lost));
	assert_int_equal(lost, 113);
	kws_ring_break(ring, UINT64_MAX);
	assert_true(kws_ring_end_gap(ring, &lost));
	assert_int_equal(lost, UINT32_MAX);
	assert_true(write_numbers(ring, 513, 1)); /* the gap goes with it */
	assert_false(kws_ring_end_gap(ring, &lost));
	kws_ring_destroy(ring);
}

static void full_of_tiny_blocks_drops_too(void **state)
{
	(void)state;
	struct kws_ring *ring = create(512);
	uint32_t number = 0;
	while (write_numbers(ring, number, 1)) {
		number++;
	}
	assert_int_equal(number, 512 / FRAMES_PER_BLOCK);
	assert_int_equal(kws_ring_space(ring), 0);
	int16_t out[CHANNELS];
	struct kws_ring_mark mark;
	for (uint32_t i = 0; i < number; i++) {
		assert_int_equal(kws_ring_read(ring, out, 1, &mark), 1);
		assert_int_equal(number_of(out), i);
	}
	assert_int_equal(kws_ring_read(ring, out, 1, &mark), 0);
	kws_ring_destroy(ring);
}

static void indices_may_wrap(void **state)
{
	(void)state;
	struct kws_ring *ring = create(512);
	ring->frames_written = UINT32_MAX - 1000;
	atomic_store(&ring->frames_read, UINT32_MAX - 1000);
	atomic_store(&ring->blocks_written, UINT32_MAX - 5);
	atomic_store(&ring->blocks_read, UINT32_MAX - 5);
	int16_t out[CHANNELS * 512];
	struct kws_ring_mark mark;
	for (uint32_t number = 0; number < 6000; number += 300) {
		assert_true(write_numbers(ring, number, 300));
		assert_false(write_numbers(ring, number, 213));
		assert_int_equal(kws_ring_read(ring, out, 512, &mark), number == 0 ? 300 : 0);
		if (number > 0) {
			assert_int_equal(mark.lost_frames, 213);
			assert_int_equal(kws_ring_read(ring, out, 512, &mark), 300);
		}
		assert_numbers(out, number, 300);
	}
	kws_ring_destroy(ring);
}

/* Posted when the ring overflowed, for the first time: the consumer begins only then. */
static sem_t overflowed;

static void *produce(void *arg)
{
	struct kws_ring *ring = arg;
	bool told = false;
	int16_t frames[CHANNELS * BLOCK_MAX];
	unsigned seed = 1;
	uint32_t number = 0;
	while (number < THREADED_FRAMES) {
		size_t count = 1 + (size_t)rand_r(&seed) % BLOCK_MAX;
		fill(frames, number, count);
		if (!kws_ring_write(ring, frames, count, number) && !told) {
			told = true;
			sem_post(&overflowed);
		}
		number += (uint32_t)count;
		if (rand_r(&seed) % 8 == 0) {
			sched_yield();
		}
	}
	/* The last frame must arrive: it carries the last gap and ends the test. */
	while (kws_ring_space(ring) == 0) {
		sched_yield();
	}
	fill(frames, UINT32_MAX, 1);
	kws_ring_write(ring, frames, 1, number);
	return NULL;
}

/* Neither a frame nor its place is lost: what was dropped is told where it is missing. */
static void two_threads(void **state)
{
	(void)state;
	struct kws_ring *ring = create(4096);
	pthread_t producer;
	assert_int_equal(sem_init(&overflowed, 0, 0), 0);
	assert_int_equal(pthread_create(&producer, NULL, produce, ring), 0);
	assert_int_equal(sem_wait(&overflowed), 0);
	int16_t out[CHANNELS * BLOCK_MAX];
	struct kws_ring_mark mark;
	unsigned seed = 2;
	uint32_t expected = 0;
	uint64_t lost = 0;
	for (;;) {
		size_t wanted = 1 + (size_t)rand_r(&seed) % BLOCK_MAX;
		size_t count = kws_ring_read(ring, out, wanted, &mark);
		if (count == 0) {
			expected += (uint32_t)mark.lost_frames;
			lost += mark.lost_frames;
			sched_yield();
			continue;
		}
		assert_true(mark.arrival_ns <= expected);
		assert_true(expected - mark.arrival_ns < BLOCK_MAX);
		if (number_of(out) == UINT32_MAX) {
			assert_int_equal(expected, mark.arrival_ns);
			break;
		}
		assert_numbers(out, expected, count);
		expected += (uint32_t)count;
	}
	pthread_join(producer, NULL);
	assert_true(expected >= THREADED_FRAMES);
	assert_in_range(lost, 1, expected - 4096);
	kws_ring_destroy(ring);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rejects_bad_sizes),
		cmocka_unit_test(keeps_blocks_and_their_times),
		cmocka_unit_test(tells_a_gap_in_its_place),
		cmocka_unit_test(tells_a_break_by_the_device),
		cmocka_unit_test(tells_a_gap_at_the_end),
		cmocka_unit_test(full_of_tiny_blocks_drops_too),
		cmocka_unit_test(indices_may_wrap),
		cmocka_unit_test(two_threads),
	};
	return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
