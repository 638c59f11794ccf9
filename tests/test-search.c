/* SPDX-License-Identifier: Apache-2.0 */
/* What `kws tune` counts and chooses, on answers that are made up. The model has three exits and
 * the labels "go", "stop", "_silence_". */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "tests/model-builder.h"
#include "tune/fragment.h"
#include "tune/search.h"
#include "tune/truth.h"

enum { GO, STOP, SILENCE, LABELS };

#define EXITS 3
#define SECOND 16000u
#define HOP_SAMPLES 640u
#define HOPS 100 /* of a recording: the first 5 s, but for the first second */

struct scene {
	struct kws_model *model;
	struct kws_config *config;
	struct kws_corpus corpus;
};

static struct kws_model *build_model(const char *labels)
{
	struct model_builder builder;
	struct kws_model *model;
	struct kws_error error;
	model_builder_init(&builder);
	model_builder_three_exits(&builder);
	model_builder_json(&builder, "kws.labels", labels);
	if (model_builder_parse(&builder, &model, NULL, &error) != 0) {
		fail_msg("%s", error.text);
	}
	model_builder_finish(&builder);
	return model;
}

static struct scene make_scene(const char *const *settings, size_t count)
{
	struct scene scene = {.model = build_model("['go','stop','_silence_']")};
	struct kws_config_errors errors;
	assert_int_equal(kws_config_load(&scene.config, NULL, settings, count, &errors), 0);
	return scene;
}

static void finish_scene(struct scene *scene)
{
	kws_corpus_finish(&scene->corpus);
	kws_config_destroy(scene->config);
	kws_model_destroy(scene->model);
}

/* "go" is spoken from 1 s to 2 s and heard by every exit, else there is silence. */
static void add_recording(struct scene *scene, bool stream, uint64_t check_begin)
{
	static const struct kws_spoken spoken = {GO, SECOND, 2 * SECOND};
	struct kws_recording recording = {
		.stream = stream,
		.hops = calloc(HOPS, sizeof(*recording.hops)),
		.logits = calloc(HOPS * EXITS * LABELS, sizeof(*recording.logits)),
		.hop_count = HOPS,
		.samples = 5 * SECOND,
		.check_begin = check_begin,
	};
	assert_non_null(recording.hops);
	assert_non_null(recording.logits);
	for (size_t i = 0; i < HOPS; i++) {
		uint64_t sample = SECOND + i * HOP_SAMPLES;
		size_t heard = sample < 2 * SECOND ? GO : SILENCE;
		recording.hops[i].sample = sample;
		recording.hops[i].first = i == 0;
		recording.hops[i].speech = true;
		for (size_t exit = 0; exit < EXITS; exit++) {
			recording.logits[(i * EXITS + exit) * LABELS + heard] = 9.0f;
		}
	}
	assert_int_equal(kws_recording_add_spoken(&recording, &spoken), 0);
	kws_truth_mark(&recording);
	assert_int_equal(kws_corpus_add(&scene->corpus, &recording), 0);
}

static void decide(const struct scene *scene, struct kws_tally tallies[KWS_HALVES])
{
	struct kws_replay *replay;
	struct kws_error error;
	memset(tallies, 0, KWS_HALVES * sizeof(*tallies));
	assert_int_equal(
		kws_replay_create(&replay, scene->model, &scene->corpus, scene->config, &error), 0);
	kws_replay_decide(replay, false, tallies);
	kws_replay_destroy(replay);
}

/* Clips for one half, a stream for the other: each has operations, only the stream has hours. */
static void clips_and_streams_of_different_halves(void **state)
{
	(void)state;
	struct kws_tally tallies[KWS_HALVES];
	for (int half = 0; half < KWS_HALVES; half++) {
		struct scene scene = make_scene(NULL, 0);
		uint64_t begin[KWS_HALVES] = {UINT64_MAX, 0};
		add_recording(&scene, false, begin[half]);
		add_recording(&scene, true, begin[!half]);
		decide(&scene, tallies);
		for (int i = 0; i < KWS_HALVES; i++) {
			assert_int_equal(tallies[i].hops, HOPS);
			assert_true(kws_tally_operations(&tallies[i]) > 0.0);
		}
		assert_int_equal(tallies[half].background_hops, 0);
		assert_true(tallies[!half].background_hops > 0);
		finish_scene(&scene);
	}
}

/* Of the half that has a stream the stream alone counts. */
static void clips_beside_a_halved_stream(void **state)
{
	(void)state;
	struct kws_tally tallies[KWS_HALVES];
	struct scene scene = make_scene(NULL, 0);
	add_recording(&scene, false, UINT64_MAX);
	add_recording(&scene, false, 0);
	add_recording(&scene, true, SECOND + HOPS / 2 * HOP_SAMPLES);
	decide(&scene, tallies);
	assert_int_equal(tallies[KWS_HALF_SEARCH].hops, HOPS / 2);
	assert_int_equal(tallies[KWS_HALF_CHECK].hops, HOPS / 2);
	finish_scene(&scene);
}

static void clips_alone_have_no_hours(void **state)
{
	(void)state;
	struct kws_tally tallies[KWS_HALVES];
	struct scene scene = make_scene(NULL, 0);
	add_recording(&scene, false, UINT64_MAX);
	add_recording(&scene, false, 0);
	decide(&scene, tallies);
	for (int i = 0; i < KWS_HALVES; i++) {
		assert_int_equal(tallies[i].hops, HOPS);
		assert_int_equal(tallies[i].background_hops, 0);
	}
	finish_scene(&scene);
}

