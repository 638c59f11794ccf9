/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bnn/model.h"
#include "bnn/net.h"
#include "dsp/mel.h"
#include "tests/cpu-mask.h"
#include "tests/model-builder.h"

/* Two exits over two numbers: the logits are the first number and its negative, then the second. */
#define GRAPH                                                                            \
	"[{'op':'input','out':'x','shape':[1,1,2]},"                                     \
	"{'op':'exit','in':'x','out':'e1','pool':'all','weight':'first','bias':'bias'}," \
	"{'op':'exit','in':'x','out':'e2','pool':'all','weight':'second','bias':'bias'}]"

static void init_builder(struct model_builder *builder)
{
	static const float first[] = {1.0f, 0.0f, -1.0f, 0.0f};
	static const float second[] = {0.0f, 1.0f, 0.0f, -1.0f};
	static const float bias[] = {0.0f, 0.5f};
	model_builder_init(builder);
	model_builder_describe(builder);
	model_builder_json(builder, "kws.graph", GRAPH);
	model_builder_tensor(builder, "first", KWS_DTYPE_F32, (const size_t[4]){2, 2, 0, 0}, first);
	model_builder_tensor(
		builder, "second", KWS_DTYPE_F32, (const size_t[4]){2, 2, 0, 0}, second);
	model_builder_tensor(builder, "bias", KWS_DTYPE_F32, (const size_t[4]){2, 0, 0, 0}, bias);
}

static void assert_described(const struct kws_model *model)
{
	assert_string_equal(kws_model_name(model), "built");
	assert_int_equal(kws_model_label_count(model), 2);
	assert_string_equal(kws_model_label(model, 0), "go");
	assert_string_equal(kws_model_label(model, 1), "_silence_");
	assert_string_equal(kws_model_metadata(model, "kws.card"), "Made for a test.");
	assert_null(kws_model_metadata(model, "kws.colour"));
	assert_int_equal(kws_model_graph(model)->exit_count, 2);
}

static void outlives_its_bytes(void **state)
{
	(void)state;
	struct model_builder builder;
	struct kws_model *model;
	struct kws_error error;
	init_builder(&builder);
	assert_int_equal(model_builder_parse(&builder, &model, "test", &error), 0);
	model_builder_finish(&builder);
	assert_described(model);
	kws_model_destroy(model);
	kws_model_destroy(NULL);
}

static void outlives_its_file(void **state)
{
	(void)state;
	char path[] = "/tmp/kws-model-XXXXXX";
	struct model_builder builder;
	struct kws_model *model;
	struct kws_error error;
	init_builder(&builder);
	struct model_bytes bytes = model_builder_bytes(&builder);
	model_builder_finish(&builder);
	int fd = mkstemp(path);
	assert_int_equal(write(fd, bytes.data, bytes.size), bytes.size);
	assert_int_equal(kws_model_load(&model, path, NULL, &error), 0);
	assert_int_equal(ftruncate(fd, 0), 0);
	close(fd);
	unlink(path);
	assert_described(model);
	kws_model_destroy(model);
	free(bytes.data);
	assert_int_equal(kws_model_load(&model, path, NULL, &error), KWS_ENOENT);
}

static void assert_logits(struct kws_net *net, size_t exit, float first, float second)
{
	const float *logits = kws_net_run_exit(net, exit);
	assert_true(logits[0] == first);
	assert_true(logits[1] == second);
}

static void net_answers_at_every_exit(void **state)
{
	(void)state;
	static const float window[] = {3.0f, -2.0f};
	static const float other[] = {1.0f, 7.0f};
	struct model_builder builder;
	struct kws_model *model;
	struct kws_net *net;
	struct kws_error error;
	init_builder(&builder);
	assert_int_equal(model_builder_parse(&builder, &model, NULL, &error), 0);
	model_builder_finish(&builder);
	assert_int_equal(kws_net_create(&net, model, 1), 0);
	kws_net_begin(net, window);
	assert_logits(net, 0, 3.0f, -2.5f);
	assert_logits(net, 1, -2.0f, 2.5f);
	kws_net_begin(net, other);
	assert_logits(net, 1, 7.0f, -6.5f); /* the first passed over */
	kws_net_destroy(net);
	kws_net_destroy(NULL);
	kws_model_destroy(model);
}

