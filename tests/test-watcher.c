/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/error.h"
#include "config/watcher.h"

/* Longer than the watcher's debounce of 200 ms, with room for a slow machine. */
#define SETTLE_MS 500

/* Shorter than it: what took longer may have been told as a change. */
#define PROMPT_NS 150000000u

/* A watched file kwsd.conf in a folder of its own, with the content "one". */
struct fixture {
	uv_loop_t loop;
	char root[32];
	char folder[64];
	char path[96];
	char other[96];
	struct kws_watcher *watcher;
	int changes;
	int own_changes; /* of these */
	bool destroy_on_change;
};

static void write_file(const char *path, const char *text)
{
	FILE *file = fopen(path, "w");
	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
}

static void on_changed(void *user, bool own)
{
	struct fixture *fixture = user;
	fixture->changes++;
	fixture->own_changes += own;
	if (fixture->destroy_on_change) {
		kws_watcher_destroy(fixture->watcher);
		fixture->watcher = NULL;
	}
}

static void on_deadline(uv_timer_t *timer)
{
	uv_stop(timer->loop);
}

static void run_ms(struct fixture *fixture, uint64_t ms)
{
	uv_timer_t deadline;
	uv_timer_init(&fixture->loop, &deadline);
	uv_timer_start(&deadline, on_deadline, ms, 0);
	uv_run(&fixture->loop, UV_RUN_DEFAULT);
	uv_close((uv_handle_t *)&deadline, NULL);
	uv_run(&fixture->loop, UV_RUN_NOWAIT);
}

/* Runs until the count is reached, at most 10 s: how many changes there are is what a test says,
 * not how fast the machine is. */
static void run_until(struct fixture *fixture, int changes)
{
	for (int i = 0; i < 100 && fixture->changes < changes; i++) {
		run_ms(fixture, 100);
	}
	assert_int_equal(fixture->changes, changes);
}

static void assert_no_more_changes(struct fixture *fixture)
{
	int changes = fixture->changes;
	run_ms(fixture, SETTLE_MS);
	assert_int_equal(fixture->changes, changes);
}

static int set_up(void **state)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));
	if (fixture == NULL) {
		return -1;
	}
	strcpy(fixture->root, "/tmp/kws-test-watcher-XXXXXX");
	if (mkdtemp(fixture->root) == NULL) {
		free(fixture);
		return -1;
	}
	snprintf(fixture->folder, sizeof(fixture->folder), "%s/etc", fixture->root);
	snprintf(fixture->path, sizeof(fixture->path), "%s/kwsd.conf", fixture->folder);
	snprintf(fixture->other, sizeof(fixture->other), "%s/kwsd.conf.new", fixture->folder);
	mkdir(fixture->folder, 0700);
	write_file(fixture->path, "one");
	uv_loop_init(&fixture->loop);
	int result = kws_watcher_create(
		&fixture->watcher, &fixture->loop, fixture->path, on_changed, fixture, NULL);
	*state = fixture;
	return result;
}

static int tear_down(void **state)
{
	struct fixture *fixture = *state;
	kws_watcher_destroy(fixture->watcher);
	uv_run(&fixture->loop, UV_RUN_DEFAULT);
	int result = uv_loop_close(&fixture->loop); /* UV_EBUSY if a handle is left */
	unlink(fixture->other);
	unlink(fixture->path);
	rmdir(fixture->folder);
	result |= rmdir(fixture->root);
	free(fixture);
	return result;
}

static void test_write_in_place(void **state)
{
	struct fixture *fixture = *state;
	write_file(fixture->path, "two");
	run_until(fixture, 1);
	write_file(fixture->path, "three");
	run_until(fixture, 2);
	assert_no_more_changes(fixture);
}

static void test_own_change(void **state)
{
	struct fixture *fixture = *state;
	write_file(fixture->path, "mine");
	kws_watcher_expect(fixture->watcher);
	run_until(fixture, 1);
	assert_int_equal(fixture->own_changes, 1);
	write_file(fixture->path, "mine"); /* the same once more is told to nobody ... */
	kws_watcher_expect(fixture->watcher);
	assert_no_more_changes(fixture);
	write_file(fixture->path, "another's"); /* ... and does not wait for the next change */
	run_until(fixture, 2);
	assert_int_equal(fixture->own_changes, 1);
	write_file(fixture->path, "mine"); /* nor is it ours when another brings it back */
	run_until(fixture, 3);
	assert_int_equal(fixture->own_changes, 1);
	kws_watcher_expect(NULL);
}

/* Our content and another's within one debounce: what counts is what stands there in the end. */
static void test_own_change_replaced(void **state)
{
	struct fixture *fixture = *state;
	write_file(fixture->path, "mine");
	kws_watcher_expect(fixture->watcher);
	write_file(fixture->path, "another's");
	run_until(fixture, 1);
	assert_int_equal(fixture->own_changes, 0);
}

