/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <setjmp.h>

#include <cmocka.h>
#include <errno.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <zmq.h>

#include "ipc/endpoint.h"
#include "ipc/runtime.h"
#include "tests/refuse.h"
#include "tests/scratch.h"

static int setup(void **state)
{
	char *dir = malloc(SCRATCH_BYTES);
	*state = dir;
	return dir != NULL ? scratch_create(dir) : -1;
}

static int teardown(void **state)
{
	scratch_remove(*state);
	free(*state);
	return 0;
}

static void clear_environment(void)
{
	unsetenv("KWSD_RUNTIME_DIR");
	unsetenv("RUNTIME_DIRECTORY");
	unsetenv("XDG_RUNTIME_DIR");
}

static void assert_dir(const char *expected)
{
	char dir[KWS_RUNTIME_PATH_BYTES];
	assert_int_equal(kws_runtime_dir(dir, sizeof(dir), NULL), 0);
	assert_string_equal(dir, expected);
}

static void test_runtime_dir(void **state)
{
	(void)state;
	clear_environment();
	assert_dir("/run/kwsd");
	setenv("XDG_RUNTIME_DIR", "/run/user/7", 1);
	assert_dir("/run/user/7/kwsd");
	setenv("RUNTIME_DIRECTORY", "/run/one:/run/two", 1);
	assert_dir("/run/one");
	setenv("KWSD_RUNTIME_DIR", "/x", 1);
	assert_dir("/x");
	setenv("KWSD_RUNTIME_DIR", "", 1);
	assert_dir("/run/one");
}

static void test_runtime_dir_refused(void **state)
{
	(void)state;
	char dir[KWS_RUNTIME_PATH_BYTES];
	char path[KWS_RUNTIME_PATH_BYTES + 2];
	struct kws_error error;
	clear_environment();
	setenv("KWSD_RUNTIME_DIR", "run", 1);
	assert_int_equal(kws_runtime_dir(dir, sizeof(dir), &error), KWS_EINVAL);
	assert_non_null(strstr(error.text, "absolute"));
	memset(path, 'a', sizeof(path));
	path[0] = '/';
	path[sizeof(path) - 1] = '\0';
	setenv("KWSD_RUNTIME_DIR", path, 1);
	assert_int_equal(kws_runtime_dir(dir, sizeof(dir), &error), KWS_EINVAL);
	assert_non_null(strstr(error.text, "too long"));
}

static int bind_socket(const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	return fd;
}

static void make_socket(const char *path)
{
	close(bind_socket(path)); /* the file stays */
}

static void assert_found(const char *expected)
{
	char dir[KWS_RUNTIME_PATH_BYTES];
	assert_int_equal(kws_runtime_find("control", dir, sizeof(dir), NULL), 0);
	assert_string_equal(dir, expected);
}

/* First a user's folder, where only what a killed daemon left lies at last, then another's. */
static void test_runtime_find(void **state)
{
	const char *scratch = *state;
	char user[80];
	char system[80];
	char left[100];
	char path[100];
	clear_environment();
	snprintf(user, sizeof(user), "%s/user", scratch);
	snprintf(system, sizeof(system), "%s/kwsd", scratch);
	snprintf(left, sizeof(left), "%s/control", user);
	snprintf(path, sizeof(path), "%s/control", system);
	setenv("RUNTIME_DIRECTORY", user, 1);
	setenv("XDG_RUNTIME_DIR", scratch, 1);
	assert_int_equal(kws_runtime_create(user, NULL), 0);
	assert_int_equal(kws_runtime_create(system, NULL), 0);
	bool nowhere_else = access("/run/kwsd/control", F_OK) != 0;
	if (nowhere_else) {
		assert_found(user); /* no socket anywhere */
	}

	make_socket(left);
	if (nowhere_else) {
		assert_found(user); /* nobody listens anywhere */
	}
	int fd = bind_socket(path);
	assert_int_equal(listen(fd, 1), 0);
	assert_found(system);
	unlink(left);
	int first = bind_socket(left);
	assert_int_equal(listen(first, 1), 0);
	assert_found(user);
	close(first);
	assert_found(system);

	setenv("KWSD_RUNTIME_DIR", "/mine", 1);
	assert_found("/mine");
	close(fd);
	unlink(left);
	unlink(path);
}

