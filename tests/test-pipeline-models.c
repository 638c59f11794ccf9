/* SPDX-License-Identifier: Apache-2.0 */
/* Several models on one stream: each hears what it would hear alone, what cannot work together is
 * refused, and one is exchanged while the others go on. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dsp/mel.h"
#include "pipeline/pipeline.h"
#include "tests/model-builder.h"
#include "tests/pipeline-rig.h"

#define TOLD_MAX 4096

/* A model of the rig's network, whose exits leave at other entropies and which has other names. */
static struct kws_model *build_named(const char *name, const char *labels, const char *exits)
{
	struct model_builder builder;
	model_builder_init(&builder);
	model_builder_describe(&builder);
	model_builder_metadata(&builder, "kws.name", name);
	model_builder_json(&builder, "kws.labels", labels);
	model_builder_json(&builder, "kws.exits", exits);
	return build_network(&builder, GRAPH("[98,64,1]"), unsure_weights, sure_weights, no_bias);
}

static struct kws_model *build_go(void)
{
	return build_named("first", "['go','_silence_']", "{'delta':[0.5,0]}");
}

static struct kws_model *build_stop(void)
{
	return build_named("second", "['_silence_','stop']", "{'delta':[0.25,0]}");
}

/* What a pipeline told, in order: a hop or an event of one model. */
struct told {
	char model[16];
	bool event;
	uint64_t hop;
	uint64_t sample;
	size_t exit;
	size_t label;
	uint32_t bits[3]; /* of entropy and posteriors, or of score */
};

struct stage {
	struct kws_model_set set;
	struct kws_config *config;
	struct kws_pipeline *pipeline;
	size_t count;
	struct told told[TOLD_MAX];
};

static struct told *next_of(struct stage *stage, const struct kws_model *model)
{
	assert_true(stage->count < TOLD_MAX);
	struct told *told = &stage->told[stage->count++];
	memset(told, 0, sizeof(*told)); /* with its padding */
	snprintf(told->model, sizeof(told->model), "%s", kws_model_name(model));
	return told;
}

static void tell_hop(void *user, const struct kws_model *model, const struct kws_hop *hop)
{
	struct told *told = next_of(user, model);
	told->hop = hop->hop;
	told->sample = hop->sample;
	told->exit = hop->exit;
	told->label = hop->best;
	memcpy(&told->bits[0], &hop->entropy, sizeof(float));
	memcpy(&told->bits[1], hop->posteriors, 2 * sizeof(float));
}

static void tell_event(
	void *user, const struct kws_model *model, const struct kws_detector_event *event)
{
	struct told *told = next_of(user, model);
	told->event = true;
	told->hop = event->at.hop;
	told->sample = event->at.sample;
	told->exit = event->at.exit;
	told->label = event->label;
	memcpy(&told->bits[0], &event->score, sizeof(float));
}

/* Takes the models; `second` may be NULL. */
static struct stage *create_stage(
	struct kws_model *first, struct kws_model *second, const char *const *overrides)
{
	struct stage *stage = calloc(1, sizeof(*stage));
	const struct kws_pipeline_sink sink = {tell_hop, tell_event, stage};
	struct kws_error error;
	stage->set = (struct kws_model_set){second != NULL ? 2 : 1, {first, second}};
	stage->config = load_config(overrides);
	if (kws_model_set_check(&stage->set, stage->config, &error) != 0 ||
		kws_pipeline_create(&stage->pipeline, &stage->set, stage->config, &sink, &error) !=
			0) {
		fail_msg("%s", error.text);
	}
	assert_int_equal(kws_pipeline_open(stage->pipeline, RATE_HZ, 1, 0, NULL), 0);
	return stage;
}

static void destroy_stage(struct stage *stage)
{
	kws_pipeline_destroy(stage->pipeline);
	kws_config_destroy(stage->config);
	kws_model_set_finish(&stage->set);
	free(stage);
}

/* A stream that is loud and quiet in turns, with a gap and a second beginning, from a seed. */
static void play(struct stage *stage, unsigned seed)
{
	static int16_t samples[RATE_HZ];
	unsigned dice = seed;
	for (size_t turn = 0; turn < 12; turn++) {
		size_t count = 1000 + (size_t)rand_r(&dice) % (RATE_HZ - 1000);
		int amplitude = 1 << rand_r(&dice) % 15;
		fill_noise(samples, count, amplitude, seed + (unsigned)turn);
		kws_pipeline_push(stage->pipeline, samples, count);
		if (turn == 5) {
			kws_pipeline_gap(stage->pipeline, count);
		} else if (turn == 8) {
			assert_int_equal(
				kws_pipeline_open(stage->pipeline, RATE_HZ, 1, 0, NULL), 0);
		}
	}
}

