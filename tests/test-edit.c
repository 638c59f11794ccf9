/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "config/edit.h"
#include "tests/refuse.h"
#include "tests/scratch.h"

static void expect(const char *text, const char *key, const char *value, const char *wanted)
{
	char *out;
	struct kws_edit edit = {key, value};
	assert_int_equal(kws_edit_text(text, &edit, &out), 0);
	assert_string_equal(out, wanted);
	free(out);
}

static void a_value_changes_in_its_line(void **state)
{
	(void)state;
	expect("# mine\n[detector]\n  threshold=0.5 ; was 0.4\nrearm = 0.3\n", "detector.threshold",
		"0.9", "# mine\n[detector]\nthreshold = 0.9 ; was 0.4\nrearm = 0.3\n");
	expect("[detector]\r\nthreshold: 0.5\r\nrearm = 0.3\r\n", "detector.threshold", "0.9",
		"[detector]\r\nthreshold = 0.9\r\nrearm = 0.3\r\n");
	expect("[detector]\nthreshold = 0.5", "detector.threshold", "0.9",
		"[detector]\nthreshold = 0.9");
}

static void a_byte_order_mark_stays_in_front(void **state)
{
	(void)state;
	expect("\xef\xbb\xbf[detector]\nthreshold = 0.5\n", "detector.threshold", "0.9",
		"\xef\xbb\xbf[detector]\nthreshold = 0.9\n");
	expect("\xef\xbb\xbf", "detector.threshold", "0.9",
		"\xef\xbb\xbf\n\n[detector]\nthreshold = 0.9\n");
}

/* The parser's comment begins at a ';' behind a blank. */
static void a_comment_behind_the_value_stays(void **state)
{
	(void)state;
	expect("[exits]\ndelta = 0.5\t ; leave ; early", "exits.delta", "0.25",
		"[exits]\ndelta = 0.25\t ; leave ; early");
	expect("[exits]\r\ndelta=0.5 ;\r\n", "exits.delta", "0.4", "[exits]\r\ndelta = 0.4 ;\r\n");
	expect("[ipc]\nsite =;a;b  c ; d\n", "ipc.site", "hall", "[ipc]\nsite = hall ; d\n");
	expect("[ipc]\nsite = ; none\n", "ipc.site", "hall", "[ipc]\nsite = hall ; none\n");
	expect("[ipc]\nsite = hall ; here\n", "ipc.site", "", "[ipc]\nsite =  ; here\n");
	expect("[ipc]\nsite =hall; door \t\n", "ipc.site", "x", "[ipc]\nsite = x\n");
}

static void new_lines_end_as_the_others(void **state)
{
	(void)state;
	expect("[ipc]\r\nsite = hall", "detector.threshold", "0.9",
		"[ipc]\r\nsite = hall\r\n\r\n[detector]\r\nthreshold = 0.9\r\n");
	expect("\n[ipc]\nsite = hall\n", "ipc.events", "x", "\n[ipc]\nsite = hall\nevents = x\n");
}

static void a_key_of_another_section_or_a_longer_name_stays(void **state)
{
	(void)state;
	expect("[keyword yes]\nthreshold = 0.5\n[detector]\nthreshold_x = 1\n",
		"detector.threshold", "0.9",
		"[keyword yes]\nthreshold = 0.5\n[detector]\nthreshold_x = 1\nthreshold = 0.9\n");
	expect("[keyword   yes]\nthreshold = 0.5\n", "keyword yes.threshold", "0.9",
		"[keyword   yes]\nthreshold = 0.9\n");
	expect("[keyword dr. no]\nenabled = no\n", "keyword dr. no.enabled", "yes",
		"[keyword dr. no]\nenabled = yes\n");
}

static void a_new_key_stands_below_its_comment_or_at_the_end_of_its_section(void **state)
{
	(void)state;
	expect("[detector]\n# Help.\n#threshold = 0.8\n\n# Help.\n#rearm = 0.5\n\n[ipc]\n",
		"detector.threshold", "0.9",
		"[detector]\n# Help.\n#threshold = 0.8\nthreshold = 0.9\n\n# Help.\n"
		"#rearm = 0.5\n\n[ipc]\n");
	expect("[detector]\nrearm = 0.5\n\n[ipc]\n", "detector.threshold", "0.9",
		"[detector]\nrearm = 0.5\nthreshold = 0.9\n\n[ipc]\n");
	expect("[ipc]\nsite = hall", "detector.threshold", "0.9",
		"[ipc]\nsite = hall\n\n[detector]\nthreshold = 0.9\n");
	expect("", "detector.threshold", "0.9", "[detector]\nthreshold = 0.9\n");
}

static void a_key_needs_a_section(void **state)
{
	(void)state;
	char *out;
	struct kws_edit edit = {"threshold", "1"};
	assert_int_equal(kws_edit_text("", &edit, &out), KWS_EINVAL);
}