/* Who may not go in is sent there all the same, to be told so. */
static void test_runtime_find_of_others(void **state)
{
	const char *scratch = *state;
	char dir[80];
	char path[100];
	clear_environment();
	snprintf(dir, sizeof(dir), "%s/kwsd", scratch);
	snprintf(path, sizeof(path), "%s/control", dir);
	setenv("RUNTIME_DIRECTORY", "/nowhere", 1);
	setenv("XDG_RUNTIME_DIR", scratch, 1);
	assert_int_equal(kws_runtime_create(dir, NULL), 0);
	int fd = bind_socket(path);
	assert_int_equal(listen(fd, 1), 0);
	assert_int_equal(chmod(path, 0), 0);
	bool root = geteuid() == 0;
	assert_int_equal(root ? seteuid(65534) : 0, 0);
	assert_found(dir);
	assert_int_equal(root ? seteuid(0) : 0, 0);
	close(fd);
	unlink(path);
}

static void test_runtime_create(void **state)
{
	char dir[100];
	struct stat info;
	struct kws_error error;
	snprintf(dir, sizeof(dir), "%s/run", (const char *)*state);
	mode_t before = umask(0077);
	assert_int_equal(kws_runtime_create(dir, &error), 0);
	umask(before);
	assert_int_equal(stat(dir, &info), 0);
	assert_int_equal(info.st_mode & 07777, 0750);
	chmod(dir, 0700);
	assert_int_equal(kws_runtime_create(dir, &error), 0);
	assert_int_equal(stat(dir, &info), 0);
	assert_int_equal(info.st_mode & 07777, 0700); /* an existing one is left alone */

	snprintf(dir, sizeof(dir), "%s/no/run", (const char *)*state);
	assert_int_equal(kws_runtime_create(dir, &error), KWS_EIO);
	assert_non_null(strstr(error.text, strerror(ENOENT)));
	assert_int_equal(kws_runtime_create("/dev/null", &error), KWS_EIO);
	assert_non_null(strstr(error.text, "not a directory"));
}

/* flock() belongs to the open file, so a second open in this process is like another process. */
static void test_lock(void **state)
{
	const char *dir = *state;
	struct kws_error error;
	char pid[32];
	int first;
	int second;
	assert_int_equal(kws_runtime_lock(dir, &first, &error), 0);
	assert_int_equal(kws_runtime_lock(dir, &second, &error), KWS_EBUSY);
	assert_int_equal(second, -1);
	snprintf(pid, sizeof(pid), "process %ld", (long)getpid());
	assert_non_null(strstr(error.text, pid));
	assert_non_null(strstr(error.text, dir));
	kws_runtime_unlock(first);
	assert_int_equal(kws_runtime_lock(dir, &second, &error), 0);
	kws_runtime_unlock(second);
	kws_runtime_unlock(-1);
	assert_int_equal(kws_runtime_lock("/no/such/dir", &first, &error), KWS_EIO);
}

/* The lock of a process that was killed must not outlive it. */
static void test_lock_of_the_dead(void **state)
{
	const char *dir = *state;
	int fd;
	int ready[2];
	char byte;
	assert_int_equal(pipe(ready), 0);
	pid_t child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		byte = kws_runtime_lock(dir, &fd, NULL) == 0 ? 'y' : 'n';
		if (write(ready[1], &byte, 1) == 1) {
			pause();
		}
		_exit(1);
	}
	assert_int_equal(read(ready[0], &byte, 1), 1);
	assert_int_equal(byte, 'y');
	assert_int_equal(kws_runtime_lock(dir, &fd, NULL), KWS_EBUSY);
	kill(child, SIGKILL);
	assert_int_equal(waitpid(child, NULL, 0), child);
	assert_int_equal(kws_runtime_lock(dir, &fd, NULL), 0);
	kws_runtime_unlock(fd);
	close(ready[0]);
	close(ready[1]);
}

