/* SPDX-License-Identifier: Apache-2.0 */
#include "common/file.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/scratch.h"

static char folder[SCRATCH_BYTES];
static char path[SCRATCH_BYTES + 16];
static char beside[SCRATCH_BYTES + 16];
static char other[SCRATCH_BYTES + 16];

static int set_up(void **state)
{
	(void)state;
	assert_int_equal(scratch_create(folder), 0);
	snprintf(path, sizeof(path), "%s/file", folder);
	snprintf(beside, sizeof(beside), "%s/file.new", folder);
	snprintf(other, sizeof(other), "%s/other", folder);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	scratch_remove(folder);
	return 0;
}

static void assert_file(const char *name, const char *wanted, mode_t mode)
{
	struct stat info;
	struct kws_error error;
	char *data;
	size_t length;
	assert_int_equal(lstat(name, &info), 0);
	assert_true(S_ISREG(info.st_mode));
	assert_int_equal(info.st_mode & 07777, mode);
	assert_int_equal(kws_file_read(name, 100, &data, &length, &error), 0);
	assert_int_equal(length, strlen(wanted));
	assert_memory_equal(data, wanted, length);
	free(data);
}

static int create(const char *text, mode_t mode, struct kws_error *error)
{
	const struct kws_file_new how = {.mode = mode, .lasting = true};
	return kws_file_create(path, &how, text, strlen(text), error);
}

static int replace(const char *text, mode_t mode, struct kws_error *error)
{
	const struct kws_file_new how = {.mode = mode};
	return kws_file_replace(path, &how, text, strlen(text), error);
}

static void a_new_file_has_its_mode(void **state)
{
	struct kws_error error;
	struct stat info;
	(void)state;
	mode_t before = umask(077);
	assert_int_equal(create("one", 0644, &error), 0);
	assert_file(path, "one", 0644);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(create("two", KWS_FILE_USUAL_MODE, &error), 0);
	assert_file(path, "two", 0600);
	umask(022);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(create("", KWS_FILE_USUAL_MODE, &error), 0);
	assert_file(path, "", 0644);
	assert_int_equal(replace("", 0, &error), 0);
	assert_int_equal(stat(path, &info), 0);
	assert_int_equal(info.st_mode & 07777, 0);
	umask(before);
}

static void what_exists_is_kept(void **state)
{
	struct kws_error error;
	(void)state;
	assert_int_equal(create("one", 0600, &error), 0);
	assert_int_equal(create("two", 0600, &error), KWS_EBUSY);
	assert_file(path, "one", 0600);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(symlink(other, path), 0);
	assert_int_equal(create("two", 0600, &error), KWS_EBUSY);
	assert_string_equal(error.text, "File exists");
	assert_int_not_equal(access(other, F_OK), 0);
}

/* Only root may give a file away; others keep what is theirs. */
static void the_owner_stays_who_it_is(void **state)
{
	struct kws_error error;
	struct stat wanted;
	struct stat info;
	(void)state;
	assert_int_equal(geteuid() == 0 ? chown(folder, 12, 34) : 0, 0);
	assert_int_equal(stat(folder, &wanted), 0);
	const struct kws_file_new how = {.mode = 04640, .owner = &wanted};
	assert_int_equal(kws_file_create(path, &how, "one", 3, &error), 0);
	assert_file(path, "one", 04640);
	assert_int_equal(stat(path, &info), 0);
	assert_int_equal(info.st_uid, wanted.st_uid);
	assert_int_equal(info.st_gid, wanted.st_gid);
}

static void the_new_text_takes_the_name(void **state)
{
	struct kws_error error;
	(void)state;
	assert_int_equal(replace("one", 0600, &error), 0);
	assert_file(path, "one", 0600);
	assert_int_equal(replace("two", 0644, &error), 0);
	assert_file(path, "two", 0644);
	assert_int_equal(scratch_count(folder), 1);
}

