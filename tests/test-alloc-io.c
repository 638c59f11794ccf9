/* SPDX-License-Identifier: Apache-2.0 */
/* What holds threads, sockets, watches or files, when the memory runs out. */
#include "tests/alloc-fail.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <math.h>
#include <semaphore.h>
#include <sndfile.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <uv.h>
#include <zmq.h>

#include "audio/capture.h"
#include "config/config.h"
#include "config/edit.h"
#include "config/watcher.h"
#include "ipc/client.h"
#include "ipc/control.h"
#include "ipc/endpoint.h"
#include "ipc/event.h"
#include "ipc/publisher.h"
#include "ipc/subscriber.h"
#include "ipc/zap.h"
#include "tests/scratch.h"

static char folder[SCRATCH_BYTES];

static void path_of(const char *name, char path[256])
{
	snprintf(path, 256, "%s/%s", folder, name);
}

static void endpoint_of(const char *name, char endpoint[256])
{
	snprintf(endpoint, 256, "ipc://%s/%s", folder, name);
}

/* An error has a sentence. */
static int told(int code, const struct kws_error *error)
{
	if (code < 0 && error->text[0] == '\0') {
		fail_msg("%s, but no sentence", kws_strerror(code));
	}
	return code;
}

static void wake(void *user)
{
	sem_post(user);
}

/* The first thing that a capture tells: 0, or why its source could not be opened. */
static int wait_for_open(struct kws_capture *capture, sem_t *woken)
{
	struct kws_capture_event event = {.type = KWS_CAPTURE_NONE};
	int16_t samples[KWS_CHANNELS_MAX];
	while (event.type == KWS_CAPTURE_NONE) {
		sem_wait(woken);
		assert_int_equal(kws_capture_read(capture, samples, KWS_CHANNELS_MAX, &event), 0);
	}
	if (event.type == KWS_CAPTURE_OPENED) {
		return 0;
	}
	assert_int_equal(event.type, KWS_CAPTURE_FAILED);
	assert_true(event.reason[0] != '\0');
	return event.code;
}

static int attempt_capture(const struct kws_source_config *config)
{
	struct kws_capture *capture;
	sem_t woken;
	sem_init(&woken, 0, 0);
	int code = kws_capture_create(&capture, config, wake, &woken);
	if (code == 0) {
		code = wait_for_open(capture, &woken);
		kws_capture_destroy(capture);
	}
	sem_destroy(&woken);
	return code;
}

static int attempt_null(void)
{
	return attempt_capture(&(struct kws_source_config){.type = "null", .device = "none"});
}

static int attempt_file(void)
{
	char path[256];
	path_of("sound.wav", path);
	return attempt_capture(&(struct kws_source_config){.type = "file", .path = path});
}

static int attempt_stdin(void)
{
	int ends[2];
	assert_int_equal(pipe(ends), 0);
	int code = attempt_capture(&(struct kws_source_config){
		.type = "stdin", .fd = ends[0], .rate_hz = 16000, .channels = 1});
	close(ends[0]);
	close(ends[1]);
	return code;
}

static void ignore(void *user, bool own)
{
	(void)user;
	(void)own;
}

/* Runs what is left to be closed: nothing may stay. */
static void finish_loop(uv_loop_t *loop)
{
	uv_run(loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(loop), 0);
}

static int attempt_watcher(void)
{
	struct kws_watcher *watcher;
	uv_loop_t loop;
	char path[256];
	path_of("sound.wav", path);
	assert_int_equal(uv_loop_init(&loop), 0);
	int code = kws_watcher_create(&watcher, &loop, path, ignore, NULL, NULL);
	if (code == 0) {
		kws_watcher_destroy(watcher);
	}
	finish_loop(&loop);
	return code;
}

static int attempt_config(void)
{
	static const char *const overrides[] = {"model.hop_frames=2", "keyword go.threshold=0.7"};
	struct kws_config_errors errors;
	char path[256];
	path_of("kwsd.conf", path);
	struct kws_config *loaded;
	int code = kws_config_load(&loaded, path, overrides, 2, &errors);
	assert_true(code == 0 || errors.total > 0);
	if (code == 0) {
		kws_config_destroy(loaded);
	}
	return code;
}

static int attempt_edit_file(void)
{
	const struct kws_edit edit = {"detector.threshold", "0.9"};
	struct kws_error error = {""};
	char path[256];
	path_of("kwsd.conf", path);
	return told(kws_edit_file(path, &edit, 1, &error), &error);
}

static int send_one(struct kws_publisher *publisher)
{
	json_t *event = json_pack("{s:i, s:s}", "v", 1, "name", "yes");
	if (event == NULL) {
		return KWS_ENOMEM;
	}
	int code = kws_publisher_send_data(publisher, "kws.audio.yes", event, "audio", 5);
	json_decref(event);
	return code;
}

/* The first message of a topic makes its counter. */
static int attempt_publisher(void)
{
	struct kws_publisher *publisher;
	struct kws_error error = {""};
	char endpoint[256];
	void *context = zmq_ctx_new();
	endpoint_of("events", endpoint);
	int code = told(kws_publisher_create(&publisher, context, endpoint, 0, &error), &error);
	if (code == 0) {
		code = send_one(publisher);
		kws_publisher_destroy(publisher);
	}
	zmq_ctx_term(context);
	return code;
}