static void test_default(void **state)
{
	(void)state;
	char endpoint[KWS_ENDPOINT_BYTES];
	char dir[KWS_RUNTIME_PATH_BYTES];
	struct kws_error error;
	assert_int_equal(kws_endpoint_default("/run/kwsd", KWS_ENDPOINT_EVENTS, endpoint,
				 sizeof(endpoint), &error),
		0);
	assert_string_equal(endpoint, "ipc:///run/kwsd/events");
	memset(dir, 'd', sizeof(dir));
	dir[0] = '/';
	dir[107 - strlen("/control")] = '\0';
	assert_int_equal(
		kws_endpoint_default(dir, "control", endpoint, sizeof(endpoint), &error), 0);
	dir[107 - strlen("/control")] = 'd';
	dir[107 - strlen("/control") + 1] = '\0';
	assert_int_equal(kws_endpoint_default(dir, "control", endpoint, sizeof(endpoint), &error),
		KWS_EINVAL);
}

static void test_check(void **state)
{
	(void)state;
	static const struct {
		const char *endpoint;
		bool curve;
		int code;
		const char *reason; /* part of the sentence */
	} cases[] = {
		{"ipc:///run/kwsd/control", false, 0, NULL},
		{"inproc://x", false, 0, NULL},
		{"tcp://127.0.0.1:5555", false, 0, NULL},
		{"tcp://127.9.8.7:1", false, 0, NULL},
		{"tcp://localhost:65535", false, 0, NULL},
		{"tcp://[::1]:5555", false, 0, NULL},
		{"ipc://@kwsd", false, KWS_EUNSUPPORTED, "permissions"},
		{"ipc://kwsd", false, KWS_EINVAL, "absolute"},
		{"ipc://*", false, KWS_EINVAL, "absolute"},
		{"ipc://", false, KWS_EINVAL, "absolute"},
		{"tcp://*:5555", false, KWS_EUNSUPPORTED, "CURVE"},
		{"tcp://0.0.0.0:5555", false, KWS_EUNSUPPORTED, "CURVE"},
		{"tcp://[::]:5555", false, KWS_EUNSUPPORTED, "CURVE"},
		{"tcp://192.168.0.2:5555", false, KWS_EUNSUPPORTED, "CURVE"},
		{"tcp://eth0:5555", false, KWS_EUNSUPPORTED, "CURVE"},
		{"tcp://127.0.0.1.example.org:5555", false, KWS_EUNSUPPORTED, "CURVE"},
		{"tcp://0.0.0.0:1;127.0.0.1:5555", false, KWS_EUNSUPPORTED, "CURVE"},
		{"tcp://127.0.0.1", false, KWS_EINVAL, "port"},
		{"tcp://127.0.0.1:", false, KWS_EINVAL, "port"},
		{"tcp://127.0.0.1:*", false, KWS_EINVAL, "port"},
		{"tcp://127.0.0.1:0", false, KWS_EINVAL, "port"},
		{"tcp://127.0.0.1:65536", false, KWS_EINVAL, "port"},
		{"tcp://127.0.0.1:99999999999", false, KWS_EINVAL, "port"},
		{"udp://127.0.0.1:5555", false, KWS_EUNSUPPORTED, "ipc://"},
		{"/run/kwsd/control", false, KWS_EUNSUPPORTED, "ipc://"},
		{"tcp://0.0.0.0:5555", true, 0, NULL},
		{"tcp://[::]:5555", true, 0, NULL},
		{"tcp://192.168.0.2:5555", true, 0, NULL},
		{"tcp://127.0.0.1:5555", true, 0, NULL},
		{"tcp://192.168.0.2", true, KWS_EINVAL, "port"},
		{"tcp://192.168.0.2:0", true, KWS_EINVAL, "port"},
		{"ipc:///run/kwsd/control", true, KWS_EUNSUPPORTED, "tcp://"},
		{"inproc://x", true, KWS_EUNSUPPORTED, "tcp://"},
		{"", false, KWS_EUNSUPPORTED, "ipc://"},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct kws_error error = {.text = ""};
		assert_int_equal(kws_endpoint_check(cases[i].endpoint, cases[i].curve, &error),
			cases[i].code);
		if (cases[i].code != 0) {
			assert_non_null(strstr(error.text, cases[i].reason));
		}
	}
}

