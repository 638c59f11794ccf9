/* SPDX-License-Identifier: Apache-2.0 */
/* A part that is a FIFO is a disk that hangs: who opens it to write waits for a reader. */
#include "daemon/clips.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/scratch.h"

#define POOL 4 /* libuv's threads */
#define SAMPLES 100
#define WAIT_MS 10000
#define MEBIBYTE UINT64_C(1048576)

struct rig {
	uv_loop_t loop;
	struct kws_clips *clips;
	char folder[SCRATCH_BYTES];
	int readers[KWS_CLIPS_WAITING_MAX];
	unsigned hung;     /* clips: the first ones */
	unsigned failures; /* told */
	char reason[256];
	bool other_done;
};

static void on_failed(void *user, const char *reason)
{
	struct rig *rig = user;
	rig->failures++;
	snprintf(rig->reason, sizeof(rig->reason), "%s", reason);
}

static void begin(struct rig *rig)
{
	*rig = (struct rig){0};
	assert_int_equal(scratch_create(rig->folder), 0);
	assert_int_equal(uv_loop_init(&rig->loop), 0);
	assert_int_equal(kws_clips_create(&rig->clips, &rig->loop, on_failed, rig), 0);
}

/* Clip `number` is of that millisecond of the year 2020. */
static const char *path_of(const struct rig *rig, unsigned number, const char *suffix)
{
	static char path[SCRATCH_BYTES + 64];
	snprintf(path, sizeof(path), "%s/20200101T000000.%03uZ-yes%s", rig->folder, number, suffix);
	return path;
}

static bool is_there(const struct rig *rig, unsigned number, const char *suffix)
{
	return access(path_of(rig, number, suffix), F_OK) == 0;
}

static void save_as(struct rig *rig, unsigned number, const char *name, uint64_t quota_bytes)
{
	static const int16_t samples[SAMPLES];
	json_t *event = json_pack("{s:i}", "number", (int)number);
	kws_clips_save(rig->clips, rig->folder, quota_bytes, name, INT64_C(1577836800000) + number,
		samples, SAMPLES, event);
	json_decref(event);
}

static void save(struct rig *rig, unsigned number, uint64_t quota_bytes)
{
	save_as(rig, number, "yes", quota_bytes);
}

/* The next one of those that hang until go_on(). */
static void save_hung(struct rig *rig)
{
	assert_int_equal(mkfifo(path_of(rig, rig->hung, ".part"), 0600), 0);
	save(rig, rig->hung++, MEBIBYTE);
}

static void go_on(struct rig *rig)
{
	for (unsigned i = 0; i < rig->hung; i++) {
		rig->readers[i] = open(path_of(rig, i, ".part"), O_RDONLY | O_NONBLOCK);
	}
}

static void run_out(struct rig *rig)
{
	go_on(rig);
	assert_int_equal(uv_run(&rig->loop, UV_RUN_DEFAULT), 0);
	for (unsigned i = 0; i < rig->hung; i++) {
		assert_true(rig->readers[i] >= 0);
		close(rig->readers[i]);
	}
	rig->hung = 0;
}

static void end(struct rig *rig)
{
	kws_clips_destroy(rig->clips);
	run_out(rig);
	assert_int_equal(uv_loop_close(&rig->loop), 0);
	scratch_remove(rig->folder);
}

static void do_nothing(uv_work_t *work)
{
	(void)work;
}

static void on_other_done(uv_work_t *work, int status)
{
	struct rig *rig = work->data;
	assert_int_equal(status, 0);
	rig->other_done = true;
}

static void on_time(uv_timer_t *timer)
{
	uv_close((uv_handle_t *)timer, NULL);
}

/* What the pool is given now, such as a capture to close, must not wait for the clips. Returns
 * whether it was done within WAIT_MS. */
static bool others_are_done(struct rig *rig)
{
	uv_work_t other = {.data = rig};
	uv_timer_t timer;
	rig->other_done = false;
	uv_timer_init(&rig->loop, &timer);
	uv_timer_start(&timer, on_time, WAIT_MS, 0);
	uv_queue_work(&rig->loop, &other, do_nothing, on_other_done);
	while (!rig->other_done && !uv_is_closing((uv_handle_t *)&timer)) {
		uv_run(&rig->loop, UV_RUN_ONCE);
	}
	bool in_time = rig->other_done;
	if (in_time) {
		uv_close((uv_handle_t *)&timer, NULL);
	}
	run_out(rig);
	return in_time;
}

static void a_dead_disk_leaves_workers_to_others(void **state)
{
	(void)state;
	struct rig rig;
	begin(&rig);
	for (unsigned i = 0; i < POOL; i++) {
		save_hung(&rig);
	}
	assert_true(others_are_done(&rig));
	struct kws_clips_counts counts = kws_clips_counts(rig.clips);
	assert_int_equal(counts.saved + counts.failed, POOL);
	end(&rig);
}

