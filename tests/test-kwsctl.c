/* SPDX-License-Identifier: Apache-2.0 */
/* kwsctl as a process against a small daemon in another process, made of the same control socket
 * and publisher as kwsd, over real sockets in a scratch directory. */
#include <math.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <setjmp.h>

#include <cmocka.h>
#include <stdbool.h>
#include <time.h>
#include <zmq.h>

#include "ipc/control.h"
#include "ipc/endpoint.h"
#include "ipc/event.h"
#include "ipc/publisher.h"
#include "ipc/runtime.h"
#include "tests/kwsctl-run.h"

/* The daemon. */

struct daemon {
	struct kws_publisher *publisher;
	json_t *settings;
	uv_timer_t timer;
	uint64_t hop;
};

static int method_status(void *user, const json_t *params, json_t **result, struct kws_error *error)
{
	(void)user;
	(void)params;
	(void)error;
	*result = json_pack("{s:s, s:f, s:{s:s, s:i, s:b}, s:[s,s], s:n, s:[]}", "state",
		"listening", "uptime_s", 12.5, "audio", "device", "a\x1b[31mb", "overruns", 0,
		"muted", 0, "keywords", "yes", "no", "error", "warnings");
	return 0;
}

static int method_get(void *user, const json_t *params, json_t **result, struct kws_error *error)
{
	struct daemon *daemon = user;
	const char *key = json_string_value(json_object_get(params, "key"));
	if (key == NULL) {
		*result = json_incref(daemon->settings);
		return 0;
	}
	json_t *value = json_object_get(daemon->settings, key);
	if (value == NULL) {
		return kws_fail(error, KWS_ENOENT, "there is no key '%s'", key);
	}
	*result = json_pack("{s:O}", key, value);
	return 0;
}

static int method_set(void *user, const json_t *params, json_t **result, struct kws_error *error)
{
	struct daemon *daemon = user;
	(void)result;
	(void)error;
	return json_object_update_existing(daemon->settings, json_object_get(params, "values"));
}

static int method_reload(void *user, const json_t *params, json_t **result, struct kws_error *error)
{
	(void)user;
	(void)params;
	(void)result;
	return kws_fail(error, KWS_EFORMAT, "kwsd.conf:3: [audio].device: \x1b is no device");
}

static int method_devices(
	void *user, const json_t *params, json_t **result, struct kws_error *error)
{
	(void)user;
	(void)params;
	(void)error;
	*result = json_pack("[{s:s, s:i}, {s:s, s:n}]", "name", "hw:0", "channels", 2, "name",
		"hw:1", "channels");
	return 0;
}

static void publish(struct daemon *daemon, const char *topic, json_t *event)
{
	kws_publisher_send(daemon->publisher, topic, event);
	json_decref(event);
}

/* More than all queues between here and a stopped reader can hold. */
static int method_flood(void *user, const json_t *params, json_t **result, struct kws_error *error)
{
	struct daemon *daemon = user;
	(void)params;
	(void)error;
	for (int i = 0; i < 20000; i++) {
		struct kws_score_event score = {.hop = daemon->hop++, .label = "yes"};
		json_t *event;
		if (kws_event_score(&score, &event) == 0) {
			publish(daemon, KWS_TOPIC_SCORE, event);
		}
	}
	*result = json_true();
	return 0;
}

static void publish_detection(struct daemon *daemon, const char *prefix, const char *name)
{
	char topic[64];
	json_t *event;
	struct kws_detection_event detection = {.name = name,
		.score = 0.9,
		.threshold = 0.8,
		.exit = 2,
		.exits = 5,
		.entropy = 0.25,
		.policy = "entropy",
		.reason = "confirmed",
		.time_ms = 1785585296789,
		.monotonic_ns = 1,
		.latency_ms = 84.0};
	snprintf(topic, sizeof(topic), "%s%s", prefix, name);
	if (kws_event_detection(&detection, &event) == 0) {
		publish(daemon, topic, event);
	}
}

static void on_timer(uv_timer_t *timer)
{
	struct daemon *daemon = timer->data;
	struct kws_state_event state = {.state = "listening", .reason = "test", .time_ms = 0};
	struct kws_score_event score = {.hop = daemon->hop,
		.sample = 15920 + 640 * daemon->hop,
		.label = daemon->hop % 2 == 0 ? "yes" : "t\xc3\xbcr",
		.score = 0.5,
		.exit = 1,
		.exits = 5,
		.policy = "difference",
		.reason = daemon->hop % 2 == 0 ? "unchanged" : "no-reference",
		.change = daemon->hop % 2 == 0 ? 12.5 : (double)NAN,
		.disagreement = 1,
		.model = "far"};
	json_t *event;
	daemon->hop++;
	publish_detection(daemon, KWS_TOPIC_DETECTION, "mar");
	publish_detection(daemon, KWS_TOPIC_DETECTION, "marvin");
	publish_detection(daemon, KWS_TOPIC_CANDIDATE, "mar");
	if (kws_event_state(&state, &event) == 0) {
		publish(daemon, KWS_TOPIC_STATE, event);
	}
	if (kws_event_score(&score, &event) == 0) {
		publish(daemon, KWS_TOPIC_SCORE, event);
	}
}

