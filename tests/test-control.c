/* SPDX-License-Identifier: Apache-2.0 */
/* The control socket against real clients: server and clients take turns in one thread, so that
 * each test decides what has arrived when the loop looks. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <setjmp.h>

#include <cmocka.h>
#include <pthread.h>
#include <stdbool.h>
#include <zmq.h>

#include "ipc/client.h"
#include "ipc/control.h"
#include "ipc/endpoint.h"
#include "ipc/frame.h"
#include "tests/scratch.h"

#define TIMEOUT_MS 5000
#define ARRIVAL_US 100000 /* until a message that was sent lies in the server's socket */

#define MAX_CLIENTS 32

#define PING "{\"jsonrpc\":\"2.0\",\"method\":\"ping\",\"id\":1}"
#define PONG "{\"jsonrpc\":\"2.0\",\"result\":\"pong\",\"id\":1}"

struct fixture {
	char dir[SCRATCH_BYTES];
	char endpoint[KWS_ENDPOINT_BYTES];
	void *context;        /* the server's */
	void *client_context; /* its own I/O thread, as in another process */
	uv_loop_t loop;
	struct kws_control *control;
	void *trap;                 /* sends a request from inside a method */
	void *clients[MAX_CLIENTS]; /* closed in the teardown, so that a failed test ends too */
	int client_count;
	uv_timer_t timer;
	int closed;
};

static int method_ping(void *user, const json_t *params, json_t **result, struct kws_error *error)
{
	(void)user;
	(void)params;
	(void)error;
	*result = json_string("pong");
	return 0;
}

/* A second request arrives while the first one is handled, before its answer is sent. */
static int method_trap(void *user, const json_t *params, json_t **result, struct kws_error *error)
{
	struct fixture *f = user;
	zmq_send(f->trap, PING, strlen(PING), 0);
	usleep(ARRIVAL_US);
	return method_ping(user, params, result, error);
}

static void on_closed(void *user)
{
	struct fixture *f = user;
	f->closed++;
}

static int method_stop(void *user, const json_t *params, json_t **result, struct kws_error *error)
{
	struct fixture *f = user;
	kws_control_close(f->control, on_closed);
	return method_ping(user, params, result, error);
}

static int method_fail(void *user, const json_t *params, json_t **result, struct kws_error *error)
{
	(void)user;
	(void)params;
	(void)result;
	return kws_fail(error, KWS_ENOENT, "there is no such thing");
}

static const struct kws_rpc_method methods[] = {
	{"ping", method_ping, "", NULL},
	{"trap", method_trap, "", NULL},
	{"stop", method_stop, "", NULL},
	{"fail", method_fail, "", NULL},
	{NULL, NULL, NULL, NULL},
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	if (f == NULL || scratch_create(f->dir) != 0 || uv_loop_init(&f->loop) != 0) {
		return -1;
	}
	snprintf(f->endpoint, sizeof(f->endpoint), "ipc://%s/control", f->dir);
	f->context = zmq_ctx_new();
	f->client_context = zmq_ctx_new();
	*state = f;
	return kws_control_create(&f->control, &f->loop, f->context, f->endpoint, methods, f, NULL);
}

static int teardown(void **state)
{
	struct fixture *f = *state;
	if (f->closed == 0) {
		kws_control_close(f->control, on_closed);
	}
	if (f->timer.loop != NULL) {
		uv_close((uv_handle_t *)&f->timer, NULL);
	}
	for (int i = 0; i < f->client_count; i++) {
		zmq_close(f->clients[i]);
	}
	uv_run(&f->loop, UV_RUN_DEFAULT);
	bool clean = f->closed == 1 && uv_loop_close(&f->loop) == 0;
	zmq_ctx_term(f->context);
	zmq_ctx_term(f->client_context);
	scratch_remove(f->dir);
	free(f);
	return clean ? 0 : -1;
}

static void *connect_client(struct fixture *f, int type)
{
	void *socket = zmq_socket(f->client_context, type);
	assert_non_null(socket);
	assert_true(f->client_count < MAX_CLIENTS);
	f->clients[f->client_count++] = socket;
	assert_int_equal(kws__frame_set(socket, ZMQ_LINGER, 0), 0);
	assert_int_equal(kws__frame_set(socket, ZMQ_SNDHWM, 0), 0);
	assert_int_equal(kws_endpoint_connect(socket, f->endpoint, false, NULL), 0);
	return socket;
}

static void send_text(void *socket, const char *text)
{
	assert_int_equal(zmq_send(socket, text, strlen(text), 0), strlen(text));
}

/* Turns the loop until the client has something to receive. */
static bool pump(struct fixture *f, void *socket)
{
	int64_t deadline_ms = kws__frame_deadline(TIMEOUT_MS);
	while (kws__frame_wait(socket, kws__frame_deadline(1)) != 0) {
		if (kws__frame_deadline(0) > deadline_ms) {
			return false;
		}
		uv_run(&f->loop, UV_RUN_NOWAIT);
	}
	return true;
}