static int attempt_control(void)
{
	static const struct kws_rpc_method none[] = {{NULL, NULL, NULL, NULL}};
	struct kws_control *control;
	struct kws_error error = {""};
	uv_loop_t loop;
	char endpoint[256];
	void *context = zmq_ctx_new();
	endpoint_of("control", endpoint);
	assert_int_equal(uv_loop_init(&loop), 0);
	int code = told(
		kws_control_create(&control, &loop, context, endpoint, none, NULL, &error), &error);
	if (code == 0) {
		kws_control_close(control, NULL);
	}
	finish_loop(&loop);
	zmq_ctx_term(context);
	return code;
}

static int attempt_zap(void)
{
	static const struct kws_keyring nobody;
	struct kws_zap *zap;
	struct kws_error error = {""};
	uv_loop_t loop;
	void *context = zmq_ctx_new();
	assert_int_equal(uv_loop_init(&loop), 0);
	int code = told(kws_zap_create(&zap, &loop, context, &nobody, NULL, NULL, &error), &error);
	if (code == 0) {
		kws_zap_close(zap);
	}
	finish_loop(&loop);
	zmq_ctx_term(context);
	return code;
}

static struct kws_curve_client keys;

static int attempt_client(void)
{
	struct kws_client *client;
	struct kws_error error = {""};
	int code = told(kws_client_create(&client, "tcp://127.0.0.1:7601", &keys, &error), &error);
	if (code == 0) {
		kws_client_destroy(client);
	}
	return code;
}

static int attempt_subscriber(void)
{
	struct kws_subscriber *subscriber;
	struct kws_error error = {""};
	int code = told(
		kws_subscriber_create(&subscriber, "tcp://127.0.0.1:7601", &keys, &error), &error);
	if (code == 0) {
		kws_subscriber_destroy(subscriber);
	}
	return code;
}

static int attempt_authorize(void)
{
	struct kws_error error = {""};
	return told(
		kws_keyring_change(folder, "tablet", keys.own.public_key, KWS_RIGHT_EVENTS, &error),
		&error);
}

static int give_event(int code, json_t *event)
{
	if (code == 0) {
		json_decref(event);
	}
	return code;
}

static int attempt_detection(void)
{
	const struct kws_detection_event event = {.name = "yes",
		.model = "words",
		.phrase = "k\xfc"
			  "che", /* Latin-1 */
		.policy = "entropy",
		.reason = "score"};
	json_t *json = NULL;
	int code = kws_event_detection(&event, &json);
	return give_event(code, json);
}

static int attempt_score(void)
{
	static const char *const labels[] = {"yes", "no"};
	static const float posteriors[] = {0.25f, 0.75f};
	const struct kws_score_event event = {.policy = "entropy",
		.reason = "score",
		.change = (double)NAN,
		.label = "no",
		.labels = labels,
		.posteriors = posteriors,
		.count = 2};
	json_t *json = NULL;
	int code = kws_event_score(&event, &json);
	return give_event(code, json);
}

static int attempt_audio(void)
{
	json_t *json = NULL;
	int code = kws_event_audio(&(struct kws_audio_event){.name = "yes"}, &json);
	return give_event(code, json);
}

static int attempt_level(void)
{
	json_t *json = NULL;
	int code = kws_event_level(-40.0, -30.0, &json);
	return give_event(code, json);
}

static int attempt_state(void)
{
	json_t *json = NULL;
	int code = kws_event_state(
		&(struct kws_state_event){.state = "listening", .reason = "started"}, &json);
	return give_event(code, json);
}

static const struct {
	const char *name;
	int (*attempt)(void);
} subjects[] = {
	{"capture of null", attempt_null},
	{"capture of a file", attempt_file},
	{"capture of stdin", attempt_stdin},
	{"watcher", attempt_watcher},
	{"config", attempt_config},
	{"edit file", attempt_edit_file},
	{"publisher", attempt_publisher},
	{"control", attempt_control},
	{"zap", attempt_zap},
	{"client", attempt_client},
	{"subscriber", attempt_subscriber},
	{"authorize", attempt_authorize},
	{"detection", attempt_detection},
	{"score", attempt_score},
	{"audio", attempt_audio},
	{"level", attempt_level},
	{"state", attempt_state},
};

#define SUBJECTS (sizeof(subjects) / sizeof(subjects[0]))

static void each_allocation_may_fail(void **state)
{
	size_t index = (size_t)(uintptr_t)*state;
	alloc_fail_each(subjects[index].name, subjects[index].attempt);
}

static void write_files(void)
{
	static const short silence[1600];
	char path[256];
	path_of("sound.wav", path);
	SF_INFO info = {
		.samplerate = 16000, .channels = 1, .format = SF_FORMAT_WAV | SF_FORMAT_PCM_16};
	SNDFILE *sound = sf_open(path, SFM_WRITE, &info);
	assert_non_null(sound);
	assert_int_equal(sf_writef_short(sound, silence, 1600), 1600);
	sf_close(sound);
	path_of("kwsd.conf", path);
	FILE *config = fopen(path, "w");
	assert_non_null(config);
	fputs("[detector]\nthreshold = 0.5\n", config);
	fclose(config);
}

static int set_up(void **state)
{
	(void)state;
	assert_int_equal(scratch_create(folder), 0);
	write_files();
	assert_int_equal(zmq_curve_keypair(keys.own.public_key, keys.own.secret_key), 0);
	memcpy(keys.server_key, keys.own.public_key, sizeof(keys.server_key));
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	scratch_remove(folder);
	return 0;
}

int main(void)
{
	struct CMUnitTest tests[SUBJECTS];
	for (size_t i = 0; i < SUBJECTS; i++) {
		tests[i] = (struct CMUnitTest){.name = subjects[i].name,
			.test_func = each_allocation_may_fail,
			.initial_state = (void *)(uintptr_t)i};
	}
	int failed = cmocka_run_group_tests(tests, set_up, tear_down);
	return failed != 0;
}
