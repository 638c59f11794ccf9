/* SPDX-License-Identifier: Apache-2.0 */
/* What a configuration means for a model of three exits and the labels "go", "stop", "_silence_".
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "pipeline/pipeline.h"
#include "pipeline/resolve.h"
#include "tests/model-builder.h"

enum { GO, STOP, SILENCE };

static struct kws_model *build_with(const char *exits, const char *keywords)
{
	struct model_builder builder;
	struct kws_model *model;
	struct kws_error error;
	model_builder_init(&builder);
	model_builder_three_exits(&builder);
	if (exits != NULL) {
		model_builder_json(&builder, "kws.exits", exits);
	}
	if (keywords != NULL) {
		model_builder_json(&builder, "kws.keywords", keywords);
	}
	if (model_builder_parse(&builder, &model, NULL, &error) != 0) {
		fail_msg("%s", error.text);
	}
	model_builder_finish(&builder);
	return model;
}

static struct kws_model *build_model(const char *exits)
{
	return build_with(exits, NULL);
}

static struct kws_config *parse(const char *text)
{
	struct kws_config *config;
	struct kws_config_errors errors;
	if (kws_config_parse(&config, "c", text, strlen(text), NULL, 0, &errors) != 0) {
		fail_msg("%s", errors.text[0]);
	}
	return config;
}

static struct kws_policy_settings resolve(const char *exits, const char *text)
{
	struct kws_model *model = build_model(exits);
	struct kws_config *config = parse(text);
	struct kws_policy_settings settings;
	struct kws_error error;
	if (kws_resolve_policy(&settings, model, config, &error) != 0) {
		fail_msg("%s", error.text);
	}
	kws_config_destroy(config);
	kws_model_destroy(model);
	return settings;
}

static void assert_thresholds(const struct kws_policy_settings *settings, size_t label, float first,
	float second, float third)
{
	assert_true(settings->thresholds[0][label] == first);
	assert_true(settings->thresholds[1][label] == second);
	assert_true(settings->thresholds[2][label] == third);
}

#define MODEL_EXITS "{'temperature':[2,1.5,1],'delta':[[0.125,0.25,0.5],0.75,1]}"

static void the_policy_has_thresholds_of_its_own(void **state)
{
	(void)state;
	struct kws_policy_settings settings = resolve(NULL, "");
	assert_string_equal(kws_policy_name(settings.policy), "entropy");
	assert_thresholds(&settings, GO, 0.5f, 0.5f, 0.5f);
	assert_true(settings.temperature[0] == 1.0f);
	settings = resolve(MODEL_EXITS, "[exits]\npolicy=score\n");
	assert_thresholds(&settings, GO, 0.9f, 0.9f, 0.9f);
}

static void those_of_the_model_are_stronger(void **state)
{
	(void)state;
	struct kws_policy_settings settings = resolve(MODEL_EXITS, "");
	assert_thresholds(&settings, GO, 0.125f, 0.75f, 1.0f);
	assert_thresholds(&settings, STOP, 0.25f, 0.75f, 1.0f);
	assert_thresholds(&settings, SILENCE, 0.5f, 0.75f, 1.0f);
	assert_true(settings.temperature[0] == 2.0f && settings.temperature[2] == 1.0f);
}

static void those_of_the_section_are_stronger_still(void **state)
{
	(void)state;
	struct kws_policy_settings settings =
		resolve(MODEL_EXITS, "[exits]\ndelta=0.375\ntemperature=3,4,5\n");
	assert_thresholds(&settings, GO, 0.375f, 0.375f, 0.375f);
	assert_thresholds(&settings, SILENCE, 0.375f, 0.375f, 0.375f);
	assert_true(settings.temperature[0] == 3.0f && settings.temperature[2] == 5.0f);
}

static void those_of_the_keyword_are_the_strongest(void **state)
{
	(void)state;
	struct kws_policy_settings settings = resolve(MODEL_EXITS,
		"[exits]\ndelta=0.375\n[keyword go]\ndelta=1,2,3\n[keyword stop]\ndelta=model\n");
	assert_thresholds(&settings, GO, 1.0f, 2.0f, 3.0f);
	assert_thresholds(&settings, STOP, 0.25f, 0.75f, 1.0f);
	assert_thresholds(&settings, SILENCE, 0.375f, 0.375f, 0.375f);
}

static void times_become_hops(void **state)
{
	(void)state;
	struct kws_policy_settings settings = resolve(NULL, "[model]\nhop_frames=4\n");
	assert_int_equal(settings.max_age_hops, 50);
	assert_int_equal(settings.fresh_hops, 25);
	settings = resolve(NULL, "[model]\nhop_frames=1\n[exits]\nmax_age_ms=70\nfresh_ms=0\n");
	assert_int_equal(settings.max_age_hops, 7);
	assert_int_equal(settings.fresh_hops, 0);
}

/* What is no keyword may leave early and be repeated. */
static void only_keywords_are_confirmed_and_fresh(void **state)
{
	(void)state;
	struct kws_policy_settings settings =
		resolve(NULL, "[exits]\nconfirm=3\n[detector]\nthreshold=0.75\nrearm=0.5\n"
			      "[keyword stop]\nconfirm=2\nthreshold=0.5\n");
	assert_int_equal(settings.confirm_exit[GO], 3);
	assert_int_equal(settings.confirm_exit[STOP], 2);
	assert_int_equal(settings.confirm_exit[SILENCE], 0);
	assert_true(settings.hold_below[GO] == 0.375f);
	assert_true(settings.hold_below[STOP] == 0.25f);
	assert_true(isinf(settings.hold_below[SILENCE]));
	settings = resolve(NULL, "[exits]\nconfirm=3\n[detector]\ncandidate_threshold=0.25\n"
				 "[keyword stop]\nenabled=no\n");
	assert_true(settings.hold_below[GO] == 0.25f); /* nor is a near miss repeated */
	assert_int_equal(settings.confirm_exit[STOP], 0);
	assert_true(isinf(settings.hold_below[STOP]));
}