static const struct kws_rpc_param settings_params[] = {{"key", KWS_RPC_STRING},
	{"values", KWS_RPC_OBJECT}, {"persist", KWS_RPC_BOOLEAN}, {.name = NULL}};

static const struct kws_rpc_method methods[] = {
	{"status", method_status, "", NULL},
	{"get", method_get, "", settings_params},
	{"set", method_set, "", settings_params},
	{"reload", method_reload, "", NULL},
	{"devices", method_devices, "", NULL},
	{"flood", method_flood, "", NULL},
	{NULL, NULL, NULL, NULL},
};

/* Runs until it is killed; writes a byte to `ready` when its sockets stand. */
static void run_daemon(const char *dir, int ready)
{
	char events[KWS_ENDPOINT_BYTES];
	char endpoint[KWS_ENDPOINT_BYTES];
	struct daemon daemon = {.hop = 0};
	struct kws_control *control;
	uv_loop_t loop;
	void *context = zmq_ctx_new();
	uv_loop_init(&loop);
	daemon.settings = json_pack("{s:s, s:f}", "audio.device", "default", "exits.delta", 0.3);
	if (kws_endpoint_default(dir, KWS_ENDPOINT_EVENTS, events, sizeof(events), NULL) < 0 ||
		kws_endpoint_default(dir, KWS_ENDPOINT_CONTROL, endpoint, sizeof(endpoint), NULL) <
			0 ||
		kws_publisher_create(&daemon.publisher, context, events, 0, NULL) < 0 ||
		kws_control_create(&control, &loop, context, endpoint, methods, &daemon, NULL) <
			0) {
		_exit(1);
	}
	uv_timer_init(&loop, &daemon.timer);
	daemon.timer.data = &daemon;
	uv_timer_start(&daemon.timer, on_timer, 10, 10);
	if (write(ready, "", 1) == 1) {
		uv_run(&loop, UV_RUN_DEFAULT);
	}
	_exit(1);
}

/* The test's side. */

static int start_daemon(struct fixture *f)
{
	int ready[2];
	char byte;
	if (pipe(ready) != 0) {
		return -1;
	}
	f->daemon = fork();
	if (f->daemon == 0) {
		run_daemon(f->dir, ready[1]);
	}
	close(ready[1]);
	int rc = read(ready[0], &byte, 1) == 1 ? 0 : -1;
	close(ready[0]);
	return rc;
}

static int setup(void **state)
{
	return setup_dir(state) == 0 ? start_daemon(*state) : -1;
}

/* Waits until the file that takes stdout ("out") or stderr ("err") contains `part`. */
static void wait_for(struct fixture *f, const char *name, const char *part)
{
	for (int waited_ms = 0;; waited_ms += 10) {
		read_text(f->dir, name, f->out);
		if (strstr(f->out, part) != NULL) {
			return;
		}
		assert_true(waited_ms < TIMEOUT_MS);
		usleep(10000);
	}
}

static void test_status(void **state)
{
	struct fixture *f = *state;
	assert_int_equal(RUN(f, "status"), 0);
	assert_string_equal(f->err, "");
	assert_string_equal(f->out, "state     listening\n"
				    "uptime_s  12.5\n"
				    "audio:\n"
				    "  device    a?[31mb\n"
				    "  overruns  0\n"
				    "  muted     false\n"
				    "keywords  yes, no\n"
				    "error     -\n"
				    "warnings  -\n");
}

static void test_status_json(void **state)
{
	struct fixture *f = *state;
	assert_int_equal(RUN(f, "--json", "status"), 0);
	assert_string_equal(f->out,
		"{\"state\":\"listening\",\"uptime_s\":12.5,\"audio\":{\"device\":"
		"\"a\\u001B[31mb\",\"overruns\":0,\"muted\":false},\"keywords\":[\"yes\",\"no\"],"
		"\"error\":null,\"warnings\":[]}\n");
}