struct bad_metadata {
	const char *key;
	const char *value;
	int code;
	const char *sentence;
};

static const struct bad_metadata bad_metadata[] = {
	{"kws.format", NULL, KWS_EFORMAT, "the file has no kws.format: not a model of kwsd"},
	{"kws.name", NULL, KWS_EFORMAT, "the file has no kws.name: not a model of kwsd"},
	{"kws.labels", NULL, KWS_EFORMAT, "the file has no kws.labels: not a model of kwsd"},
	{"kws.features", NULL, KWS_EFORMAT, "the file has no kws.features: not a model of kwsd"},
	{"kws.card", NULL, KWS_EFORMAT, "the file has no kws.card: not a model of kwsd"},
	{"kws.graph", NULL, KWS_EFORMAT, "the file has no kws.graph: not a model of kwsd"},
	{"kws.format", "2", KWS_EUNSUPPORTED, "model format '2', this program reads 1"},
	{"kws.features", "rate=8000", KWS_EMISMATCH,
		"the model was trained on other features: 'rate=8000', this program has 'test'"},
	{"kws.features", "", KWS_EMISMATCH,
		"the model was trained on other features: '', this program has 'test'"},
	{"kws.features", "test more", KWS_EMISMATCH,
		"the model was trained on other features: 'more', this program has ''"},
	{"kws.features", "test ", KWS_EMISMATCH,
		"the model was trained on other features: blanks at the end of their text"},
	{"kws.features", "01234567890123456789012345678901234567890123456789012345678901234567",
		KWS_EMISMATCH,
		"the model was trained on other features: "
		"'0123456789012345678901234567890123456789012345678901234567890123', this program "
		"has 'test'"},
	{"kws.labels", "go", KWS_EFORMAT, "kws.labels must be a list of 2 names"},
	{"kws.labels", "{}", KWS_EFORMAT, "kws.labels must be a list of 2 names"},
	{"kws.labels", "['go']", KWS_EFORMAT, "kws.labels must be a list of 2 names"},
	{"kws.labels", "['go','stop','up']", KWS_EFORMAT, "kws.labels must be a list of 2 names"},
	{"kws.labels", "['go',1]", KWS_EFORMAT, "kws.labels holds something that is no name"},
	{"kws.labels", "['go','']", KWS_EFORMAT, "kws.labels holds something that is no name"},
	{"kws.labels", "['go','0123456789012345678901234567890123456789012345678901234567890123']",
		KWS_EFORMAT, "name 2 of kws.labels is longer than 63 bytes"},
	{"kws.labels", "['go','go']", KWS_EFORMAT, "kws.labels names 'go' twice"},
	{"kws.exits", "[", KWS_EFORMAT, "kws.exits must be a JSON object"},
	{"kws.exits", "[]", KWS_EFORMAT, "kws.exits must be a JSON object"},
	{"kws.exits", "{'delta':[1,1],'delta':[2,2]}", KWS_EFORMAT,
		"kws.exits must be a JSON object"},
	{"kws.exits", "{'deltas':[1,1]}", KWS_EFORMAT, "kws.exits: there is no 'deltas'"},
	{"kws.exits", "{'delta':1}", KWS_EFORMAT,
		"kws.exits: 'delta' must be a list with one entry for each of 2 exits"},
	{"kws.exits", "{'delta':[1,1,1]}", KWS_EFORMAT,
		"kws.exits: 'delta' must be a list with one entry for each of 2 exits"},
	{"kws.exits", "{'score':[1,[1]]}", KWS_EFORMAT,
		"kws.exits: 'score' must be a list with one entry for each of 2 classes"},
	{"kws.exits", "{'score':[1,'1']}", KWS_EFORMAT,
		"kws.exits: 'score' must be a list with one entry for each of 2 classes"},
	{"kws.exits", "{'margin':[1,[1,true]]}", KWS_EFORMAT,
		"kws.exits: 'margin' must hold numbers from 0"},
	{"kws.exits", "{'distance':[-1,1]}", KWS_EFORMAT,
		"kws.exits: 'distance' must hold numbers from 0"},
	{"kws.exits", "{'distance':[1e300,1]}", KWS_EFORMAT,
		"kws.exits: 'distance' must hold numbers from 0"},
	{"kws.keywords", "[]", KWS_EFORMAT, "kws.keywords must be a JSON object"},
	{"kws.keywords", "{", KWS_EFORMAT, "kws.keywords must be a JSON object"},
	{"kws.keywords", "{'go':{},'go':{}}", KWS_EFORMAT, "kws.keywords must be a JSON object"},
	{"kws.keywords", "{'stop':{}}", KWS_EFORMAT,
		"kws.keywords: 'stop' is no keyword of kws.labels"},
	{"kws.keywords", "{'_silence_':{}}", KWS_EFORMAT,
		"kws.keywords: '_silence_' is no keyword of kws.labels"},
	{"kws.keywords", "{'go':0.5}", KWS_EFORMAT, "kws.keywords: 'go' must be a JSON object"},
	{"kws.keywords", "{'go':{'patience':1}}", KWS_EFORMAT,
		"kws.keywords: 'go' has a 'patience', there is only 'threshold'"},
	{"kws.keywords", "{'go':{'threshold':1.01}}", KWS_EFORMAT,
		"kws.keywords: the threshold of 'go' must be 0..1"},
	{"kws.keywords", "{'go':{'threshold':'0.5'}}", KWS_EFORMAT,
		"kws.keywords: the threshold of 'go' must be 0..1"},
	{"kws.exits", "{'temperature':[1]}", KWS_EFORMAT,
		"kws.exits: 'temperature' must be a list with one entry for each of 2 exits"},
	{"kws.exits", "{'temperature':[1,0]}", KWS_EFORMAT,
		"kws.exits: 'temperature' must hold numbers from 0.01"},
	{"kws.exits", "{'temperature':[1,[1,1]]}", KWS_EFORMAT,
		"kws.exits: 'temperature' must hold numbers from 0.01"},
	{"kws.graph", "[]", KWS_EFORMAT, "kws.graph must be a list of 2 to 1024 operations"},
};