/* In half of the hops to check on nobody speaks, which costs nothing. */
static void full_operations_are_of_each_half(void **state)
{
	(void)state;
	static const char *const settings[] = {"exits.policy=always-3"};
	struct scene scene = make_scene(settings, 1);
	const struct kws_search_wish wish = {.false_alarms_per_hour = 0.5};
	struct kws_search *search;
	struct kws_tally tallies[KWS_HALVES];
	struct kws_error error;
	add_recording(&scene, true, SECOND + HOPS / 2 * HOP_SAMPLES);
	for (size_t i = HOPS - HOPS / 4; i < HOPS; i++) {
		scene.corpus.recordings[0].hops[i].speech = false;
	}
	assert_int_equal(
		kws_search_create(&search, scene.model, &scene.corpus, scene.config, &wish, &error),
		0);
	kws_search_as_given(search, tallies);
	for (int half = 0; half < KWS_HALVES; half++) {
		double operations = kws_tally_operations(&tallies[half]);
		assert_true(operations > 0.0);
		assert_true(kws_search_full_operations(search, (enum kws_half)half) == operations);
	}
	assert_true(kws_tally_operations(&tallies[KWS_HALF_SEARCH]) >
		    kws_tally_operations(&tallies[KWS_HALF_CHECK]));
	kws_search_destroy(search);
	finish_scene(&scene);
}

/* The threshold of "stop", which nobody says, after a search that began with `setting`. */
static double unspoken_threshold(const char *setting)
{
	struct scene scene = make_scene(&setting, 1);
	struct kws_search_wish wish = {.false_alarms_per_hour = 0.5};
	struct kws_search *search;
	struct kws_outcome outcome;
	struct kws_error error;
	add_recording(&scene, true, UINT64_MAX);
	assert_int_equal(
		kws_search_create(&search, scene.model, &scene.corpus, scene.config, &wish, &error),
		0);
	assert_int_equal(kws_search_given(search, &outcome), 0);
	kws_search_destroy(search);
	finish_scene(&scene);
	return outcome.thresholds[STOP];
}

/* A threshold is kept where it is known not to cost false alarms: not below those that are tried.
 */
static void threshold_of_what_nobody_says(void **state)
{
	(void)state;
	assert_true(unspoken_threshold("keyword stop.threshold=0.93") == 0.93);
	assert_true(unspoken_threshold("keyword stop.threshold=0.2") == 0.2);
	assert_true(unspoken_threshold("keyword stop.threshold=0.1") >= 0.2);
}

/* Without a label for silence a hop that nobody answered names no keyword: that is right in the
 * background, and wrong where "go" was said. */
static void hops_without_an_answer_name_nothing(void **state)
{
	(void)state;
	struct kws_tally tallies[KWS_HALVES];
	for (int invalid = 0; invalid < 2; invalid++) {
		struct scene scene = make_scene(NULL, 0);
		kws_model_destroy(scene.model);
		scene.model = build_model("['go','stop','_unknown_']");
		add_recording(&scene, true, UINT64_MAX);
		struct kws_recording *recording = &scene.corpus.recordings[0];
		for (size_t i = 0; i < HOPS * EXITS * LABELS; i++) {
			recording->logits[i] = invalid ? NAN : 0.0f;
		}
		for (size_t i = 0; i < HOPS; i++) {
			recording->hops[i].speech = invalid;
		}
		decide(&scene, tallies);
		const struct kws_tally *tally = &tallies[KWS_HALF_SEARCH];
		assert_true(tally->background_windows > 0 && tally->keyword_windows > 0);
		assert_int_equal(tally->background_windows_right, tally->background_windows);
		assert_int_equal(tally->keyword_windows_right, 0);
		finish_scene(&scene);
	}
}

/* To name a keyword that nobody listens to is as good as to name none. */
static void keywords_that_are_not_enabled(void **state)
{
	(void)state;
	static const char *const settings[] = {"keyword stop.enabled=no"};
	struct kws_tally tallies[KWS_HALVES];
	for (size_t disabled = 0; disabled < 2; disabled++) {
		struct scene scene = make_scene(settings, disabled);
		add_recording(&scene, true, UINT64_MAX);
		float *logits = scene.corpus.recordings[0].logits;
		for (size_t i = 0; i < HOPS * EXITS * LABELS; i++) {
			logits[i] = i % LABELS == STOP ? 9.0f : 0.0f;
		}
		decide(&scene, tallies);
		const struct kws_tally *tally = &tallies[KWS_HALF_SEARCH];
		assert_true(tally->background_windows > 0);
		assert_int_equal(
			tally->background_windows_right, disabled ? tally->background_windows : 0);
		finish_scene(&scene);
	}
}

/* Known before the search, which gives each keyword a threshold in a section of its own. */
static void keywords_that_no_file_can_name(void **state)
{
	(void)state;
	struct scene scene = make_scene(NULL, 0);
	struct kws_error error;
	assert_int_equal(kws_fragment_check(scene.config, scene.model, &error), 0);
	kws_model_destroy(scene.model);
	scene.model = build_model("['go','s]','_silence_']");
	assert_int_equal(kws_fragment_check(scene.config, scene.model, &error), KWS_EINVAL);
	assert_non_null(strstr(error.text, "[keyword s]].threshold: "));
	finish_scene(&scene);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(clips_and_streams_of_different_halves),
		cmocka_unit_test(clips_beside_a_halved_stream),
		cmocka_unit_test(clips_alone_have_no_hours),
		cmocka_unit_test(full_operations_are_of_each_half),
		cmocka_unit_test(threshold_of_what_nobody_says),
		cmocka_unit_test(hops_without_an_answer_name_nothing),
		cmocka_unit_test(keywords_that_are_not_enabled),
		cmocka_unit_test(keywords_that_no_file_can_name),
	};
	int failed = cmocka_run_group_tests(tests, NULL, NULL);
	return failed != 0;
}
