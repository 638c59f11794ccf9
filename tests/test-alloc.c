/* SPDX-License-Identifier: Apache-2.0 */
/* What is made of memory alone, or a model, when the memory runs out. */
#include "tests/alloc-fail.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "audio/feed.h"
#include "bnn/account.h"
#include "config/edit.h"
#include "dsp/enhancer.h"
#include "dsp/mel.h"
#include "dsp/resampler.h"
#include "pipeline/pipeline.h"
#include "pipeline/preroll.h"
#include "tune/fragment.h"
#include "tune/halves.h"
#include "tune/search.h"
#include "tune/table.h"

#define MODEL KWS_TEST_DATA "/../../models/commands.safetensors"

/* What others are made of. */
static struct kws_model *model;
static struct kws_model *other_model;
static struct kws_net *net;
static struct kws_config *config;
static struct kws_corpus corpus;

/* An error has a sentence. */
static int told(int code, const struct kws_error *error)
{
	if (code < 0 && error->text[0] == '\0') {
		fail_msg("%s, but no sentence", kws_strerror(code));
	}
	return code;
}

#define DESTROY_MADE(code, destroy, object) \
	if ((code) == 0) {                  \
		destroy(object);            \
	}                                   \
	return code

static int attempt_mel(void)
{
	struct kws_mel *mel;
	int code = kws_mel_create(&mel);
	DESTROY_MADE(code, kws_mel_destroy, mel);
}

static int attempt_resampler(void)
{
	struct kws_resampler *resampler;
	int code = kws_resampler_create(&resampler, 44100, 5);
	DESTROY_MADE(code, kws_resampler_destroy, resampler);
}

static int attempt_enhancer(void)
{
	const struct kws_enhancer_config all = {
		.denoise = true, .agc = true, .denoise_db = -15, .agc_level = 8000};
	struct kws_enhancer *enhancer;
	int code = kws_enhancer_create(&enhancer, &all);
	DESTROY_MADE(code, kws_enhancer_destroy, enhancer);
}

static int attempt_detector(void)
{
	struct kws_detector *detector;
	int code = kws_detector_create(&detector, 10);
	DESTROY_MADE(code, kws_detector_destroy, detector);
}

static int attempt_policy(void)
{
	struct kws_policy *policy;
	int code = kws_policy_create(&policy, 5, 10);
	DESTROY_MADE(code, kws_policy_destroy, policy);
}

static int attempt_preroll(void)
{
	struct kws_preroll *preroll;
	int code = kws_preroll_create(&preroll, 16000);
	DESTROY_MADE(code, kws_preroll_destroy, preroll);
}

static int attempt_feed(void)
{
	const struct kws_feed_hooks hooks = {NULL, NULL, NULL};
	struct kws_feed *feed;
	int code = kws_feed_create(&feed, 2, 16000, &hooks);
	DESTROY_MADE(code, kws_feed_destroy, feed);
}

static int attempt_edit_text(void)
{
	const struct kws_edit edit = {"detector.threshold", "0.9"};
	char *text;
	int code = kws_edit_text("[detector]\nthreshold = 0.5\n", &edit, &text);
	DESTROY_MADE(code, free, text);
}

static int attempt_safetensors(void)
{
	struct kws_safetensors *file;
	struct kws_error error = {""};
	int code =
		told(kws_safetensors_open(&file, KWS_TEST_DATA "/tiny-words.safetensors", &error),
			&error);
	DESTROY_MADE(code, kws_safetensors_close, file);
}

static int attempt_model_of(const char *path)
{
	struct kws_model *loaded;
	struct kws_error error = {""};
	int code = told(kws_model_load(&loaded, path, NULL, &error), &error);
	DESTROY_MADE(code, kws_model_destroy, loaded);
}

static int attempt_words(void)
{
	return attempt_model_of(KWS_TEST_DATA "/tiny-words.safetensors");
}

static int attempt_keywords(void)
{
	return attempt_model_of(KWS_TEST_DATA "/../fuzz/corpus/model/tiny-words-keywords");
}

static int attempt_operations(void)
{
	return attempt_model_of(KWS_TEST_DATA "/../fuzz/corpus/model/every-operation");
}

static int attempt_net(void)
{
	struct kws_net *made;
	int code = kws_net_create(&made, model, 4);
	DESTROY_MADE(code, kws_net_destroy, made);
}

static int attempt_account(void)
{
	struct kws_account *account;
	int code = kws_account_create(&account, net);
	DESTROY_MADE(code, kws_account_destroy, account);
}

static int attempt_decider(void)
{
	struct kws_decider *decider;
	struct kws_error error = {""};
	int code = told(kws_decider_create(&decider, model, config, &error), &error);
	DESTROY_MADE(code, kws_decider_destroy, decider);
}

/* Open, too, which makes a resampler for the stream's rate. */
static int attempt_pipeline(void)
{
	const struct kws_pipeline_sink sink = {NULL, NULL, NULL};
	struct kws_pipeline *pipeline;
	struct kws_error error = {""};
	const struct kws_model_set alone = {1, {model}};
	int code = told(kws_pipeline_create(&pipeline, &alone, config, &sink, &error), &error);
	if (code == 0) {
		code = told(kws_pipeline_open(pipeline, 44100, 2, 0, &error), &error);
		kws_pipeline_destroy(pipeline);
	}
	return code;
}