/* Of a long text only what differs is told. */
static void shows_which_feature_differs(void **state)
{
	(void)state;
	const char *own = kws_mel_describe();
	static const char wanted[] = "the model was trained on other features: 'scale=0.2', this "
				     "program has 'scale=0.25'";
	char other[512];
	struct model_builder builder;
	struct kws_model *model;
	struct kws_error error;
	const char *scale = strstr(own, "scale=0.25");
	assert_non_null(scale);
	snprintf(other, sizeof(other), "%.*s%s%s", (int)(scale - own), own, "scale=0.2",
		scale + strlen("scale=0.25"));
	init_builder(&builder);
	model_builder_metadata(&builder, "kws.features", other);
	assert_int_equal(model_builder_parse(&builder, &model, own, &error), KWS_EMISMATCH);
	assert_string_equal(error.text, wanted);
	model_builder_metadata(&builder, "kws.features", own);
	assert_int_equal(model_builder_parse(&builder, &model, own, &error), 0);
	kws_model_destroy(model);
	model_builder_finish(&builder);
}

static struct kws_model *build_with_exits(const char *text)
{
	struct model_builder builder;
	struct kws_model *model;
	struct kws_error error;
	init_builder(&builder);
	if (text != NULL) {
		model_builder_json(&builder, "kws.exits", text);
	}
	assert_int_equal(model_builder_parse(&builder, &model, NULL, &error), 0);
	model_builder_finish(&builder);
	return model;
}