static void test_setting(void **state)
{
	(void)state;
	struct kws_error error;
	assert_int_equal(kws_endpoint_check_setting("", false, &error), 0);
	assert_int_equal(kws_endpoint_check_setting("ipc:///run/x", false, &error), 0);
	assert_int_equal(kws_endpoint_check_setting("inproc://x", false, &error), KWS_EUNSUPPORTED);
	assert_non_null(strstr(error.text, "ipc://"));
}

static void test_collide(void **state)
{
	(void)state;
	static const struct {
		const char *one;
		const char *other;
		bool collide;
	} cases[] = {
		{"ipc:///run/x", "ipc:///run/x", true},
		{"ipc:///run/x", "ipc:///run/y", false},
		{"ipc:///run/x", "tcp://127.0.0.1:80", false},
		{"tcp://127.0.0.1:80", "tcp://127.0.0.1:80", true},
		{"tcp://127.0.0.1:80", "tcp://localhost:080", true},
		{"tcp://127.0.0.1:80", "tcp://127.0.0.1:81", false},
		{"tcp://127.0.0.1:80", "tcp://127.0.0.2:80", false},
		{"tcp://127.0.0.1:80", "tcp://[::1]:80", false},
		{"tcp://127.0.0.1:80", "tcp://0.0.0.0:80", true},
		{"tcp://[::]:80", "tcp://192.168.0.2:80", true},
		{"tcp://*:80", "tcp://192.168.0.2:80", true},
		{"tcp://*:80", "tcp://0.0.0.0:80", true},
		{"tcp://*:80", "tcp://[::1]:80", false},
		{"tcp://[::]:80", "tcp://*:80", true},
		{"tcp://[::]:80", "tcp://[::1]:80", true},
		{"tcp://*:80", "tcp://192.168.0.2:8080", false},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(
			kws_endpoint_collide(cases[i].one, cases[i].other), cases[i].collide);
		assert_int_equal(
			kws_endpoint_collide(cases[i].other, cases[i].one), cases[i].collide);
	}
}

static void test_bind_mode(void **state)
{
	char endpoint[KWS_ENDPOINT_BYTES];
	char path[100];
	struct stat info;
	struct kws_error error;
	void *context = zmq_ctx_new();
	void *socket = zmq_socket(context, ZMQ_PUB);
	snprintf(path, sizeof(path), "%s/events", (const char *)*state);
	snprintf(endpoint, sizeof(endpoint), "ipc://%s", path);
	mode_t before = umask(0022);
	assert_int_equal(kws_endpoint_bind(socket, endpoint, false, &error), 0);
	assert_int_equal(umask(before), 0022); /* put back */
	assert_int_equal(stat(path, &info), 0);
	assert_int_equal(info.st_mode & 0777, 0660);
	zmq_close(socket);
	zmq_ctx_term(context);
}

static void test_bind_fails(void **state)
{
	(void)state;
	struct kws_error error;
	void *context = zmq_ctx_new();
	void *first = zmq_socket(context, ZMQ_PUB);
	void *second = zmq_socket(context, ZMQ_PUB);
	assert_int_equal(
		kws_endpoint_bind(first, "tcp://0.0.0.0:5555", false, &error), KWS_EUNSUPPORTED);
	assert_int_equal(kws_endpoint_bind(first, "ipc:///no/such/dir/x", false, &error), KWS_EIO);
	assert_int_equal(kws_endpoint_bind(first, "inproc://same", false, &error), 0);
	assert_int_equal(kws_endpoint_bind(second, "inproc://same", false, &error), KWS_EBUSY);
	zmq_close(first);
	zmq_close(second);
	zmq_ctx_term(context);
}

