/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "common/error.h"
#include "systemd/notify.h"
#include "systemd/watchdog.h"
#include "tests/scratch.h"

/* The service manager's end: a datagram socket at $NOTIFY_SOCKET. */
struct manager {
	int fd;
	char directory[SCRATCH_BYTES];
};

static int listen_at(const char *name)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	size_t length = strlen(name);
	memcpy(address.sun_path, name, length);
	if (name[0] == '@') {
		address.sun_path[0] = '\0';
	}
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	socklen_t size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length);
	assert_int_equal(bind(fd, (struct sockaddr *)&address, size), 0);
	assert_int_equal(setenv("NOTIFY_SOCKET", name, 1), 0);
	return fd;
}

static int start_manager(void **state)
{
	static struct manager manager;
	char path[SCRATCH_BYTES + 16];
	if (scratch_create(manager.directory) != 0) {
		return -1;
	}
	snprintf(path, sizeof(path), "%s/notify", manager.directory);
	manager.fd = listen_at(path);
	*state = &manager;
	return 0;
}

static int stop_manager(void **state)
{
	struct manager *manager = *state;
	close(manager->fd);
	scratch_remove(manager->directory);
	unsetenv("NOTIFY_SOCKET");
	return 0;
}

/* The next datagram as a string; "" when there is none. */
static void receive(int fd, char *text, size_t size)
{
	ssize_t got = recv(fd, text, size - 1, 0);
	text[got > 0 ? got : 0] = '\0';
}

static void tells_the_state_in_one_datagram(void **state)
{
	const struct manager *manager = *state;
	char text[256];
	assert_int_equal(kws_notify("READY=1\nSTATUS=listening"), 0);
	assert_int_equal(kws_notify("WATCHDOG=1"), 0);
	receive(manager->fd, text, sizeof(text));
	assert_string_equal(text, "READY=1\nSTATUS=listening");
	receive(manager->fd, text, sizeof(text));
	assert_string_equal(text, "WATCHDOG=1");
	receive(manager->fd, text, sizeof(text));
	assert_string_equal(text, "");
}

static void a_status_is_one_line(void **state)
{
	const struct manager *manager = *state;
	static char name[1000];
	char text[1024];
	assert_int_equal(kws_notify_status("%s: %s", "listening", "Mic\nMAINPID=1"), 0);
	receive(manager->fd, text, sizeof(text));
	assert_string_equal(text, "STATUS=listening: Mic?MAINPID=1");
	memset(name, 'x', sizeof(name) - 1);
	assert_int_equal(kws_notify_status("%s", name), 0);
	receive(manager->fd, text, sizeof(text));
	assert_int_equal(strlen(text), 399);
}

static uint64_t monotonic_us(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

static void reloading_carries_the_time(void **state)
{
	const struct manager *manager = *state;
	char text[256];
	uint64_t told = 0;
	uint64_t before = monotonic_us();
	assert_int_equal(kws_notify_reloading(), 0);
	receive(manager->fd, text, sizeof(text));
	assert_int_equal(sscanf(text, "RELOADING=1\nMONOTONIC_USEC=%" SCNu64, &told), 1);
	assert_in_range(told, before, monotonic_us());
}

static void reaches_an_abstract_socket(void **state)
{
	(void)state;
	char name[64];
	char text[64];
	snprintf(name, sizeof(name), "@kws-test-notify-%ld", (long)getpid());
	int fd = listen_at(name);
	assert_int_equal(kws_notify("STOPPING=1"), 0);
	receive(fd, text, sizeof(text));
	assert_string_equal(text, "STOPPING=1");
	close(fd);
	assert_int_equal(kws_notify("STOPPING=1"), KWS_EIO); /* nobody there any more */
	unsetenv("NOTIFY_SOCKET");
}

static void without_a_manager_nothing_happens(void **state)
{
	(void)state;
	unsetenv("NOTIFY_SOCKET");
	assert_int_equal(kws_notify("READY=1"), 0);
	assert_int_equal(kws_notify_reloading(), 0);
}

static void refuses_an_address_that_is_none(void **state)
{
	(void)state;
	char longest[sizeof(((struct sockaddr_un *)NULL)->sun_path) + 1];
	memset(longest, 'x', sizeof(longest));
	longest[0] = '/';
	longest[sizeof(longest) - 1] = '\0';
	const char *const names[] = {"", "notify", "vsock:2:1234", longest};
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		setenv("NOTIFY_SOCKET", names[i], 1);
		assert_int_equal(kws_notify("READY=1"), KWS_EUNSUPPORTED);
	}
	setenv("NOTIFY_SOCKET", "/nonexistent/notify", 1);
	assert_int_equal(kws_notify("READY=1"), KWS_EIO);
	unsetenv("NOTIFY_SOCKET");
}

