/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/mute.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/scratch.h"

#define NOW_MS UINT64_C(5000000)
#define LONGEST_MS (UINT64_C(1000) * KWS_MUTE_SECONDS_MAX)

static char folder[SCRATCH_BYTES];

static struct kws_mute fresh(void)
{
	struct kws_mute mute;
	struct kws_error error;
	assert_int_equal(kws_mute_init(&mute, &error), 0);
	assert_false(mute.on);
	return mute;
}

static void write_file(const char *text, size_t size)
{
	struct kws_mute mute = fresh();
	FILE *file = fopen(mute.path, "w");
	assert_non_null(file);
	assert_int_equal(fwrite(text, 1, size, file), size);
	assert_int_equal(fclose(file), 0);
}

static bool file_is_there(void)
{
	struct kws_mute mute = fresh();
	return access(mute.path, F_OK) == 0;
}

static void begin(struct kws_mute *mute, uint64_t now_ms, uint64_t for_ms)
{
	struct kws_error error;
	assert_int_equal(kws_mute_begin(mute, now_ms, for_ms, &error), 0);
	assert_true(mute->on);
}

static struct kws_mute restored(uint64_t now_ms, int code)
{
	struct kws_mute mute = fresh();
	struct kws_error error = {""};
	assert_int_equal(kws_mute_restore(&mute, now_ms, &error), code);
	if (code != 0) {
		assert_non_null(strstr(error.text, mute.path));
	}
	return mute;
}

static void end(struct kws_mute *mute)
{
	struct kws_error error;
	assert_int_equal(kws_mute_end(mute, &error), 0);
	assert_false(mute->on);
	assert_false(file_is_there());
}

static void a_mute_with_an_end_outlasts_a_death(void **state)
{
	(void)state;
	struct kws_mute first = fresh();
	struct stat info;
	begin(&first, NOW_MS, 60000);
	assert_int_equal(stat(first.path, &info), 0);
	assert_int_equal(info.st_mode & 0777, 0600);
	struct kws_mute mute = restored(NOW_MS + 1000, 0);
	assert_true(mute.on);
	assert_int_equal(kws_mute_left_ms(&mute, NOW_MS + 1000), 59000);
	assert_false(kws_mute_is_over(&mute, NOW_MS + 59999));
	assert_true(kws_mute_is_over(&mute, NOW_MS + 60000));
	end(&mute);
}

static void a_mute_without_an_end_outlasts_a_death(void **state)
{
	(void)state;
	struct kws_mute first = fresh();
	begin(&first, NOW_MS, 60000);
	begin(&first, NOW_MS, 0); /* the later one holds */
	struct kws_mute mute = restored(NOW_MS + 3600000, 0);
	assert_true(mute.on);
	assert_int_equal(mute.until_ms, 0);
	assert_false(kws_mute_is_over(&mute, UINT64_MAX));
	end(&mute);
}

static void without_a_file_nothing_is_muted(void **state)
{
	(void)state;
	assert_false(restored(NOW_MS, 0).on);
}

static void one_that_is_over_is_no_mute(void **state)
{
	(void)state;
	struct kws_mute first = fresh();
	begin(&first, NOW_MS, 60000);
	assert_false(restored(NOW_MS + 60000, 0).on);
	assert_false(file_is_there());
}

static void what_means_nothing_mutes(void **state)
{
	(void)state;
	char late[32];
	snprintf(late, sizeof(late), "%llu\n", (unsigned long long)(NOW_MS + LONGEST_MS + 1));
	const char *const texts[] = {"garbage", "\n", "-5\n", " 6000000\n", "6000000",
		"6000000\n\n", "0\n", "99999999999999999999999999\n",
		"600000000000000000000000000000000000000000", late};
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		write_file(texts[i], strlen(texts[i]));
		struct kws_mute mute = restored(NOW_MS, KWS_EFORMAT);
		assert_true(mute.on);
		assert_int_equal(mute.until_ms, 0);
		assert_true(file_is_there());
		end(&mute);
	}
}

static void the_longest_is_none_of_them(void **state)
{
	(void)state;
	struct kws_mute first = fresh();
	begin(&first, NOW_MS, LONGEST_MS);
	struct kws_mute mute = restored(NOW_MS, 0);
	assert_int_equal(kws_mute_left_ms(&mute, NOW_MS), LONGEST_MS);
	end(&mute);
}

static void what_cannot_be_written_mutes_all_the_same(void **state)
{
	(void)state;
	struct kws_mute mute = fresh();
	struct kws_error error;
	assert_int_equal(mkdir(mute.path, 0700), 0);
	assert_int_equal(kws_mute_begin(&mute, NOW_MS, 60000, &error), KWS_EIO);
	assert_non_null(strstr(error.text, mute.path));
	assert_true(mute.on);
	assert_true(restored(NOW_MS, KWS_EFORMAT).on); /* nor can it be read */
	assert_int_equal(kws_mute_end(&mute, &error), KWS_EIO);
	assert_false(mute.on);
	assert_int_equal(rmdir(mute.path), 0);
}

/* Whoever else may write in the directory must not have files of the daemon's user cut. */
static void a_link_is_not_followed(void **state)
{
	(void)state;
	struct kws_mute mute = fresh();
	struct kws_error error;
	char target[SCRATCH_BYTES + 16];
	struct stat info;
	snprintf(target, sizeof(target), "%s/precious", folder);
	FILE *file = fopen(target, "w");
	assert_non_null(file);
	fputs("gold", file);
	assert_int_equal(fclose(file), 0);
	assert_int_equal(symlink(target, mute.path), 0);
	assert_int_equal(kws_mute_begin(&mute, NOW_MS, 0, &error), KWS_EIO);
	assert_true(mute.on);
	assert_int_equal(stat(target, &info), 0);
	assert_int_equal(info.st_size, 4);
	end(&mute);
}

static int set_up(void **state)
{
	(void)state;
	return scratch_create(folder) == 0 ? setenv("KWSD_RUNTIME_DIR", folder, 1) : -1;
}

static int tear_down(void **state)
{
	(void)state;
	scratch_remove(folder);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_mute_with_an_end_outlasts_a_death),
		cmocka_unit_test(a_mute_without_an_end_outlasts_a_death),
		cmocka_unit_test(without_a_file_nothing_is_muted),
		cmocka_unit_test(one_that_is_over_is_no_mute),
		cmocka_unit_test(what_means_nothing_mutes),
		cmocka_unit_test(the_longest_is_none_of_them),
		cmocka_unit_test(what_cannot_be_written_mutes_all_the_same),
		cmocka_unit_test(a_link_is_not_followed),
	};
	int failed = cmocka_run_group_tests(tests, set_up, tear_down);
	return failed != 0;
}