/* The watched directory sees nothing of a change behind a link; the link's end is another's. */
static void test_own_change_behind_a_link(void **state)
{
	struct fixture *fixture = *state;
	char target[96];
	snprintf(target, sizeof(target), "%s/target", fixture->root);
	assert_int_equal(rename(fixture->path, target), 0);
	assert_int_equal(symlink(target, fixture->path), 0);
	assert_no_more_changes(fixture);
	write_file(target, "mine");
	kws_watcher_expect(fixture->watcher);
	run_until(fixture, 1);
	assert_int_equal(fixture->own_changes, 1);
	write_file(fixture->other, "one"); /* as it was before ours */
	assert_int_equal(rename(fixture->other, fixture->path), 0);
	run_until(fixture, 2);
	assert_int_equal(fixture->own_changes, 1);
	unlink(target);
}

static void test_what_was_read_is_no_change(void **state)
{
	struct fixture *fixture = *state;
	write_file(fixture->path, "two");
	assert_true(kws_watcher_sync(fixture->watcher));
	assert_false(kws_watcher_sync(fixture->watcher));
	assert_no_more_changes(fixture);
	assert_int_equal(fixture->changes, 0);
	write_file(fixture->path, "mine");
	kws_watcher_expect(fixture->watcher);
	assert_false(kws_watcher_sync(fixture->watcher));
	write_file(fixture->path, "mine too");
	kws_watcher_expect(fixture->watcher);
	write_file(fixture->path, "another's");
	assert_true(kws_watcher_sync(fixture->watcher));
	write_file(fixture->path, "mine too"); /* ours was over before */
	run_until(fixture, 1);
	assert_int_equal(fixture->own_changes, 0);
	assert_false(kws_watcher_sync(NULL));
}

/* Whoever reads the file then is told, but nobody has changed it. */
static void test_what_cannot_be_read_for_now_is_no_change(void **state)
{
	struct fixture *fixture = *state;
	assert_int_equal(rename(fixture->path, fixture->other), 0);
	assert_int_equal(mkdir(fixture->path, 0700), 0);
	assert_false(kws_watcher_sync(fixture->watcher));
	assert_int_equal(rmdir(fixture->path), 0);
	assert_int_equal(rename(fixture->other, fixture->path), 0);
	assert_false(kws_watcher_sync(fixture->watcher));
	assert_no_more_changes(fixture);
}

static void test_rename_over(void **state)
{
	struct fixture *fixture = *state;
	/* twice: a watch of the file itself would see only the first */
	for (int i = 1; i <= 2; i++) {
		write_file(fixture->other, i == 1 ? "two" : "three");
		assert_int_equal(rename(fixture->other, fixture->path), 0);
		run_until(fixture, i);
	}
	write_file(fixture->path, "four");
	run_until(fixture, 3);
	assert_no_more_changes(fixture);
}

static void test_halves_are_one_change(void **state)
{
	struct fixture *fixture = *state;
	uint64_t began_ns = uv_hrtime();
	FILE *file = fopen(fixture->path, "w");
	assert_non_null(file);
	fputs("two ", file);
	fflush(file);
	run_ms(fixture, 30);
	fputs("halves", file);
	fflush(file);
	run_ms(fixture, 30);
	fclose(file);
	if (uv_hrtime() - began_ns >= PROMPT_NS) {
		skip(); /* on so slow a machine each half may be a change */
	}
	assert_int_equal(fixture->changes, 0);
	run_until(fixture, 1);
	assert_no_more_changes(fixture);
}

static void test_same_content_is_no_change(void **state)
{
	struct fixture *fixture = *state;
	write_file(fixture->path, "one");
	assert_no_more_changes(fixture);
	write_file(fixture->other, "one");
	assert_int_equal(rename(fixture->other, fixture->path), 0);
	assert_no_more_changes(fixture);
	assert_int_equal(fixture->changes, 0);
	write_file(fixture->path, "two");
	run_until(fixture, 1);
}

static void test_other_files_are_ignored(void **state)
{
	struct fixture *fixture = *state;
	write_file(fixture->other, "two");
	assert_no_more_changes(fixture);
	assert_int_equal(fixture->changes, 0);
}

static void test_deleted_and_made_again(void **state)
{
	struct fixture *fixture = *state;
	assert_int_equal(unlink(fixture->path), 0);
	assert_no_more_changes(fixture);
	write_file(fixture->path, "one");
	assert_no_more_changes(fixture);
	assert_int_equal(unlink(fixture->path), 0);
	assert_no_more_changes(fixture);
	assert_int_equal(fixture->changes, 0);
	write_file(fixture->path, "two");
	run_until(fixture, 1);
}