/* What `stage` told of a model is what `alone` told, from that one's first hop on. */
static void assert_told_alike(
	const struct stage *stage, const char *model, const struct stage *alone, size_t from)
{
	size_t next = from;
	for (size_t i = 0; i < stage->count; i++) {
		if (strcmp(stage->told[i].model, model) == 0) {
			assert_true(next < alone->count);
			assert_memory_equal(
				&stage->told[i], &alone->told[next], sizeof(struct told));
			next++;
		}
	}
	assert_int_equal(next, alone->count);
}

static size_t count_exit(const struct stage *stage, const char *model, size_t exit)
{
	size_t count = 0;
	for (size_t i = 0; i < stage->count; i++) {
		const struct told *told = &stage->told[i];
		count += !told->event && told->exit == exit && strcmp(told->model, model) == 0;
	}
	return count;
}

#define SETTINGS                                                             \
	"model.path=a,b", "model.hop_frames=2", "detector.smoothing_hops=2", \
		"detector.patience_hops=1", "detector.candidate_threshold=0.3"

static void each_hears_what_it_hears_alone(void **state)
{
	(void)state;
	static const char *const policies[] = {"exits.policy=entropy", "exits.policy=difference",
		"exits.policy=temporal-patience"};
	size_t events = 0;
	for (unsigned seed = 1; seed <= 6; seed++) {
		const char *const *settings =
			WITH(SETTINGS, policies[seed % 3], "exits.distance=0.2");
		struct stage *first = create_stage(build_go(), NULL, settings);
		struct stage *second = create_stage(build_stop(), NULL, settings);
		struct stage *both = create_stage(build_go(), build_stop(), settings);
		play(first, seed);
		play(second, seed);
		play(both, seed);
		assert_told_alike(both, "first", first, 0);
		assert_told_alike(both, "second", second, 0);
		assert_int_equal(both->count, first->count + second->count);
		events += both->count -
			  2 * (count_exit(first, "first", 1) + count_exit(first, "first", 2));
		if (seed % 3 == 0) { /* they leave at different depths */
			assert_int_not_equal(
				count_exit(both, "first", 1), count_exit(both, "second", 1));
		}
		destroy_stage(both);
		destroy_stage(second);
		destroy_stage(first);
	}
	assert_true(events > 10);
}

/* In each hop the first model comes first, with its hop and then its events. */
static void the_order_is_that_of_the_models(void **state)
{
	(void)state;
	struct stage *stage = create_stage(build_stop(), build_go(), WITH(SETTINGS));
	play(stage, 3);
	uint64_t hop = 0;
	bool second_came = true;
	for (size_t i = 0; i < stage->count; i++) {
		const struct told *told = &stage->told[i];
		bool first = strcmp(told->model, "second") == 0; /* by name */
		if (!told->event && first) {
			assert_true(second_came);
			assert_int_equal(told->hop, hop);
			second_came = false;
		} else if (!told->event) {
			assert_false(second_came);
			assert_int_equal(told->hop, hop++);
			second_came = true;
		} else {
			assert_int_equal(first, !second_came);
		}
	}
	destroy_stage(stage);
}

static void stats_are_told_of_each_and_of_all(void **state)
{
	(void)state;
	struct stage *stage = create_stage(build_go(), build_stop(), WITH(SETTINGS));
	struct kws_pipeline_stats all;
	struct kws_spotter_stats one;
	struct kws_spotter_stats other;
	play(stage, 4);
	kws_pipeline_stats(stage->pipeline, &all);
	kws_spotter_stats(kws_pipeline_spotter(stage->pipeline, 0), &one);
	kws_spotter_stats(kws_pipeline_spotter(stage->pipeline, 1), &other);
	assert_null(kws_pipeline_spotter(stage->pipeline, 2));
	assert_int_equal(one.hops, all.hops);
	assert_int_equal(other.hops, all.hops);
	assert_int_equal(one.hops_at_exit[1], count_exit(stage, "first", 1));
	assert_int_equal(other.hops_at_exit[1], count_exit(stage, "second", 1));
	for (size_t i = 0; i <= 2; i++) {
		assert_int_equal(all.hops_at_exit[i], one.hops_at_exit[i] + other.hops_at_exit[i]);
	}
	assert_true(one.detections > 0 && other.detections > 0);
	assert_int_equal(all.detections, one.detections + other.detections);
	assert_int_equal(all.net.rows, one.net.rows + other.net.rows);
	assert_int_equal(all.net.float_macs, one.net.float_macs + other.net.float_macs);
	destroy_stage(stage);
}