static void assert_receives(struct fixture *f, void *socket, const char *expected)
{
	char text[4096];
	assert_true(pump(f, socket));
	int size = zmq_recv(socket, text, sizeof(text) - 1, 0);
	assert_true(size >= 0 && size < (int)sizeof(text));
	text[size] = '\0';
	assert_string_equal(text, expected);
}

static void turn_for_a_while(struct fixture *f)
{
	usleep(ARRIVAL_US);
	for (int i = 0; i < 1000; i++) {
		uv_run(&f->loop, UV_RUN_NOWAIT);
	}
}

static void test_dealer_and_req(void **state)
{
	struct fixture *f = *state;
	void *dealer = connect_client(f, ZMQ_DEALER);
	void *req = connect_client(f, ZMQ_REQ);
	send_text(dealer, PING);
	send_text(req, PING);
	assert_receives(f, req, PONG);
	assert_receives(f, dealer, PONG);
	/* a DEALER that writes the delimiter gets it back */
	zmq_send(dealer, "", 0, ZMQ_SNDMORE);
	send_text(dealer, PING);
	assert_receives(f, dealer, "");
	assert_receives(f, dealer, PONG);
}

#define BURST 1000

static void test_burst(void **state)
{
	struct fixture *f = *state;
	void *dealer = connect_client(f, ZMQ_DEALER);
	for (int i = 0; i < BURST; i++) {
		send_text(dealer, PING);
	}
	for (int i = 0; i < BURST; i++) {
		assert_receives(f, dealer, PONG);
	}
	assert_int_equal(kws_control_counts(f->control).requests, BURST);
	assert_int_equal(kws_control_counts(f->control).dropped, 0);
}

static void on_timer(uv_timer_t *timer)
{
	(*(int *)timer->data)++;
}

/* With a queue full of requests, each turn does a bounded piece and other handles run. */
static void test_flood_does_not_starve(void **state)
{
	struct fixture *f = *state;
	void *dealer = connect_client(f, ZMQ_DEALER);
	int ticks = 0;
	uv_timer_init(&f->loop, &f->timer);
	f->timer.data = &ticks;
	uv_timer_start(&f->timer, on_timer, 0, 1);
	for (int i = 0; i < BURST; i++) {
		send_text(dealer, PING);
	}
	usleep(ARRIVAL_US);
	uint64_t before = 0;
	int turns = 0;
	while (kws_control_counts(f->control).requests < BURST && turns < 4000) {
		uv_run(&f->loop, UV_RUN_NOWAIT);
		uint64_t now = kws_control_counts(f->control).requests;
		/* two frames a request; the idle and the poll handle may both call in one turn */
		assert_true(now - before <= KWS_CONTROL_TURN_FRAMES);
		before = now;
		turns++;
		usleep(500);
	}
	assert_int_equal(before, BURST);
	assert_true(turns >= BURST / KWS_CONTROL_TURN_FRAMES);
	assert_true(ticks > turns / 10);
	uv_timer_stop(&f->timer);
}

/* The send of the first answer swallows the news of the second request. */
static void test_edge_trigger_trap(void **state)
{
	struct fixture *f = *state;
	void *dealer = connect_client(f, ZMQ_DEALER);
	f->trap = connect_client(f, ZMQ_DEALER);
	send_text(f->trap, PING); /* the connection stands before the trap is sprung */
	assert_receives(f, f->trap, PONG);
	for (int i = 0; i < 3; i++) {
		send_text(dealer, "{\"jsonrpc\":\"2.0\",\"method\":\"trap\",\"id\":1}");
		assert_receives(f, dealer, PONG);
		assert_receives(f, f->trap, PONG);
	}
}

static void test_request_before_the_loop_runs(void **state)
{
	struct fixture *f = *state;
	void *dealer = connect_client(f, ZMQ_DEALER);
	send_text(dealer, PING);
	usleep(ARRIVAL_US);
	assert_receives(f, dealer, PONG);
}

static void test_malformed_json(void **state)
{
	struct fixture *f = *state;
	void *dealer = connect_client(f, ZMQ_DEALER);
	char text[512];
	send_text(dealer, "{\"jsonrpc\":");
	assert_true(pump(f, dealer));
	int size = zmq_recv(dealer, text, sizeof(text) - 1, 0);
	assert_true(size > 0);
	text[size] = '\0';
	assert_non_null(strstr(text, "-32700"));
	send_text(dealer, "");
	assert_true(pump(f, dealer));
	size = zmq_recv(dealer, text, sizeof(text) - 1, 0);
	assert_true(size > 0);
	text[size] = '\0';
	assert_non_null(strstr(text, "-32700"));
}

