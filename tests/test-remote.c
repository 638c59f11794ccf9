/* SPDX-License-Identifier: Apache-2.0 */
/* The encrypted endpoints of control and publisher. Server and clients take turns in one thread, so
 * that a test decides what is under way when a right is taken away. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zmq.h>

#include "ipc/control.h"
#include "ipc/curve.h"
#include "ipc/endpoint.h"
#include "ipc/frame.h"
#include "ipc/publisher.h"
#include "ipc/zap.h"
#include "tests/scratch.h"

#define TIMEOUT_MS 5000
#define ARRIVAL_US 200000 /* until a message that was sent lies in the server's socket */

#define PING "{\"jsonrpc\":\"2.0\",\"method\":\"ping\",\"id\":1}"

struct fixture {
	char dir[SCRATCH_BYTES];
	void *context;
	void *client_context;
	uv_loop_t loop;
	struct kws_key_pair server_keys;
	struct kws_curve_client client_keys;
	struct kws_keyring ring;
	struct kws_zap *zap;
	struct kws_control *control;
	struct kws_publisher *publisher;
	void *client;
	int pings;
};

static int method_ping(void *user, const json_t *params, json_t **result, struct kws_error *error)
{
	struct fixture *f = user;
	(void)params;
	(void)result;
	(void)error;
	f->pings++;
	return 0;
}

static const struct kws_rpc_method methods[] = {
	{"ping", method_ping, "", NULL}, {NULL, NULL, NULL, NULL}};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	char endpoint[KWS_ENDPOINT_BYTES];
	*state = f;
	if (f == NULL || scratch_create(f->dir) != 0 || uv_loop_init(&f->loop) != 0) {
		return -1;
	}
	f->context = zmq_ctx_new();
	f->client_context = zmq_ctx_new();
	kws_keys_make(&f->server_keys, NULL);
	kws_keys_make(&f->client_keys.own, NULL);
	memcpy(f->client_keys.server_key, f->server_keys.public_key, KWS_KEY_SIZE);
	kws_keyring_add(&f->ring, "client", f->client_keys.own.public_key, KWS_RIGHT_CONTROL, NULL);
	kws_zap_create(&f->zap, &f->loop, f->context, &f->ring, NULL, NULL, NULL);
	snprintf(endpoint, sizeof(endpoint), "ipc://%s/control", f->dir);
	kws_control_create(&f->control, &f->loop, f->context, endpoint, methods, f, NULL);
	snprintf(endpoint, sizeof(endpoint), "ipc://%s/events", f->dir);
	return kws_publisher_create(&f->publisher, f->context, endpoint, 0, NULL);
}

static int teardown(void **state)
{
	struct fixture *f = *state;
	if (f->client != NULL) {
		zmq_close(f->client);
	}
	kws_control_close(f->control, NULL);
	kws_zap_close(f->zap);
	uv_run(&f->loop, UV_RUN_DEFAULT);
	kws_publisher_destroy(f->publisher);
	zmq_ctx_term(f->context);
	zmq_ctx_term(f->client_context);
	bool clean = uv_loop_close(&f->loop) == 0;
	scratch_remove(f->dir);
	free(f);
	return clean ? 0 : -1;
}

typedef int open_fn(struct fixture *f, const char *endpoint);

static int open_control(struct fixture *f, const char *endpoint)
{
	return kws_control_open_remote(f->control, endpoint, &f->server_keys, &f->ring, NULL);
}

static int open_publisher(struct fixture *f, const char *endpoint)
{
	return kws_publisher_open_remote(f->publisher, endpoint, &f->server_keys, NULL);
}

/* At a port that happens to be free; writes the endpoint. */
static void open_some_port(struct fixture *f, open_fn *open, char *endpoint)
{
	int rc = KWS_EBUSY;
	for (int port = 42000 + (int)(getpid() % 1000); rc == KWS_EBUSY; port += 1009) {
		assert_true(port < 65536);
		snprintf(endpoint, KWS_ENDPOINT_BYTES, "tcp://127.0.0.1:%d", port);
		rc = open(f, endpoint);
	}
	assert_int_equal(rc, 0);
}

static void connect_client(struct fixture *f, int type, const char *endpoint)
{
	f->client = zmq_socket(f->client_context, type);
	assert_int_equal(kws__frame_set(f->client, ZMQ_LINGER, 0), 0);
	if (type == ZMQ_SUB) {
		zmq_setsockopt(f->client, ZMQ_SUBSCRIBE, "", 0);
	}
	assert_int_equal(kws_curve_connect(f->client, endpoint, &f->client_keys, NULL), 0);
}

static void publish(struct fixture *f)
{
	json_t *event = json_object();
	assert_int_equal(kws_publisher_send(f->publisher, "kws.level", event), 0);
	json_decref(event);
}

static void drop_messages(struct fixture *f)
{
	char text[1024];
	while (zmq_recv(f->client, text, sizeof(text), ZMQ_DONTWAIT) >= 0) {
	}
}