/* The next datagram is WATCHDOG=1, or there is none. */
static bool was_fed(const struct manager *manager)
{
	char text[64];
	receive(manager->fd, text, sizeof(text));
	assert_true(text[0] == '\0' || strcmp(text, "WATCHDOG=1") == 0);
	return text[0] != '\0';
}

static void watchdog_is_fed_by_progress_only(void **state)
{
	const struct manager *manager = *state;
	struct kws_watchdog watchdog;
	struct kws_progress progress = {0};
	setenv("WATCHDOG_USEC", "10000000", 1);
	kws_watchdog_init(&watchdog, 1000);
	progress = (struct kws_progress){160, 1, 0};
	assert_true(kws_watchdog_tick(&watchdog, 5999, &progress)); /* not due yet */
	assert_false(was_fed(manager));
	assert_true(kws_watchdog_tick(&watchdog, 6000, &progress));
	assert_true(was_fed(manager));
	progress.frames = 320; /* frames come, but nothing is decided */
	assert_false(kws_watchdog_tick(&watchdog, 11000, &progress));
	assert_false(was_fed(manager));
	progress.hops = 2; /* decided, but nothing came */
	assert_false(kws_watchdog_tick(&watchdog, 16000, &progress));
	assert_false(was_fed(manager));
	progress.excuses = 1; /* there is no device, and we know */
	assert_true(kws_watchdog_tick(&watchdog, 21000, &progress));
	assert_true(was_fed(manager));
	assert_false(kws_watchdog_tick(&watchdog, 26000, &progress));
	unsetenv("WATCHDOG_USEC");
}

static void nobody_watches(void **state)
{
	const struct manager *manager = *state;
	static const char *const settings[][2] = {
		{NULL, NULL}, {"x", NULL}, {"-1", NULL}, {"1000000", "1"}, {"1000000", "y"}};
	struct kws_progress progress = {1, 1, 1};
	for (size_t i = 0; i < sizeof(settings) / sizeof(settings[0]); i++) {
		struct kws_watchdog watchdog;
		unsetenv("WATCHDOG_USEC");
		unsetenv("WATCHDOG_PID");
		if (settings[i][0] != NULL) {
			setenv("WATCHDOG_USEC", settings[i][0], 1);
		}
		if (settings[i][1] != NULL) {
			setenv("WATCHDOG_PID", settings[i][1], 1);
		}
		kws_watchdog_init(&watchdog, 0);
		assert_true(kws_watchdog_tick(&watchdog, 1000000, &progress));
		assert_false(was_fed(manager));
	}
	unsetenv("WATCHDOG_USEC");
	unsetenv("WATCHDOG_PID");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			tells_the_state_in_one_datagram, start_manager, stop_manager),
		cmocka_unit_test_setup_teardown(a_status_is_one_line, start_manager, stop_manager),
		cmocka_unit_test_setup_teardown(
			reloading_carries_the_time, start_manager, stop_manager),
		cmocka_unit_test_setup_teardown(
			watchdog_is_fed_by_progress_only, start_manager, stop_manager),
		cmocka_unit_test_setup_teardown(nobody_watches, start_manager, stop_manager),
		cmocka_unit_test(reaches_an_abstract_socket),
		cmocka_unit_test(without_a_manager_nothing_happens),
		cmocka_unit_test(refuses_an_address_that_is_none),
	};
	return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