/* Nor a link followed that stands where the file is to be. */
static void what_stands_beside_it_is_kept(void **state)
{
	struct kws_error error;
	(void)state;
	assert_int_equal(symlink(other, path), 0);
	assert_int_equal(rename(path, beside), 0);
	assert_int_equal(symlink(other, path), 0);
	assert_int_equal(replace("one", 0644, &error), 0);
	assert_file(path, "one", 0644);
	assert_int_not_equal(access(other, F_OK), 0);
	assert_int_equal(scratch_count(folder), 2);
}

static void a_name_that_cannot_be_taken_leaves_no_draft(void **state)
{
	struct kws_error error;
	(void)state;
	assert_int_equal(mkdir(path, 0700), 0);
	assert_int_equal(replace("one", 0644, &error), KWS_EIO);
	assert_string_equal(error.text, "Is a directory");
	assert_int_equal(scratch_count(folder), 1);
}

/* A limit in place of a full disk. */
static void a_part_is_removed(void **state)
{
	struct kws_error error;
	struct rlimit limit;
	(void)state;
	assert_int_equal(replace("one", 0644, &error), 0);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
	const struct rlimit small = {4, limit.rlim_max};
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	int result = replace("longer", 0644, &error);
	assert_file(path, "one", 0644);
	unlink(path);
	int created = create("longer", 0644, &error);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
	assert_int_equal(result, KWS_EIO);
	assert_int_equal(created, KWS_EIO);
	assert_string_equal(error.text, "File too large");
	assert_int_equal(scratch_count(folder), 0);
}

static void what_did_not_arrive_is_told(void **state)
{
	struct kws_error error;
	(void)state;
	FILE *file = fopen("/dev/full", "w");
	assert_non_null(file);
	assert_int_equal(kws_file_flush(file, &error), 0);
	fputs("text", file);
	assert_int_equal(kws_file_flush(file, &error), KWS_EIO);
	assert_string_equal(error.text, "cannot write the output");
	fclose(file);
}

/* The child's exit status: the number of what is not as it should be, or 0. */
static int hold_closed_streams(void)
{
	char byte = 'x';
	close(STDIN_FILENO);
	close(STDOUT_FILENO);
	close(STDERR_FILENO);
	kws_file_hold_standard();
	if (open("/dev/null", O_RDWR) <= STDERR_FILENO) {
		return 1;
	}
	if (read(STDIN_FILENO, &byte, 1) != 0) {
		return 2;
	}
	if (write(STDOUT_FILENO, &byte, 1) != -1 || errno != EBADF) {
		return 3;
	}
	return write(STDERR_FILENO, &byte, 1) != -1 || errno != EBADF ? 4 : 0;
}

/* Nor are those touched that are open. */
static int hold_open_streams(void)
{
	char byte = 0;
	int ends[2];
	if (pipe(ends) != 0 || dup2(ends[0], STDIN_FILENO) < 0 ||
		dup2(ends[1], STDOUT_FILENO) < 0) {
		return 1;
	}
	close(STDERR_FILENO);
	kws_file_hold_standard();
	return write(STDOUT_FILENO, "y", 1) == 1 && read(STDIN_FILENO, &byte, 1) == 1 && byte == 'y'
		       ? 0
		       : 2;
}

static void assert_child(int (*run)(void))
{
	int status;
	pid_t child = fork();
	if (child == 0) {
		_exit(run());
	}
	assert_true(child > 0);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

static void a_closed_stream_is_held(void **state)
{
	(void)state;
	assert_child(hold_closed_streams);
	assert_child(hold_open_streams);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_closed_stream_is_held),
		cmocka_unit_test_setup_teardown(a_new_file_has_its_mode, set_up, tear_down),
		cmocka_unit_test_setup_teardown(what_exists_is_kept, set_up, tear_down),
		cmocka_unit_test_setup_teardown(the_owner_stays_who_it_is, set_up, tear_down),
		cmocka_unit_test_setup_teardown(the_new_text_takes_the_name, set_up, tear_down),
		cmocka_unit_test_setup_teardown(what_stands_beside_it_is_kept, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			a_name_that_cannot_be_taken_leaves_no_draft, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_part_is_removed, set_up, tear_down),
		cmocka_unit_test(what_did_not_arrive_is_told),
	};
	return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