static void send_frames(void *socket, int count)
{
	for (int i = 0; i < count; i++) {
		assert_int_equal(
			zmq_send(socket, PING, strlen(PING), i + 1 < count ? ZMQ_SNDMORE : 0),
			strlen(PING));
	}
}

static void test_malformed_multipart(void **state)
{
	struct fixture *f = *state;
	void *dealer = connect_client(f, ZMQ_DEALER);
	send_frames(dealer, 2);
	send_frames(dealer, 3);
	zmq_send(dealer, "", 0, ZMQ_SNDMORE);
	send_frames(dealer, 2);
	send_frames(dealer, 5000);
	send_text(dealer, PING);
	assert_receives(f, dealer, PONG);
	assert_int_equal(kws_control_counts(f->control).malformed, 4);
	assert_int_equal(kws_control_counts(f->control).requests, 1);
}

static void test_oversize(void **state)
{
	struct fixture *f = *state;
	static char text[KWS_RPC_REQUEST_BYTES + 65]; /* 64 are allowed for encryption */
	void *dealer = connect_client(f, ZMQ_DEALER);
	void *other = connect_client(f, ZMQ_DEALER);
	memset(text, ' ', sizeof(text));
	assert_int_equal(zmq_send(dealer, text, sizeof(text), 0), sizeof(text));
	turn_for_a_while(f);
	assert_int_equal(kws_control_counts(f->control).requests, 0);
	send_text(other, PING);
	assert_receives(f, other, PONG);
	/* just within the limit */
	memcpy(text, PING, strlen(PING));
	assert_int_equal(zmq_send(other, text, KWS_RPC_REQUEST_BYTES, 0), KWS_RPC_REQUEST_BYTES);
	assert_receives(f, other, PONG);
	assert_int_equal(kws_control_counts(f->control).requests, 2); /* nor did it come late */
}

#define VISITORS 20

static void test_client_disappears(void **state)
{
	struct fixture *f = *state;
	for (int i = 0; i < VISITORS; i++) {
		void *dealer = connect_client(f, ZMQ_DEALER);
		kws__frame_set(dealer, ZMQ_LINGER, TIMEOUT_MS);
		send_text(dealer, PING);
		zmq_close(dealer);
		f->client_count--;
	}
	int64_t deadline_ms = kws__frame_deadline(TIMEOUT_MS);
	while (kws_control_counts(f->control).requests < VISITORS &&
		kws__frame_deadline(0) < deadline_ms) {
		uv_run(&f->loop, UV_RUN_NOWAIT);
		usleep(1000);
	}
	assert_int_equal(kws_control_counts(f->control).requests, VISITORS);
	void *dealer = connect_client(f, ZMQ_DEALER);
	send_text(dealer, PING);
	assert_receives(f, dealer, PONG);
}

static void test_notification(void **state)
{
	struct fixture *f = *state;
	void *dealer = connect_client(f, ZMQ_DEALER);
	send_text(dealer, "{\"jsonrpc\":\"2.0\",\"method\":\"fail\"}");
	send_text(dealer, PING);
	assert_receives(f, dealer, PONG);
	assert_int_equal(kws_control_counts(f->control).requests, 2);
}

static void test_close_inside_a_method(void **state)
{
	struct fixture *f = *state;
	void *dealer = connect_client(f, ZMQ_DEALER);
	send_text(dealer, "{\"jsonrpc\":\"2.0\",\"method\":\"stop\",\"id\":1}");
	send_text(dealer, PING); /* too late: never answered */
	assert_receives(f, dealer, PONG);
	uv_run(&f->loop, UV_RUN_DEFAULT);
	assert_int_equal(f->closed, 1);
	assert_int_equal(kws__frame_wait(dealer, kws__frame_deadline(200)), KWS_ETIMEOUT);
}

static void test_close_in_mid_flood(void **state)
{
	struct fixture *f = *state;
	void *dealer = connect_client(f, ZMQ_DEALER);
	for (int i = 0; i < BURST; i++) {
		send_text(dealer, PING);
	}
	usleep(ARRIVAL_US);
	uv_run(&f->loop, UV_RUN_NOWAIT);
	kws_control_close(f->control, on_closed);
	kws_control_close(f->control, NULL); /* a second one changes nothing */
	uv_run(&f->loop, UV_RUN_DEFAULT);
	assert_int_equal(f->closed, 1);
	kws_control_close(NULL, on_closed);
}

static void test_create_fails(void **state)
{
	struct fixture *f = *state;
	struct kws_control *other = NULL;
	struct kws_error error;
	assert_int_equal(kws_control_create(&other, &f->loop, f->context, "tcp://0.0.0.0:5555",
				 methods, f, &error),
		KWS_EUNSUPPORTED);
	assert_int_equal(kws_control_create(&other, &f->loop, f->context, "ipc:///no/such/x",
				 methods, f, &error),
		KWS_EIO);
	assert_non_null(strstr(error.text, "/no/such/x"));
	assert_null(other);
}