/* Not even under another name; but what a killed process left does not matter. */
static void test_bind_leaves_a_listener_alone(void **state)
{
	char endpoint[KWS_ENDPOINT_BYTES];
	char path[100];
	struct kws_error error;
	void *context = zmq_ctx_new();
	void *socket = zmq_socket(context, ZMQ_PUB);
	snprintf(path, sizeof(path), "%s/events", (const char *)*state);
	snprintf(endpoint, sizeof(endpoint), "ipc://%s/./events", (const char *)*state);
	int fd = bind_socket(path);
	assert_int_equal(listen(fd, 1), 0);
	assert_int_equal(kws_endpoint_bind(socket, endpoint, false, &error), KWS_EBUSY);
	assert_non_null(strstr(error.text, "somebody listens there"));
	close(fd);
	assert_int_equal(kws_endpoint_bind(socket, endpoint, false, &error), 0);
	zmq_close(socket);
	zmq_ctx_term(context);
}

/* Binds to a port that happens to be free; writes the endpoint. */
static int bind_some_port(void *socket, const char *host, char *endpoint)
{
	for (int port = 41000 + (int)(getpid() % 1000); port < 60000; port += 1009) {
		snprintf(endpoint, KWS_ENDPOINT_BYTES, "tcp://%s:%d", host, port);
		int rc = kws_endpoint_bind(socket, endpoint, false, NULL);
		if (rc != KWS_EBUSY) {
			return rc;
		}
	}
	return KWS_EBUSY;
}

static void assert_round_trip(const char *host)
{
	char endpoint[KWS_ENDPOINT_BYTES];
	char byte = 0;
	int timeout_ms = 5000;
	void *context = zmq_ctx_new();
	void *server = zmq_socket(context, ZMQ_PAIR);
	void *client = zmq_socket(context, ZMQ_PAIR);
	zmq_setsockopt(server, ZMQ_RCVTIMEO, &timeout_ms, sizeof(timeout_ms));
	assert_int_equal(bind_some_port(server, host, endpoint), 0);
	assert_int_equal(kws_endpoint_connect(client, endpoint, false, NULL), 0);
	assert_int_equal(zmq_send(client, "x", 1, 0), 1);
	assert_int_equal(zmq_recv(server, &byte, 1, 0), 1);
	assert_int_equal(byte, 'x');
	zmq_close(client);
	zmq_close(server);
	zmq_ctx_term(context);
}

static void test_tcp(void **state)
{
	(void)state;
	assert_round_trip("localhost");
	assert_round_trip("127.0.0.1");
}

static void test_tcp_ipv6(void **state)
{
	(void)state;
	struct sockaddr_in6 address = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
	int fd = socket(AF_INET6, SOCK_STREAM, 0);
	int rc = fd >= 0 ? bind(fd, (struct sockaddr *)&address, sizeof(address)) : -1;
	if (fd >= 0) {
		close(fd);
	}
	if (rc != 0) {
		skip(); /* this machine has no IPv6 */
	}
	assert_round_trip("[::1]");
}

/* The child's exit status: 0, 1 if the sentence is not there, 77 where nothing can be refused. */
static int bind_without_netlink(void)
{
	const uint32_t family = AF_NETLINK;
	char endpoint[KWS_ENDPOINT_BYTES];
	struct kws_error error = {.text = ""};
	if (!refuse_call(__NR_socket, &family, EAFNOSUPPORT) ||
		socket(AF_NETLINK, SOCK_RAW, 0) >= 0) {
		return 77;
	}
	void *context = zmq_ctx_new();
	void *socket = zmq_socket(context, ZMQ_PUB);
	snprintf(endpoint, sizeof(endpoint), "tcp://127.0.0.1:%d", 40000 + (int)(getpid() % 1000));
	int rc = kws_endpoint_bind(socket, endpoint, false, &error);
	zmq_close(socket);
	zmq_ctx_term(context);
	return rc == KWS_EUNSUPPORTED && strstr(error.text, "AF_NETLINK") != NULL ? 0 : 1;
}