static void write_text(const char *path, const char *text)
{
	FILE *file = fopen(path, "w");
	assert_non_null(file);
	fputs(text, file);
	fclose(file);
}

static void expect_file(const char *path, const char *wanted)
{
	char text[256] = "";
	FILE *file = fopen(path, "r");
	assert_non_null(file);
	text[fread(text, 1, sizeof(text) - 1, file)] = '\0';
	fclose(file);
	assert_string_equal(text, wanted);
}

static void a_file_keeps_its_mode_and_its_link(void **state)
{
	(void)state;
	char directory[SCRATCH_BYTES];
	char path[SCRATCH_BYTES + 8];
	char link_path[SCRATCH_BYTES + 8];
	struct stat status;
	struct kws_error error;
	struct kws_edit edits[] = {{"detector.threshold", "0.9"}, {"ipc.site", "the hall"}};
	assert_int_equal(scratch_create(directory), 0);
	snprintf(path, sizeof(path), "%s/file", directory);
	snprintf(link_path, sizeof(link_path), "%s/link", directory);
	write_text(path, "[detector]\nthreshold = 0.5\n");
	assert_int_equal(chmod(path, 0640), 0);
	assert_int_equal(symlink("file", link_path), 0);
	assert_int_equal(kws_edit_file(link_path, edits, 2, &error), 0);
	expect_file(path, "[detector]\nthreshold = 0.9\n\n[ipc]\nsite = the hall\n");
	assert_int_equal(lstat(link_path, &status), 0);
	assert_true(S_ISLNK(status.st_mode));
	assert_int_equal(stat(path, &status), 0);
	assert_int_equal(status.st_mode & 0777, 0640);
	scratch_remove(directory);
}

/* Refuses what changes an owner, as the service's filter of system calls does. */
static bool refuse_chown(void)
{
#ifdef __NR_fchown32
	return refuse_call(__NR_fchown32, NULL, EPERM);
#else
	return refuse_call(__NR_fchown, NULL, EPERM);
#endif
}

/* The child's exit status: 0, 1 if it failed, 77 where nothing can be refused. */
static int edit_without_chown(const char *path)
{
	struct kws_edit edit = {"detector.threshold", "0.9"};
	struct kws_error error;
	int status;
	pid_t child = fork();
	if (child == 0) {
		/* an emulator and valgrind may know no filters */
		bool refused = refuse_chown() && fchown(-1, 0, 0) != 0 && errno == EPERM;
		_exit(!refused ? 77 : kws_edit_file(path, &edit, 1, &error) != 0);
	}
	assert_true(child > 0);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void an_owner_that_is_right_needs_no_change(void **state)
{
	(void)state;
	char directory[SCRATCH_BYTES];
	char path[SCRATCH_BYTES + 8];
	assert_int_equal(scratch_create(directory), 0);
	snprintf(path, sizeof(path), "%s/file", directory);
	write_text(path, "[detector]\nthreshold = 0.5\n");
	int status = edit_without_chown(path);
	if (status == 0) {
		expect_file(path, "[detector]\nthreshold = 0.9\n");
	}
	scratch_remove(directory);
	if (status == 77) {
		skip();
	}
	assert_int_equal(status, 0);
}

static void what_could_not_be_read_back_is_refused(void **state)
{
	(void)state;
	static const struct kws_edit wrong[] = {
		{"ipc.site", "hall ; door"}, /* what follows would be a comment */
		{"detector.threshold", "7"},
		{"detector.nonsense", "7"},
		{"nonsense", "7"},
	};
	char directory[SCRATCH_BYTES];
	char path[SCRATCH_BYTES + 8];
	struct kws_error error;
	assert_int_equal(scratch_create(directory), 0);
	snprintf(path, sizeof(path), "%s/file", directory);
	write_text(path, "[ipc]\nsite = hall\n");
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		error.text[0] = '\0';
		assert_true(kws_edit_file(path, &wrong[i], 1, &error) < 0);
		assert_true(error.text[0] != '\0');
		expect_file(path, "[ipc]\nsite = hall\n");
	}
	unlink(path);
	assert_int_equal(kws_edit_file(path, wrong, 1, &error), KWS_ENOENT);
	assert_int_equal(rmdir(directory), 0); /* no draft is left */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_value_changes_in_its_line),
		cmocka_unit_test(a_byte_order_mark_stays_in_front),
		cmocka_unit_test(a_comment_behind_the_value_stays),
		cmocka_unit_test(new_lines_end_as_the_others),
		cmocka_unit_test(a_key_of_another_section_or_a_longer_name_stays),
		cmocka_unit_test(a_new_key_stands_below_its_comment_or_at_the_end_of_its_section),
		cmocka_unit_test(a_key_needs_a_section),
		cmocka_unit_test(a_file_keeps_its_mode_and_its_link),
		cmocka_unit_test(an_owner_that_is_right_needs_no_change),
		cmocka_unit_test(what_could_not_be_read_back_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