/* A file that is there but cannot be read is for the reload to report. */
static void test_unreadable_is_a_change(void **state)
{
	struct fixture *fixture = *state;
	assert_int_equal(unlink(fixture->path), 0);
	assert_int_equal(mkdir(fixture->path, 0700), 0);
	run_until(fixture, 1);
	assert_int_equal(rmdir(fixture->path), 0);
	write_file(fixture->path, "one");
	run_until(fixture, 2);
}

static void test_directory_deleted_and_made_again(void **state)
{
	struct fixture *fixture = *state;
	unlink(fixture->path);
	assert_int_equal(rmdir(fixture->folder), 0);
	assert_no_more_changes(fixture);
	assert_int_equal(mkdir(fixture->folder, 0700), 0);
	write_file(fixture->path, "two");
	run_until(fixture, 1);
	write_file(fixture->path, "three"); /* the new directory is watched */
	run_until(fixture, 2);
}

static void test_directory_swapped(void **state)
{
	struct fixture *fixture = *state;
	char old[64];
	char old_path[96];
	snprintf(old, sizeof(old), "%s/old", fixture->root);
	snprintf(old_path, sizeof(old_path), "%s/kwsd.conf", old);
	assert_int_equal(rename(fixture->folder, old), 0);
	assert_int_equal(mkdir(fixture->folder, 0700), 0);
	write_file(fixture->path, "two");
	run_until(fixture, 1);
	write_file(old_path, "three"); /* the old directory is not */
	assert_no_more_changes(fixture);
	write_file(fixture->path, "four");
	run_until(fixture, 2);
	unlink(old_path);
	rmdir(old);
}

static void test_destroy_in_callback(void **state)
{
	struct fixture *fixture = *state;
	fixture->destroy_on_change = true;
	write_file(fixture->path, "two");
	run_until(fixture, 1);
	assert_null(fixture->watcher);
}

static void test_destroy_while_waiting(void **state)
{
	struct fixture *fixture = *state;
	uint64_t began_ns = uv_hrtime();
	write_file(fixture->path, "two");
	run_ms(fixture, 50); /* the debounce runs */
	if (uv_hrtime() - began_ns < PROMPT_NS) {
		assert_int_equal(fixture->changes, 0);
	}
	kws_watcher_destroy(fixture->watcher);
	fixture->watcher = NULL;
	assert_no_more_changes(fixture);
}

static void test_no_directory(void **state)
{
	struct fixture *fixture = *state;
	struct kws_error error;
	struct kws_watcher *watcher = NULL;
	int result = kws_watcher_create(
		&watcher, &fixture->loop, "/nonexistent/kwsd.conf", on_changed, fixture, &error);
	assert_int_equal(result, KWS_ENOENT);
	assert_string_equal(
		error.text, "cannot watch /nonexistent/kwsd.conf: no such file or directory");
	assert_null(watcher);
	kws_watcher_destroy(NULL);
}

/* A bare name is watched in the working directory, a name in the root in the root. */
static void test_relative_path(void **state)
{
	struct fixture *fixture = *state;
	struct kws_watcher *watcher = NULL;
	char before[4096];
	assert_non_null(getcwd(before, sizeof(before)));
	assert_int_equal(chdir(fixture->folder), 0);
	int result = kws_watcher_create(
		&watcher, &fixture->loop, "kwsd.conf", on_changed, fixture, NULL);
	assert_int_equal(result, 0);
	write_file(fixture->path, "two");
	run_until(fixture, 2); /* this one and the fixture's */
	kws_watcher_destroy(watcher);
	assert_int_equal(chdir(before), 0);
	result = kws_watcher_create(
		&watcher, &fixture->loop, "/kwsd-test.conf", on_changed, fixture, NULL);
	assert_int_equal(result, 0);
	kws_watcher_destroy(watcher);
}

#define WATCHER_TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WATCHER_TEST(test_write_in_place),
		WATCHER_TEST(test_own_change),
		WATCHER_TEST(test_own_change_replaced),
		WATCHER_TEST(test_own_change_behind_a_link),
		WATCHER_TEST(test_what_was_read_is_no_change),
		WATCHER_TEST(test_what_cannot_be_read_for_now_is_no_change),
		WATCHER_TEST(test_rename_over),
		WATCHER_TEST(test_halves_are_one_change),
		WATCHER_TEST(test_same_content_is_no_change),
		WATCHER_TEST(test_other_files_are_ignored),
		WATCHER_TEST(test_deleted_and_made_again),
		WATCHER_TEST(test_unreadable_is_a_change),
		WATCHER_TEST(test_directory_deleted_and_made_again),
		WATCHER_TEST(test_directory_swapped),
		WATCHER_TEST(test_destroy_in_callback),
		WATCHER_TEST(test_destroy_while_waiting),
		WATCHER_TEST(test_no_directory),
		WATCHER_TEST(test_relative_path),
	};
	return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