static void what_does_not_suit_the_model_is_refused(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		int code;
		const char *sentence;
	} cases[] = {
		{"[exits]\npolicy=patience\n", KWS_EINVAL,
			"[exits].patience: 2 agreements can never come before the last of 3 "
			"exits, must be 1..1"},
		{"[exits]\npolicy=always-4\n", KWS_EINVAL,
			"[exits].policy: there is no exit for always-4, the model has 3"},
		{"[exits]\ndelta=1,2\n", KWS_EMISMATCH,
			"[exits].delta: 2 numbers, but the model has 3 exits"},
		{"[exits]\nmargin=1,1,1,1\n", KWS_EMISMATCH, /* also when it is not looked at */
			"[exits].margin: 4 numbers, but the model has 3 exits"},
		{"[exits]\ntemperature=1,2\n", KWS_EMISMATCH,
			"[exits].temperature: 2 numbers, but the model has 3 exits"},
		{"[keyword go]\nscore=1,2\n", KWS_EMISMATCH,
			"[keyword go].score: 2 numbers, but the model has 3 exits"},
		{"[exits]\nconfirm=4\n", KWS_EMISMATCH,
			"[exits].confirm: there is no exit 4, the model has 3"},
		{"[keyword stop]\nconfirm=5\n", KWS_EMISMATCH,
			"[keyword stop].confirm: there is no exit 5, the model has 3"},
	};
	struct kws_model *model = build_model(NULL);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct kws_config *config = parse(cases[i].text);
		struct kws_pipeline_sink sink = {NULL, NULL, NULL};
		struct kws_pipeline *pipeline = NULL;
		struct kws_error error = {""};
		const struct kws_model_set alone = {1, {model}};
		assert_int_equal(kws_model_set_check(&alone, config, &error), cases[i].code);
		assert_string_equal(error.text, cases[i].sentence);
		assert_int_equal(kws_pipeline_create(&pipeline, &alone, config, &sink, &error),
			cases[i].code);
		assert_null(pipeline);
		kws_config_destroy(config);
	}
	kws_model_destroy(model);
}

static void detectors_have_their_keywords_settings(void **state)
{
	(void)state;
	struct kws_config *config = parse("[detector]\nthreshold=0.5\nrefractory_ms=500\n"
					  "[keyword go]\nthreshold=0.75\nenabled=no\n");
	struct kws_model *model = build_model(NULL);
	struct kws_detector_settings go = kws_resolve_detector(model, config, GO);
	struct kws_detector_settings stop = kws_resolve_detector(model, config, STOP);
	assert_true(go.threshold == 0.75f && !go.enabled);
	assert_true(stop.threshold == 0.5f && stop.enabled);
	assert_int_equal(stop.refractory_samples, 8000);
	assert_false(kws_resolve_detector(model, config, SILENCE).enabled);
	kws_model_destroy(model);
	kws_config_destroy(config);
}

/* The keyword's own, else that of [detector], else the model's, else 0.8. */
static void thresholds_come_from_the_strongest(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		double go; /* 0.625 in the model */
		double stop;
	} cases[] = {
		{"", 0.625, 0.8},
		{"[detector]\nthreshold=model\n", 0.625, 0.8},
		{"[detector]\nthreshold=0.5\n", 0.5, 0.5},
		{"[keyword go]\nthreshold=0.75\n", 0.75, 0.8},
		{"[keyword stop]\nthreshold=0.75\n", 0.625, 0.75},
		{"[keyword stop]\nsmoothing_hops=2\n", 0.625, 0.8},
		{"[detector]\nthreshold=0.5\n[keyword go]\nthreshold=model\n", 0.625, 0.5},
	};
	struct kws_model *model = build_with(NULL, "{'go':{'threshold':0.625}}");
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct kws_config *config = parse(cases[i].text);
		struct kws_policy_settings settings;
		assert_true(kws_resolve_threshold(model, config, GO) == cases[i].go);
		assert_true(kws_resolve_threshold(model, config, STOP) == cases[i].stop);
		assert_true(kws_resolve_detector(model, config, STOP).threshold ==
			    (float)cases[i].stop);
		assert_int_equal(kws_resolve_policy(&settings, model, config, NULL), 0);
		assert_true(settings.hold_below[GO] == (float)(0.5 * cases[i].go));
		kws_config_destroy(config);
	}
	kws_model_destroy(model);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_policy_has_thresholds_of_its_own),
		cmocka_unit_test(those_of_the_model_are_stronger),
		cmocka_unit_test(those_of_the_section_are_stronger_still),
		cmocka_unit_test(those_of_the_keyword_are_the_strongest),
		cmocka_unit_test(times_become_hops),
		cmocka_unit_test(only_keywords_are_confirmed_and_fresh),
		cmocka_unit_test(what_does_not_suit_the_model_is_refused),
		cmocka_unit_test(detectors_have_their_keywords_settings),
		cmocka_unit_test(thresholds_come_from_the_strongest),
	};
	return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