#define PAIR "model.path=/m/a.safetensors, /m/b.safetensors"

static void what_cannot_work_together_is_refused(void **state)
{
	(void)state;
	static const struct {
		const char *name; /* of the second model */
		const char *labels;
		const char *setting;
		const char *sentence;
	} cases[] = {
		{"first", "['stop','_silence_']", "log.level=info",
			"/m/a.safetensors and /m/b.safetensors are both named 'first': models side "
			"by side need names of their own"},
		{"second", "['_unknown_','go']", "log.level=info",
			"both /m/a.safetensors and /m/b.safetensors know the keyword 'go'"},
		{"second", "['stop','_silence_']", "keyword start.enabled=no",
			"[keyword start]: none of the models knows this keyword"},
		{"second", "['stop','_silence_']", "keyword _silence_.enabled=no",
			"[keyword _silence_]: none of the models knows this keyword"},
		{"second", "['stop','_silence_']", "keyword stop.delta=1,2,3",
			"the model 'second': [keyword stop].delta: 3 numbers, but the model has 2 "
			"exits"},
		{"second", "['stop','_silence_']", "exits.policy=always-3",
			"the model 'first': [exits].policy: there is no exit for always-3, the "
			"model has 2"},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct kws_config *config = load_config(WITH(PAIR, cases[i].setting));
		struct kws_model_set set = {
			2, {build_go(), build_named(cases[i].name, cases[i].labels, "{}")}};
		struct kws_error error = {""};
		assert_true(kws_model_set_check(&set, config, &error) < 0);
		assert_memory_equal(error.text, cases[i].sentence, strlen(cases[i].sentence));
		kws_model_set_finish(&set);
		kws_config_destroy(config);
	}
}

/* Of a path that is too long for the sentence the end is told, from a whole character on. */
static void long_paths_are_told_by_their_ends(void **state)
{
	(void)state;
#define FOLDER "/srv/kws/\xc3\xbc/long-than-what-there-is-room-for/of-two/models/"
	static const char sentence[] =
		"both .../long-than-what-there-is-room-for/of-two/models/at-home.safetensors "
		"and ...than-what-there-is-room-for/of-two/models/in-the-kitchen.safetensors know "
		"the keyword 'go'";
	struct kws_config *config = load_config(WITH(
		"model.path=" FOLDER "at-home.safetensors, " FOLDER "in-the-kitchen.safetensors"));
	struct kws_model_set set = {
		2, {build_go(), build_named("second", "['_silence_','go']", "{}")}};
	struct kws_error error = {""};
	assert_true(kws_model_set_check(&set, config, &error) < 0);
	assert_string_equal(error.text, sentence);
	kws_model_set_finish(&set);
	kws_config_destroy(config);
}

/* "_silence_" of both is no keyword; sections may name keywords of either. */
static void what_can_work_together_is_accepted(void **state)
{
	(void)state;
	struct kws_config *config = load_config(WITH(
		PAIR, "keyword go.delta=1,2", "keyword stop.threshold=0.5", "exits.confirm=2"));
	struct kws_model_set set = {2, {build_go(), build_stop()}};
	struct kws_error error = {""};
	assert_int_equal(kws_model_set_check(&set, config, &error), 0);
	kws_model_set_finish(&set);
	kws_config_destroy(config);
}

static void push(struct stage *stage, size_t count, int amplitude)
{
	int16_t *samples = malloc(count * sizeof(*samples));
	fill_noise(samples, count, amplitude, 7);
	kws_pipeline_push(stage->pipeline, samples, count);
	free(samples);
}

/* The second model is exchanged for a third while a loud word sounds, which only the first one has
 * told so far. The first goes on as if nothing had happened; the third hears the whole window. */
