/* SPDX-License-Identifier: Apache-2.0 */
/* What lies where an ipc socket is to be: libzmq deletes it, whatever it is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#include <zmq.h>

#include "ipc/endpoint.h"
#include "ipc/runtime.h"
#include "tests/scratch.h"

static char folder[SCRATCH_BYTES];
static char path[SCRATCH_BYTES + 16];
static char endpoint[KWS_ENDPOINT_BYTES];

static int set_up(void **state)
{
	(void)state;
	assert_int_equal(scratch_create(folder), 0);
	snprintf(path, sizeof(path), "%s/place", folder);
	snprintf(endpoint, sizeof(endpoint), "ipc://%s", path);
	return setenv("KWSD_RUNTIME_DIR", folder, 1);
}

static int tear_down(void **state)
{
	(void)state;
	scratch_remove(folder);
	return 0;
}

static int bind_once(struct kws_error *error)
{
	void *context = zmq_ctx_new();
	void *socket = zmq_socket(context, ZMQ_PUB);
	int rc = kws_endpoint_bind(socket, endpoint, false, error);
	zmq_close(socket);
	zmq_ctx_term(context);
	return rc;
}

/* Both the check and the bind say so, and what is there stays. */
static void assert_refused(const char *reason)
{
	struct stat before;
	struct stat after;
	struct kws_error error = {.text = ""};
	assert_int_equal(lstat(path, &before), 0);
	assert_int_equal(kws_endpoint_check_place(endpoint, &error), KWS_EINVAL);
	assert_non_null(strstr(error.text, reason));
	error.text[0] = '\0';
	assert_int_equal(bind_once(&error), KWS_EINVAL);
	assert_non_null(strstr(error.text, reason));
	assert_int_equal(lstat(path, &after), 0);
	assert_int_equal(before.st_ino, after.st_ino);
	assert_int_equal(before.st_mode, after.st_mode);
}

static void make_file(const char *name)
{
	FILE *file = fopen(name, "w");
	assert_non_null(file);
	assert_true(fputs("precious\n", file) >= 0);
	assert_int_equal(fclose(file), 0);
}

static void a_file_stays(void **state)
{
	(void)state;
	make_file(path);
	assert_refused("a file that is no socket lies there");
}

static void a_directory_stays(void **state)
{
	(void)state;
	assert_int_equal(mkdir(path, 0700), 0);
	assert_refused("a directory lies there");
}

static void a_link_stays_wherever_it_leads(void **state)
{
	(void)state;
	assert_int_equal(symlink("nowhere", path), 0);
	assert_refused("a symbolic link lies there");
}

static void what_a_killed_daemon_left_is_replaced(void **state)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	struct kws_error error;
	(void)state;
	snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	close(fd);
	assert_int_equal(kws_endpoint_check_place(endpoint, &error), 0);
	assert_int_equal(bind_once(&error), 0);
}

/* They are not there most of the time. */
static void the_files_of_the_runtime_directory_are_kept_free(void **state)
{
	static const char *const names[] = {KWS_RUNTIME_LOCK, KWS_RUNTIME_MUTED};
	char link[sizeof(folder) + 8];
	struct kws_error error;
	(void)state;
	snprintf(link, sizeof(link), "%s/here", folder);
	assert_int_equal(symlink(".", link), 0);
	for (size_t i = 0; i < 2; i++) {
		snprintf(endpoint, sizeof(endpoint), "ipc://%s/%s", folder, names[i]);
		assert_int_equal(kws_endpoint_check_place(endpoint, &error), KWS_EINVAL);
		assert_non_null(strstr(error.text, "kwsd keeps another file there"));
		assert_int_equal(bind_once(&error), KWS_EINVAL);
		snprintf(endpoint, sizeof(endpoint), "ipc://%s/%s", link, names[i]);
		assert_int_equal(kws_endpoint_check_place(endpoint, &error), KWS_EINVAL);
		snprintf(endpoint, sizeof(endpoint), "ipc:///elsewhere/%s", names[i]);
		assert_int_equal(kws_endpoint_check_place(endpoint, &error), 0);
	}
	assert_false(kws_runtime_owns(KWS_RUNTIME_MUTED));
	assert_false(kws_runtime_owns(path));
}

static void other_transports_have_no_place(void **state)
{
	(void)state;
	make_file(path);
	assert_int_equal(kws_endpoint_check_place("tcp://127.0.0.1:80", NULL), 0);
	assert_int_equal(kws_endpoint_check_place("", NULL), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_file_stays, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_directory_stays, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_link_stays_wherever_it_leads, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			what_a_killed_daemon_left_is_replaced, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
			the_files_of_the_runtime_directory_are_kept_free, set_up, tear_down),
		cmocka_unit_test_setup_teardown(other_transports_have_no_place, set_up, tear_down),
	};
	return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