/* Else the second one's making of room would take the part of the first. */
static void the_next_clip_waits(void **state)
{
	(void)state;
	struct rig rig;
	begin(&rig);
	save_hung(&rig);
	save(&rig, 1, 1);
	save(&rig, 2, MEBIBYTE);
	usleep(100000);
	assert_true(is_there(&rig, 0, ".part"));
	assert_false(is_there(&rig, 1, ".wav"));
	assert_int_equal(rig.failures, 0);
	run_out(&rig);
	assert_false(is_there(&rig, 0, ".part"));
	assert_true(is_there(&rig, 1, ".wav"));
	assert_true(is_there(&rig, 2, ".wav"));
	assert_true(is_there(&rig, 2, ".json"));
	save(&rig, 3, MEBIBYTE); /* after the queue was empty */
	run_out(&rig);
	assert_true(is_there(&rig, 3, ".wav"));
	end(&rig);
}

static void the_quota_holds_for_many(void **state)
{
	(void)state;
	struct rig rig;
	begin(&rig);
	for (unsigned i = 0; i < KWS_CLIPS_WAITING_MAX; i++) {
		save(&rig, i, 400); /* one clip has 244 bytes and its event */
	}
	run_out(&rig);
	struct kws_clips_counts counts = kws_clips_counts(rig.clips);
	assert_int_equal(counts.saved, KWS_CLIPS_WAITING_MAX);
	assert_int_equal(counts.failed, 0);
	assert_int_equal(counts.removed, 2 * (KWS_CLIPS_WAITING_MAX - 1));
	assert_true(is_there(&rig, KWS_CLIPS_WAITING_MAX - 1, ".wav"));
	assert_false(is_there(&rig, KWS_CLIPS_WAITING_MAX - 2, ".wav"));
	end(&rig);
}

/* Else each new clip would take the one before it: its own is the smallest name. */
static void clips_ahead_of_the_clock_go_first(void **state)
{
	(void)state;
	struct rig rig;
	begin(&rig);
	for (unsigned i = 900; i < 903; i++) {
		save(&rig, i, MEBIBYTE);
	}
	save(&rig, 0, MEBIBYTE);
	run_out(&rig);
	for (unsigned i = 1; i <= 3; i++) {
		save(&rig, i, 900); /* room for three clips with their events */
	}
	run_out(&rig);
	assert_false(is_there(&rig, 902, ".json"));
	assert_false(is_there(&rig, 0, ".wav")); /* then the oldest again */
	for (unsigned i = 1; i <= 3; i++) {
		assert_true(is_there(&rig, i, ".wav"));
		assert_true(is_there(&rig, i, ".json"));
	}
	assert_int_equal(kws_clips_counts(rig.clips).removed, 8);
	end(&rig);
}

/* Two words of one millisecond: the first one's clip is not ahead, whatever its name. */
static void clips_of_the_same_time_are_not_ahead(void **state)
{
	(void)state;
	struct rig rig;
	begin(&rig);
	save(&rig, 1, MEBIBYTE);
	save(&rig, 2, MEBIBYTE);
	save_as(&rig, 2, "no", 600);
	run_out(&rig);
	assert_false(is_there(&rig, 1, ".wav"));
	assert_true(is_there(&rig, 2, ".wav"));
	end(&rig);
}

static void too_many_are_dropped(void **state)
{
	(void)state;
	struct rig rig;
	begin(&rig);
	save_hung(&rig);
	for (unsigned i = 1; i < KWS_CLIPS_WAITING_MAX; i++) {
		save(&rig, i, MEBIBYTE);
	}
	assert_int_equal(rig.failures, 0);
	save(&rig, KWS_CLIPS_WAITING_MAX, MEBIBYTE);
	assert_int_equal(rig.failures, 1);
	assert_string_equal(rig.reason, "too many clips wait for a slow disk");
	run_out(&rig);
	assert_true(is_there(&rig, KWS_CLIPS_WAITING_MAX - 1, ".wav"));
	assert_false(is_there(&rig, KWS_CLIPS_WAITING_MAX, ".wav"));
	end(&rig);
}

static void what_waits_at_the_end_is_written(void **state)
{
	(void)state;
	struct rig rig;
	begin(&rig);
	save_hung(&rig);
	save(&rig, 1, MEBIBYTE);
	assert_int_equal(mkdir(path_of(&rig, 2, ".part"), 0700), 0); /* cannot be written */
	save(&rig, 2, MEBIBYTE);
	save(&rig, 3, MEBIBYTE);
	kws_clips_destroy(rig.clips);
	rig.clips = NULL;
	run_out(&rig);
	assert_true(is_there(&rig, 1, ".json"));
	assert_false(is_there(&rig, 2, ".wav"));
	assert_true(is_there(&rig, 3, ".json"));
	assert_int_equal(rig.failures, 0);
	end(&rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_dead_disk_leaves_workers_to_others),
		cmocka_unit_test(the_next_clip_waits),
		cmocka_unit_test(the_quota_holds_for_many),
		cmocka_unit_test(clips_ahead_of_the_clock_go_first),
		cmocka_unit_test(clips_of_the_same_time_are_not_ahead),
		cmocka_unit_test(too_many_are_dropped),
		cmocka_unit_test(what_waits_at_the_end_is_written),
	};
	return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