static void one_is_exchanged_and_the_other_goes_on(void **state)
{
	(void)state;
	const char *const *settings = WITH(SETTINGS);
	struct stage *alone = create_stage(build_go(), NULL, settings);
	struct stage *third = create_stage(
		build_named("third", "['_silence_','left']", "{'delta':[0.1,0]}"), NULL, settings);
	struct stage *both = create_stage(build_go(), build_stop(), settings);
	struct stage *stages[] = {alone, third, both};
	for (size_t i = 0; i < 3; i++) {
		push(stages[i], 2 * RATE_HZ, 3);
		push(stages[i], RATE_HZ / 2, 20000);
	}
	size_t before = third->count;
	struct kws_model *old = both->set.models[1];
	both->set.models[1] = build_named("third", "['_silence_','left']", "{'delta':[0.1,0]}");
	assert_int_equal(kws_pipeline_exchange(both->pipeline, &both->set, both->config, NULL), 0);
	kws_model_destroy(old);
	for (size_t i = 0; i < 3; i++) {
		push(stages[i], RATE_HZ, 20000);
		push(stages[i], RATE_HZ, 3);
	}
	assert_told_alike(both, "first", alone, 0);
	for (size_t i = 0, next = before; i < both->count; i++) {
		const struct told *told = &both->told[i];
		if (strcmp(told->model, "third") == 0 && !told->event) {
			while (third->told[next].event) {
				next++;
			}
			assert_memory_equal(told, &third->told[next++], sizeof(*told));
		}
	}
	assert_int_equal(count_exit(both, "third", 1) + count_exit(both, "third", 2) +
				 count_exit(both, "second", 1) + count_exit(both, "second", 2),
		count_exit(alone, "first", 1) + count_exit(alone, "first", 2));
	for (size_t i = 0; i < 3; i++) {
		destroy_stage(stages[i]);
	}
}

/* In another order, fewer, more: a model that stays keeps what it counted. */
static void a_model_that_stays_is_known_by_its_place_in_memory(void **state)
{
	(void)state;
	struct stage *stage = create_stage(build_go(), build_stop(), WITH(SETTINGS));
	struct kws_spotter_stats stats;
	struct kws_model *go = stage->set.models[0];
	struct kws_model *stop = stage->set.models[1];
	const struct kws_model_set orders[] = {{2, {stop, go}}, {1, {stop}}, {2, {go, stop}}};
	push(stage, 2 * RATE_HZ, 3);
	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(
			kws_pipeline_exchange(stage->pipeline, &orders[i], stage->config, NULL), 0);
		for (size_t k = 0; k < orders[i].count; k++) {
			const struct kws_spotter *spotter =
				kws_pipeline_spotter(stage->pipeline, k);
			assert_ptr_equal(kws_spotter_model(spotter), orders[i].models[k]);
			kws_spotter_stats(spotter, &stats);
			bool fresh = i == 2 && orders[i].models[k] == go;
			assert_int_equal(stats.hops > 0, !fresh);
		}
	}
	destroy_stage(stage);
}

static void a_bad_one_leaves_all_as_it_was(void **state)
{
	(void)state;
	struct stage *alone = create_stage(build_go(), NULL, WITH(SETTINGS));
	struct stage *stage = create_stage(build_go(), NULL, WITH(SETTINGS));
	struct kws_error error;
	push(alone, 2 * RATE_HZ, 3);
	push(stage, 2 * RATE_HZ, 3);
	struct kws_model_set wrong = {
		3, {build_stop(), stage->set.models[0], build_model(GRAPH("[97,64,1]"))}};
	assert_int_equal(kws_pipeline_exchange(stage->pipeline, &wrong, stage->config, &error),
		KWS_EMISMATCH);
	assert_string_equal(
		error.text, "the model's input is 97x64x1, this program's window is 98x64x1");
	kws_model_destroy(wrong.models[0]);
	kws_model_destroy(wrong.models[2]);
	push(alone, RATE_HZ, 20000);
	push(stage, RATE_HZ, 20000);
	assert_int_equal(stage->count, alone->count);
	assert_told_alike(stage, "first", alone, 0);
	destroy_stage(stage);
	destroy_stage(alone);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_hears_what_it_hears_alone),
		cmocka_unit_test(the_order_is_that_of_the_models),
		cmocka_unit_test(stats_are_told_of_each_and_of_all),
		cmocka_unit_test(what_cannot_work_together_is_refused),
		cmocka_unit_test(long_paths_are_told_by_their_ends),
		cmocka_unit_test(what_can_work_together_is_accepted),
		cmocka_unit_test(one_is_exchanged_and_the_other_goes_on),
		cmocka_unit_test(a_model_that_stays_is_known_by_its_place_in_memory),
		cmocka_unit_test(a_bad_one_leaves_all_as_it_was),
	};
	return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
