/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "common/trust.h"
#include "tests/scratch.h"

struct fixture {
	char dir[SCRATCH_BYTES];
	char file[SCRATCH_BYTES + 16];
	char link_dir[SCRATCH_BYTES + 16];
	char link[SCRATCH_BYTES + 32];
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	if (f == NULL || scratch_create(f->dir) != 0) {
		return -1;
	}
	snprintf(f->file, sizeof(f->file), "%s/file", f->dir);
	snprintf(f->link_dir, sizeof(f->link_dir), "%s/links", f->dir);
	snprintf(f->link, sizeof(f->link), "%s/link", f->link_dir);
	close(open(f->file, O_CREAT | O_WRONLY, 0600));
	*state = f;
	return mkdir(f->link_dir, 0700) == 0 && symlink(f->file, f->link) == 0 ? 0 : -1;
}

static int teardown(void **state)
{
	struct fixture *f = *state;
	unlink(f->link);
	scratch_remove(f->dir);
	free(f);
	return 0;
}

static void assert_mode(const char *path, const char *changed, mode_t mode, const char *sentence)
{
	struct kws_error error = {""};
	assert_int_equal(chmod(changed, mode), 0);
	int result = kws_trust_check(path, &error);
	assert_int_equal(result, sentence != NULL ? KWS_EPERM : 0);
	if (sentence != NULL) {
		assert_non_null(strstr(error.text, sentence));
	}
	if (geteuid() == 0) {
		assert_int_equal(kws_trust_check_privileged(path, NULL), result);
	} else {
		assert_int_equal(kws_trust_check_privileged(path, NULL), 0);
	}
}

static void test_file(void **state)
{
	struct fixture *f = *state;
	assert_mode(f->file, f->file, 0644, NULL);
	assert_mode(f->file, f->file, 0664, "mode 0664");
	assert_mode(f->file, f->file, 0602, "mode 0602");
}

static void test_directory(void **state)
{
	struct fixture *f = *state;
	assert_mode(f->file, f->dir, 0755, NULL);
	assert_mode(f->file, f->dir, 0775, f->dir);
	assert_mode(f->file, f->dir, 0777, "mode 0777");
	assert_mode(f->file, f->dir, 01777, NULL);
}

static void test_link(void **state)
{
	struct fixture *f = *state;
	assert_mode(f->link, f->link_dir, 0700, NULL);
	assert_mode(f->link, f->link_dir, 0770, f->link_dir);
	assert_mode(f->link, f->link_dir, 0700, NULL);
	assert_mode(f->link, f->dir, 0770, "mode 0770");
	assert_mode(f->link, f->dir, 0700, NULL);
	assert_mode(f->link, f->file, 0660, "mode 0660");
}

static void test_short_paths(void **state)
{
	struct fixture *f = *state;
	char before[4096];
	assert_non_null(getcwd(before, sizeof(before)));
	assert_int_equal(chdir(f->dir), 0);
	assert_mode("file", f->dir, 0755, NULL);
	assert_mode("file", f->dir, 0775, "directory");
	assert_int_equal(chdir(before), 0);
	assert_int_equal(kws_trust_check("/", NULL), 0);
	assert_int_equal(kws_trust_check("/no/such/file", NULL), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_file),
		TEST(test_directory),
		TEST(test_link),
		TEST(test_short_paths),
	};
	return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
