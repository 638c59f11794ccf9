/* SPDX-License-Identifier: Apache-2.0 */
/* What the daemon's stream tells and does while its source is opened, when the memory runs out as
 * well. */
#include "tests/alloc-fail.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zmq.h>

#include "daemon/stream.h"
#include "tests/pipeline-rig.h"
#include "tests/scratch.h"

#define PATIENCE_MS 10000

/* A stream as the daemon has it. */
struct scene {
	uv_loop_t loop;
	uv_timer_t tick;
	void *zmq;
	struct kws_publisher *publisher;
	struct kws_config *config;
	struct kws_stream *stream;
	bool ended;
};

static char folder[SCRATCH_BYTES];

static void on_ended(void *user, enum kws_stream_end how)
{
	struct scene *scene = user;
	(void)how;
	scene->ended = true;
}

static void on_tick(uv_timer_t *timer)
{
	struct scene *scene = timer->data;
	kws_stream_tick(scene->stream);
}

static struct kws_config *config_at(const char *rate)
{
	return load_config(WITH("model.path=" KWS_TEST_DATA "/../../models/commands.safetensors",
		"audio.source=null", rate));
}

static void begin(struct scene *scene)
{
	char endpoint[SCRATCH_BYTES + 16];
	struct kws_error error;
	snprintf(endpoint, sizeof(endpoint), "ipc://%s/events", folder);
	*scene = (struct scene){.zmq = zmq_ctx_new()};
	assert_int_equal(uv_loop_init(&scene->loop), 0);
	scene->config = config_at("audio.rate_hz=16000");
	if (kws_publisher_create(&scene->publisher, scene->zmq, endpoint, 0, &error) != 0 ||
		kws_stream_create(&scene->stream, &scene->loop, scene->config, scene->publisher,
			on_ended, scene, &error) != 0) {
		fail_msg("%s", error.text);
	}
	uv_timer_init(&scene->loop, &scene->tick);
	scene->tick.data = scene;
	uv_timer_start(&scene->tick, on_tick, 100, 100);
}

static void end(struct scene *scene)
{
	kws_stream_destroy(scene->stream);
	uv_close((uv_handle_t *)&scene->tick, NULL);
	uv_run(&scene->loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(&scene->loop), 0);
	kws_publisher_destroy(scene->publisher);
	zmq_ctx_term(scene->zmq);
	kws_config_destroy(scene->config);
}

static bool is_in(const struct scene *scene, const char *state)
{
	return strncmp(kws_stream_state(scene->stream), state, strlen(state)) == 0;
}

/* Until it is settled what becomes of the source. Returns whether it was lost meanwhile. */
static bool settle(struct scene *scene)
{
	bool lost = false;
	uint64_t deadline_ms = uv_now(&scene->loop) + PATIENCE_MS;
	while (!scene->ended && (is_in(scene, "opening") || is_in(scene, "lost")) &&
		uv_now(&scene->loop) < deadline_ms) {
		lost = lost || is_in(scene, "lost");
		uv_run(&scene->loop, UV_RUN_ONCE);
	}
	return lost;
}

static void assert_audio_state(const struct scene *scene, const char *expected)
{
	json_t *status = kws_stream_status(scene->stream);
	const json_t *audio = json_object_get(status, "audio");
	assert_string_equal(json_string_value(json_object_get(audio, "state")), expected);
	json_decref(status);
}

/* Lets an allocation fail while the source is opened with other settings. Returns whether there was
 * such a one; `*lost`: there was no audio for a while. */
static bool open_anew(size_t number, bool *lost)
{
	struct scene scene;
	struct kws_error error;
	begin(&scene);
	*lost = settle(&scene);
	assert_true(is_in(&scene, "listening"));
	struct kws_config *config = config_at("audio.rate_hz=44100");
	alloc_fail_begin(number);
	if (kws_stream_apply(scene.stream, config, &error) == 0) {
		kws_config_destroy(scene.config);
		scene.config = config;
		*lost = settle(&scene);
	} else {
		kws_config_destroy(config);
		assert_true(is_in(&scene, "listening"));
	}
	bool failed = alloc_fail_end();
	if (!scene.ended && is_in(&scene, "failed")) {
		assert_audio_state(&scene, "failed");
	} else if (!scene.ended) {
		assert_true(is_in(&scene, "listening"));
		assert_audio_state(&scene, "running");
	}
	end(&scene);
	return failed;
}

/* No source that runs is thrown away for good. */
static void without_memory_it_listens_later(void **state)
{
	size_t number = 0;
	size_t times_lost = 0;
	bool failed;
	(void)state;
	do {
		bool lost;
		failed = open_anew(++number, &lost);
		times_lost += lost;
	} while (failed);
	print_message("%zu allocations, %zu of them for the pipeline\n", number - 1, times_lost);
	assert_true(times_lost > 0);
}

static void a_mute_hides_no_state(void **state)
{
	struct scene scene;
	(void)state;
	begin(&scene);
	assert_true(is_in(&scene, "opening"));
	kws_stream_mute(scene.stream, 0);
	assert_true(is_in(&scene, "muted"));
	kws_stream_unmute(scene.stream);
	assert_true(is_in(&scene, "opening"));
	kws_stream_mute(scene.stream, 0);
	for (int i = 0; i < 100 && !is_in(&scene, "listening"); i++) {
		uv_run(&scene.loop, UV_RUN_ONCE);
		assert_true(is_in(&scene, "muted"));
	}
	kws_stream_unmute(scene.stream);
	assert_string_equal(kws_stream_state(scene.stream), "listening: not muted any more");
	end(&scene);
}

static int set_up(void **state)
{
	(void)state;
	return scratch_create(folder) == 0 ? setenv("KWSD_RUNTIME_DIR", folder, 1) : -1;
}

static int tear_down(void **state)
{
	(void)state;
	scratch_remove(folder);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_mute_hides_no_state),
		cmocka_unit_test(without_memory_it_listens_later),
	};
	int failed = cmocka_run_group_tests(tests, set_up, tear_down);
	return failed != 0;
}