static void says_what_is_known_of_its_exits(void **state)
{
	(void)state;
	struct kws_model *model =
		build_with_exits("{'temperature':[1.5,1],'score':[[0.75,0.5],2],'delta':[0,0.25]}");
	const struct kws_exit_defaults *defaults = kws_model_exit_defaults(model);
	static const float score[] = {0.75f, 0.5f, 2.0f, 2.0f};
	static const float delta[] = {0.0f, 0.0f, 0.25f, 0.25f};
	assert_true(defaults->temperature[0] == 1.5f && defaults->temperature[1] == 1.0f);
	assert_memory_equal(kws_exit_defaults_thresholds(defaults, "score"), score, sizeof(score));
	assert_memory_equal(kws_exit_defaults_thresholds(defaults, "delta"), delta, sizeof(delta));
	assert_null(kws_exit_defaults_thresholds(defaults, "margin"));
	assert_null(kws_exit_defaults_thresholds(defaults, "colour"));
	kws_model_destroy(model);
}

static void need_not_say_anything_of_its_exits(void **state)
{
	(void)state;
	static const char *const texts[] = {NULL, "{}"};
	for (size_t i = 0; i < 2; i++) {
		struct kws_model *model = build_with_exits(texts[i]);
		const struct kws_exit_defaults *defaults = kws_model_exit_defaults(model);
		assert_true(defaults->temperature[1] == 1.0f);
		assert_null(kws_exit_defaults_thresholds(defaults, "delta"));
		kws_model_destroy(model);
	}
}

static void may_say_when_its_keywords_are_sure(void **state)
{
	(void)state;
	static const char *const texts[] = {NULL, "{}", "{'go':{}}", "{'go':{'threshold':0.75}}"};
	for (size_t i = 0; i < 4; i++) {
		struct model_builder builder;
		struct kws_model *model;
		init_builder(&builder);
		if (texts[i] != NULL) {
			model_builder_json(&builder, "kws.keywords", texts[i]);
		}
		assert_int_equal(model_builder_parse(&builder, &model, "test", NULL), 0);
		const double *threshold = kws_model_keyword_defaults(model)->threshold;
		assert_true(i == 3 ? threshold[0] == 0.75 : isnan(threshold[0]));
		assert_true(isnan(threshold[1]));
		kws_model_destroy(model);
		model_builder_finish(&builder);
	}
}

static void refuses_bad_metadata(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(bad_metadata) / sizeof(bad_metadata[0]); i++) {
		const struct bad_metadata *bad = &bad_metadata[i];
		struct model_builder builder;
		struct kws_model *model = NULL;
		struct kws_error error;
		init_builder(&builder);
		if (bad->value != NULL) {
			model_builder_json(&builder, bad->key, bad->value);
		} else {
			model_builder_metadata(&builder, bad->key, NULL);
		}
		assert_int_equal(model_builder_parse(&builder, &model, "test", &error), bad->code);
		assert_string_equal(error.text, bad->sentence);
		assert_null(model);
		model_builder_finish(&builder);
	}
}

int main(void)
{
	if (!take_cpu_mask()) {
		return TEST_SKIPPED;
	}
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(outlives_its_bytes),
		cmocka_unit_test(outlives_its_file),
		cmocka_unit_test(net_answers_at_every_exit),
		cmocka_unit_test(says_what_is_known_of_its_exits),
		cmocka_unit_test(need_not_say_anything_of_its_exits),
		cmocka_unit_test(may_say_when_its_keywords_are_sure),
		cmocka_unit_test(refuses_bad_metadata),
		cmocka_unit_test(shows_which_feature_differs),
	};
	return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