/* The blocking client in its own thread, the loop in this one. */
struct caller {
	struct fixture *f;
	struct kws_client *client;
	const char *method;
	json_t *params;
	int timeout_ms;
	int rc;
	json_t *result;
	struct kws_error error;
	uv_async_t done;
};

static void *run_caller(void *user)
{
	struct caller *caller = user;
	caller->rc = kws_client_call(caller->client, caller->method, caller->params,
		caller->timeout_ms, &caller->result, &caller->error);
	uv_async_send(&caller->done);
	return NULL;
}

static void on_done(uv_async_t *async)
{
	uv_stop(async->loop);
}

static void call(struct caller *caller)
{
	pthread_t thread;
	uv_async_init(&caller->f->loop, &caller->done, on_done);
	assert_int_equal(pthread_create(&thread, NULL, run_caller, caller), 0);
	uv_run(&caller->f->loop, UV_RUN_DEFAULT);
	pthread_join(thread, NULL);
	uv_close((uv_handle_t *)&caller->done, NULL);
	uv_run(&caller->f->loop, UV_RUN_NOWAIT);
}

static void test_client(void **state)
{
	struct fixture *f = *state;
	struct caller caller = {.f = f, .method = "ping", .timeout_ms = TIMEOUT_MS};
	assert_int_equal(kws_client_create(&caller.client, f->endpoint, NULL, NULL), 0);
	for (int i = 0; i < 3; i++) {
		call(&caller);
		assert_int_equal(caller.rc, 0);
		assert_string_equal(json_string_value(caller.result), "pong");
		json_decref(caller.result);
	}
	caller.method = "fail";
	call(&caller);
	assert_int_equal(caller.rc, KWS_EIO);
	assert_string_equal(caller.error.text, "there is no such thing");
	caller.method = "unheard-of";
	call(&caller);
	assert_int_equal(caller.rc, KWS_EIO);
	assert_non_null(strstr(caller.error.text, "unheard-of"));
	kws_client_destroy(caller.client);
	kws_client_destroy(NULL);
}

/* Nobody turns the loop, so nobody answers; the late answer is not taken for the next one's. */
static void test_client_timeout(void **state)
{
	struct fixture *f = *state;
	struct caller caller = {.f = f, .method = "ping", .timeout_ms = TIMEOUT_MS};
	struct kws_error error;
	json_t *result = NULL;
	assert_int_equal(kws_client_create(&caller.client, f->endpoint, NULL, NULL), 0);
	assert_int_equal(
		kws_client_call(caller.client, "fail", NULL, 100, &result, &error), KWS_ETIMEOUT);
	assert_non_null(strstr(error.text, f->endpoint));
	assert_null(result);
	call(&caller);
	assert_int_equal(caller.rc, 0);
	assert_string_equal(json_string_value(caller.result), "pong");
	json_decref(caller.result);
	kws_client_destroy(caller.client);
}

static void test_client_refuses_large_requests(void **state)
{
	struct fixture *f = *state;
	static char text[KWS_RPC_REQUEST_BYTES + 1];
	struct kws_client *client;
	struct kws_error error;
	json_t *result;
	memset(text, 'x', sizeof(text) - 1);
	json_t *params = json_pack("{s:s}", "key", text);
	assert_int_equal(kws_client_create(&client, f->endpoint, NULL, NULL), 0);
	assert_int_equal(kws_client_call(client, "ping", params, 100, &result, &error), KWS_EINVAL);
	assert_int_equal(params->refcount, 1);
	json_decref(params);
	kws_client_destroy(client);
}

static void test_client_without_daemon(void **state)
{
	(void)state;
	struct kws_client *client = NULL;
	struct kws_error error;
	assert_int_equal(
		kws_client_create(&client, "ipc:///no/such/control", NULL, &error), KWS_ENOENT);
	assert_non_null(strstr(error.text, "ipc:///no/such/control"));
	assert_null(client);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_dealer_and_req),
		TEST(test_burst),
		TEST(test_flood_does_not_starve),
		TEST(test_edge_trigger_trap),
		TEST(test_request_before_the_loop_runs),
		TEST(test_malformed_json),
		TEST(test_malformed_multipart),
		TEST(test_oversize),
		TEST(test_client_disappears),
		TEST(test_notification),
		TEST(test_close_inside_a_method),
		TEST(test_close_in_mid_flood),
		TEST(test_create_fails),
		TEST(test_client),
		TEST(test_client_timeout),
		TEST(test_client_refuses_large_requests),
		cmocka_unit_test(test_client_without_daemon),
	};
	return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