static void test_devices(void **state)
{
	struct fixture *f = *state;
	assert_int_equal(RUN(f, "devices"), 0);
	assert_string_equal(f->out, "- name      hw:0\n"
				    "  channels  2\n"
				    "- name      hw:1\n"
				    "  channels  -\n");
}

static void test_get_and_set(void **state)
{
	struct fixture *f = *state;
	assert_int_equal(RUN(f, "get"), 0);
	assert_string_equal(f->out, "audio.device  default\nexits.delta   0.3\n");
	assert_int_equal(RUN(f, "get", "exits.delta"), 0);
	assert_string_equal(f->out, "0.3\n");
	assert_int_equal(RUN(f, "set", "exits.delta", "-0.5", "audio.device", "hw:1"), 0);
	assert_string_equal(f->out, "");
	assert_int_equal(RUN(f, "get", "exits.delta"), 0);
	assert_string_equal(f->out, "-0.5\n");
	assert_int_equal(
		RUN(f, "set", "exits.delta", "-j", "--json", "audio.device", "-n", "--"), 0);
	assert_string_equal(f->out, "null\n");
	assert_int_equal(RUN(f, "get", "-j"), 0);
	assert_string_equal(f->out, "{\"audio.device\":\"-n\",\"exits.delta\":\"-j\"}\n");
	assert_int_equal(RUN(f, "set", "exits.delta", "-0.5", "audio.device", "hw:1"), 0);
	assert_int_equal(RUN(f, "get", "--json", "audio.device"), 0);
	assert_string_equal(f->out, "\"hw:1\"\n");
}

static void test_daemon_refuses(void **state)
{
	struct fixture *f = *state;
	assert_int_equal(RUN(f, "get", "no.such"), 1);
	assert_string_equal(f->out, "");
	assert_string_equal(f->err, "kwsctl: there is no key 'no.such'\n");
	assert_int_equal(RUN(f, "get", "keyword.stop.threshold"), 1);
	assert_string_equal(f->err,
		"kwsctl: there is no key 'keyword.stop.threshold'\n"
		"kwsctl: a keyword's name stands behind a space: 'keyword NAME.threshold'\n");
	assert_int_equal(RUN(f, "reload"), 1);
	assert_string_equal(f->err, "kwsctl: kwsd.conf:3: [audio].device: ? is no device\n");
}

static void test_no_daemon(void **state)
{
	struct fixture *f = *state;
	assert_int_equal(RUN(f, "status"), 3);
	assert_non_null(strstr(f->err, "is the daemon running?"));
	assert_non_null(strstr(f->err, f->dir));
	assert_int_equal(RUN(f, "monitor"), 3);
	assert_non_null(strstr(f->err, "is the daemon running?"));
}

static void test_daemon_does_not_answer(void **state)
{
	struct fixture *f = *state;
	kill(f->daemon, SIGSTOP);
	int rc = RUN(f, "--timeout", "200", "status");
	kill(f->daemon, SIGCONT);
	assert_int_equal(rc, 3);
	assert_non_null(strstr(f->err, "no answer"));
}

static int count_lines(const char *text, const char *part)
{
	int count = 0;
	for (const char *at = text; (at = strstr(at, part)) != NULL; at++) {
		count++;
	}
	return count;
}

static void test_monitor(void **state)
{
	struct fixture *f = *state;
	assert_int_equal(RUN(f, "monitor", "--count", "4", "--for", "10"), 0);
	assert_string_equal(f->err, "");
	assert_non_null(strstr(f->out, "2026-08-01T11:54:56.789Z  marvin  score 0.900  exit 2/5  "
				       "entropy 0.250  confirmed  latency 84 ms\n"));
	assert_int_equal(count_lines(f->out, "  score "), 4);
	assert_non_null(strstr(f->out, "1970-01-01T00:00:00.000Z  state listening  (test)\n"));
	assert_null(strstr(f->out, "candidate"));
	assert_null(strstr(f->out, "hop"));
}

static void test_monitor_names(void **state)
{
	struct fixture *f = *state;
	assert_int_equal(RUN(f, "monitor", "mar", "-n", "3", "--for", "10"), 0);
	assert_int_equal(count_lines(f->out, "  mar  score "), 3);
	assert_null(strstr(f->out, "marvin"));
	assert_int_equal(RUN(f, "monitor", "nobody", "--count", "1", "--for", "1"), 4);
	assert_null(strstr(f->out, "score"));
	assert_int_equal(RUN(f, "monitor", "nobody", "--for", "1"), 0);
	assert_non_null(strstr(f->out, "state listening"));
}