/* A second model beside the one that runs. */
static int attempt_exchange(void)
{
	const struct kws_pipeline_sink sink = {NULL, NULL, NULL};
	const struct kws_model_set alone = {1, {model}};
	const struct kws_model_set both = {2, {other_model, model}};
	struct kws_pipeline *pipeline;
	struct kws_error error = {""};
	int code = told(kws_pipeline_create(&pipeline, &alone, config, &sink, &error), &error);
	if (code == 0) {
		code = told(kws_pipeline_exchange(pipeline, &both, config, &error), &error);
		kws_pipeline_destroy(pipeline);
	}
	return code;
}

/* Half a second more than a window, so that hops are kept. */
static int attempt_recorder(void)
{
	static const int16_t silence[24000];
	struct kws_recording recording = {.stream = true};
	struct kws_recorder *recorder;
	struct kws_error error = {""};
	int code = kws_recorder_create(&recorder, model, config, &recording);
	if (code == 0) {
		code = told(kws_recorder_open(recorder, 16000, 1, 0, &error), &error);
		if (code == 0) {
			code = told(kws_recorder_push(recorder, silence, 24000, &error), &error);
		}
		kws_recorder_destroy(recorder);
	}
	kws_recording_finish(&recording);
	return code;
}

static int attempt_corpus(void)
{
	struct kws_corpus made = {.count = 0};
	const struct kws_spoken spoken = {0, 100, 200};
	struct kws_recording recording = {.stream = true};
	int code = kws_recording_add_spoken(&recording, &spoken);
	if (code == 0) {
		code = kws_corpus_add(&made, &recording);
	}
	if (code < 0) {
		kws_recording_finish(&recording);
	}
	kws_corpus_finish(&made);
	return code;
}

static int attempt_search(void)
{
	const struct kws_search_wish wish = {.false_alarms_per_hour = 1};
	struct kws_policy_outcomes outcomes;
	struct kws_search *search;
	struct kws_error error = {""};
	int code = told(kws_search_create(&search, model, &corpus, config, &wish, &error), &error);
	if (code == 0) {
		code = kws_search_policy(search, KWS_CONFIG_POLICY_ENTROPY, &outcomes);
		if (code == 0) {
			kws_policy_outcomes_finish(&outcomes);
		}
		kws_search_destroy(search);
	}
	return code;
}

static int attempt_fragment(void)
{
	struct kws_error error = {""};
	char *text;
	int code = told(kws_fragment_render(&text, config, "# why\n", &error), &error);
	DESTROY_MADE(code, free, text);
}

static int attempt_fragment_check(void)
{
	struct kws_error error = {""};
	return told(kws_fragment_check(config, model, &error), &error);
}

static int attempt_table(void)
{
	static const struct kws_table_column columns[] = {{"file", 1}, {"word", 1}};
	struct kws_table table = {.count = 0};
	struct kws_error error = {""};
	int code = told(
		kws_table_parse(&table, "a.wav\tyes\nb.wav\tno\n", columns, 2, &error), &error);
	DESTROY_MADE(code, kws_table_finish, &table);
}

static int attempt_halves(void)
{
	struct kws_halves_clip clips[] = {{.speaker = "ann"}, {.speaker = "bob"}};
	enum kws_halves_by by;
	return kws_halves_divide(clips, 2, &by);
}

static const struct {
	const char *name;
	int (*attempt)(void);
} subjects[] = {
	{"mel", attempt_mel},
	{"resampler", attempt_resampler},
	{"enhancer", attempt_enhancer},
	{"detector", attempt_detector},
	{"policy", attempt_policy},
	{"preroll", attempt_preroll},
	{"feed", attempt_feed},
	{"edit text", attempt_edit_text},
	{"safetensors", attempt_safetensors},
	{"model of words", attempt_words},
	{"model with keywords", attempt_keywords},
	{"model of operations", attempt_operations},
	{"net", attempt_net},
	{"account", attempt_account},
	{"decider", attempt_decider},
	{"pipeline", attempt_pipeline},
	{"exchange", attempt_exchange},
	{"recorder", attempt_recorder},
	{"corpus", attempt_corpus},
	{"search", attempt_search},
	{"fragment", attempt_fragment},
	{"fragment check", attempt_fragment_check},
	{"table", attempt_table},
	{"halves", attempt_halves},
};

#define SUBJECTS (sizeof(subjects) / sizeof(subjects[0]))

static void each_allocation_may_fail(void **state)
{
	size_t index = (size_t)(uintptr_t)*state;
	alloc_fail_each(subjects[index].name, subjects[index].attempt);
}

static int set_up(void **state)
{
	(void)state;
	static const char *const overrides[] = {"clips.preroll_ms=1000", "dsp.denoise=yes"};
	struct kws_config_errors errors;
	struct kws_error error;
	assert_int_equal(kws_config_load(&config, NULL, overrides, 2, &errors), 0);
	assert_int_equal(kws_model_load(&model, MODEL, NULL, &error), 0);
	assert_int_equal(kws_model_load(&other_model, MODEL, NULL, &error), 0);
	assert_int_equal(kws_net_create(&net, model, 4), 0);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	kws_corpus_finish(&corpus);
	kws_net_destroy(net);
	kws_model_destroy(other_model);
	kws_model_destroy(model);
	kws_config_destroy(config);
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