/* As in a unit whose RestrictAddressFamilies= leaves AF_NETLINK out. */
static void test_tcp_without_netlink(void **state)
{
	(void)state;
	int status;
	pid_t child = fork();
	if (child == 0) {
		_exit(bind_without_netlink());
	}
	assert_true(child > 0);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	if (WEXITSTATUS(status) == 77) {
		skip();
	}
	assert_int_equal(WEXITSTATUS(status), 0);
}

static void test_connect_to_nobody(void **state)
{
	char endpoint[KWS_ENDPOINT_BYTES];
	char path[100];
	struct kws_error error;
	void *context = zmq_ctx_new();
	void *socket = zmq_socket(context, ZMQ_DEALER);
	snprintf(path, sizeof(path), "%s/control", (const char *)*state);
	snprintf(endpoint, sizeof(endpoint), "ipc://%s", path);
	assert_int_equal(kws_endpoint_connect(socket, endpoint, false, &error), KWS_ENOENT);
	assert_non_null(strstr(error.text, endpoint));
	assert_non_null(strstr(error.text, "running"));
	make_socket(path); /* left behind by a daemon that was killed */
	assert_int_equal(kws_endpoint_connect(socket, endpoint, false, &error), KWS_ENOENT);
	assert_non_null(strstr(error.text, strerror(ECONNREFUSED)));
	assert_int_equal(kws_endpoint_connect(socket, "ipc://@x", false, &error), KWS_EUNSUPPORTED);
	assert_int_equal(kws_endpoint_connect(socket, "inproc://", false, &error), KWS_EIO);
	zmq_close(socket);
	zmq_ctx_term(context);
}

/* A daemon that is stopped accepts no more than the kernel's queue; asking must not wait for it. */
static void test_connect_to_the_stuck(void **state)
{
	char endpoint[KWS_ENDPOINT_BYTES];
	char path[100];
	int linger_ms = 0;
	snprintf(path, sizeof(path), "%s/control", (const char *)*state);
	snprintf(endpoint, sizeof(endpoint), "ipc://%s", path);
	int listener = bind_socket(path);
	assert_int_equal(listen(listener, 1), 0);
	void *context = zmq_ctx_new();
	void *socket = zmq_socket(context, ZMQ_DEALER);
	zmq_setsockopt(socket, ZMQ_LINGER, &linger_ms, sizeof(linger_ms));
	for (int i = 0; i < 5; i++) {
		assert_int_equal(kws_endpoint_connect(socket, endpoint, false, NULL), 0);
	}
	zmq_close(socket);
	zmq_ctx_term(context);
	close(listener);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_runtime_dir),
		cmocka_unit_test(test_runtime_dir_refused),
		cmocka_unit_test_setup_teardown(test_runtime_find, setup, teardown),
		cmocka_unit_test_setup_teardown(test_runtime_find_of_others, setup, teardown),
		cmocka_unit_test_setup_teardown(test_runtime_create, setup, teardown),
		cmocka_unit_test_setup_teardown(test_lock, setup, teardown),
		cmocka_unit_test_setup_teardown(test_lock_of_the_dead, setup, teardown),
		cmocka_unit_test(test_default),
		cmocka_unit_test(test_check),
		cmocka_unit_test(test_setting),
		cmocka_unit_test(test_collide),
		cmocka_unit_test_setup_teardown(test_bind_mode, setup, teardown),
		cmocka_unit_test(test_bind_fails),
		cmocka_unit_test_setup_teardown(test_bind_leaves_a_listener_alone, setup, teardown),
		cmocka_unit_test(test_tcp),
		cmocka_unit_test(test_tcp_ipv6),
		cmocka_unit_test(test_tcp_without_netlink),
		cmocka_unit_test_setup_teardown(test_connect_to_nobody, setup, teardown),
		cmocka_unit_test_setup_teardown(test_connect_to_the_stuck, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