/* Turns the loop, and publishes, until the client has something to receive. */
static bool pump(struct fixture *f, int timeout_ms)
{
	int64_t deadline_ms = kws__frame_deadline(timeout_ms);
	while (kws__frame_wait(f->client, kws__frame_deadline(10)) != 0) {
		if (kws__frame_deadline(0) > deadline_ms) {
			return false;
		}
		publish(f);
		uv_run(&f->loop, UV_RUN_NOWAIT);
	}
	drop_messages(f);
	return true;
}

static void send_ping(struct fixture *f)
{
	assert_int_equal(zmq_send(f->client, PING, strlen(PING), 0), strlen(PING));
}

static void test_control(void **state)
{
	struct fixture *f = *state;
	char endpoint[KWS_ENDPOINT_BYTES];
	open_some_port(f, open_control, endpoint);
	connect_client(f, ZMQ_DEALER, endpoint);
	send_ping(f);
	assert_true(pump(f, TIMEOUT_MS));
	assert_int_equal(f->pings, 1);
}

/* The request lies in the daemon's socket when the right goes; the connection still stands. */
static void test_request_under_way(void **state)
{
	struct fixture *f = *state;
	char endpoint[KWS_ENDPOINT_BYTES];
	open_some_port(f, open_control, endpoint);
	connect_client(f, ZMQ_DEALER, endpoint);
	send_ping(f);
	assert_true(pump(f, TIMEOUT_MS));
	send_ping(f);
	usleep(ARRIVAL_US);
	f->ring.clients[0].right = KWS_RIGHT_EVENTS;
	assert_false(pump(f, 300));
	assert_int_equal(f->pings, 1);
	assert_int_equal(kws_control_counts(f->control).refused, 1);
	f->ring.count = 0;
	send_ping(f);
	assert_false(pump(f, 300));
	assert_int_equal(kws_control_counts(f->control).refused, 2);
	/* and with the right back the same connection serves again */
	f->ring.count = 1;
	f->ring.clients[0].right = KWS_RIGHT_CONTROL;
	send_ping(f);
	assert_true(pump(f, TIMEOUT_MS));
	assert_int_equal(f->pings, 2);
}

static void test_close_and_reopen(void **state)
{
	struct fixture *f = *state;
	char endpoint[KWS_ENDPOINT_BYTES];
	open_some_port(f, open_publisher, endpoint);
	connect_client(f, ZMQ_SUB, endpoint);
	assert_true(pump(f, TIMEOUT_MS));
	kws_publisher_close_remote(f->publisher);
	kws_publisher_close_remote(f->publisher);
	usleep(ARRIVAL_US);
	drop_messages(f);
	assert_false(pump(f, 300));
	int rc;
	int64_t deadline_ms = kws__frame_deadline(TIMEOUT_MS);
	do {
		rc = kws_publisher_reopen_remote(f->publisher, NULL);
	} while (rc == KWS_EBUSY && kws__frame_deadline(0) < deadline_ms);
	assert_int_equal(rc, 0);
	assert_int_equal(kws_publisher_reopen_remote(f->publisher, NULL), 0);
	assert_true(pump(f, TIMEOUT_MS)); /* it came back by itself */
	kws_publisher_close_remote(f->publisher);
	f->ring.count = 0;
	deadline_ms = kws__frame_deadline(TIMEOUT_MS);
	do {
		rc = kws_publisher_reopen_remote(f->publisher, NULL);
	} while (rc == KWS_EBUSY && kws__frame_deadline(0) < deadline_ms);
	assert_int_equal(rc, 0);
	usleep(ARRIVAL_US);
	drop_messages(f);
	assert_false(pump(f, 500)); /* but is not let in */
}

static void test_without_remote(void **state)
{
	struct fixture *f = *state;
	kws_publisher_close_remote(f->publisher);
	kws_control_close_remote(f->control);
	assert_int_equal(kws_publisher_reopen_remote(f->publisher, NULL), 0);
	assert_int_equal(kws_control_reopen_remote(f->control, NULL), 0);
	assert_int_equal(open_publisher(f, "ipc:///tmp/x"), KWS_EUNSUPPORTED);
	assert_int_equal(open_control(f, "tcp://127.0.0.1"), KWS_EINVAL);
}

/* With the handler gone nobody gets in, not everybody (ZMQ_ZAP_ENFORCE_DOMAIN). */
static void test_without_handler(void **state)
{
	struct fixture *f = *state;
	char endpoint[KWS_ENDPOINT_BYTES];
	kws_zap_close(f->zap);
	f->zap = NULL;
	for (int i = 0; i < 100; i++) {
		uv_run(&f->loop, UV_RUN_NOWAIT);
	}
	open_some_port(f, open_publisher, endpoint);
	connect_client(f, ZMQ_SUB, endpoint);
	assert_false(pump(f, 500));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_control),
		TEST(test_request_under_way),
		TEST(test_close_and_reopen),
		TEST(test_without_remote),
		TEST(test_without_handler),
	};
	if (kws_keys_supported(NULL) != 0) {
		return 77;
	}
	return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