static void test_monitor_scores(void **state)
{
	struct fixture *f = *state;
	assert_int_equal(RUN(f, "monitor", "--scores", "--count", "12", "--for", "10"), 0);
	assert_non_null(strstr(f->out, "  candidate mar  score 0.900  exit 2/5"));
	static const char heading[] = "      hop     time s  label          score exit of entropy  "
				      "reason         change disagree  model\n";
	static const char even[] =
		"  yes            0.500    1  5   0.000  unchanged      12.500        1  far\n";
	static const char odd[] = "  t\xc3\xbcr            0.500    1  5   0.000  "
				  "no-reference        -        1  far\n";
	assert_int_equal(count_lines(f->out, heading), 1);
	assert_true(count_lines(f->out, even) > 0);
	assert_true(count_lines(f->out, odd) > 0);
}

static void test_monitor_json(void **state)
{
	struct fixture *f = *state;
	assert_int_equal(RUN(f, "monitor", "marvin", "--json", "--count", "2", "--for", "10"), 0);
	char *line = f->out;
	int detections = 0;
	while (*line != '\0') {
		char *end = strchr(line, '\n');
		assert_non_null(end);
		json_t *event = json_loadb(line, (size_t)(end - line), 0, NULL);
		assert_non_null(event);
		const char *topic = json_string_value(json_object_get(event, "topic"));
		detections += strcmp(topic, "kws.detection.marvin") == 0;
		assert_int_equal(json_integer_value(json_object_get(event, "v")), 1);
		assert_true(json_integer_value(json_object_get(event, "seq")) > 0);
		assert_memory_equal(line, "{\"topic\":\"kws.", 14);
		json_decref(event);
		line = end + 1;
	}
	assert_int_equal(detections, 2);
}

static void test_monitor_ends_by_signal(void **state)
{
	struct fixture *f = *state;
	start(f, (const char *const[]){"monitor", "nobody", "--count", "1", NULL});
	wait_for(f, "out", "state");
	kill(f->kwsctl, SIGTERM);
	assert_int_equal(finish(f), 4);
	start(f, (const char *const[]){"monitor", NULL});
	wait_for(f, "out", "score"); /* each line is there at once, though stdout is a file */
	kill(f->kwsctl, SIGINT);
	assert_int_equal(finish(f), 0);
	assert_int_equal(f->out[strlen(f->out) - 1], '\n');
}

static void test_monitor_reports_losses(void **state)
{
	struct fixture *f = *state;
	start(f, (const char *const[]){"monitor", "--scores", NULL});
	wait_for(f, "out", "hop");
	kill(f->kwsctl, SIGSTOP);
	pid_t monitor = f->kwsctl;
	char flood[] = "{\"jsonrpc\":\"2.0\",\"method\":\"flood\",\"id\":1}";
	char endpoint[KWS_ENDPOINT_BYTES];
	void *context = zmq_ctx_new();
	void *socket = zmq_socket(context, ZMQ_DEALER);
	snprintf(endpoint, sizeof(endpoint), "ipc://%s/control", f->dir);
	assert_int_equal(zmq_connect(socket, endpoint), 0);
	zmq_send(socket, flood, strlen(flood), 0);
	assert_true(zmq_recv(socket, flood, sizeof(flood), 0) > 0);
	zmq_close(socket);
	zmq_ctx_term(context);
	kill(monitor, SIGCONT);
	wait_for(f, "err", "messages on kws.score were lost");
	kill(f->kwsctl, SIGTERM);
	assert_int_equal(finish(f), 0);
	assert_null(strstr(f->err, "restarted"));
}

static void test_monitor_reports_a_restart(void **state)
{
	struct fixture *f = *state;
	start(f, (const char *const[]){"monitor", NULL});
	wait_for(f, "out", "score");
	stop(&f->daemon);
	assert_int_equal(start_daemon(f), 0);
	wait_for(f, "err", "restarted");
	kill(f->kwsctl, SIGINT);
	assert_int_equal(finish(f), 0);
	assert_int_equal(count_lines(f->err, "restarted"), 1);
	assert_null(strstr(f->err, "lost"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_status),
		TEST(test_status_json),
		TEST(test_devices),
		TEST(test_get_and_set),
		TEST(test_daemon_refuses),
		cmocka_unit_test_setup_teardown(test_no_daemon, setup_dir, teardown),
		TEST(test_daemon_does_not_answer),
		TEST(test_monitor),
		TEST(test_monitor_names),
		TEST(test_monitor_scores),
		TEST(test_monitor_json),
		TEST(test_monitor_ends_by_signal),
		TEST(test_monitor_reports_losses),
		TEST(test_monitor_reports_a_restart),
	};
	return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
