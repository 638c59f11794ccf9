/* SPDX-License-Identifier: Apache-2.0 */
/* The way from a source's frames to hops and events, with a network that hears loudness: both of
 * its exits look at the mean of the log-mel window, "go" is loud and "_silence_" is quiet. */
#include <math.h>
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
#include "tests/cpu-mask.h"
#include "tests/model-builder.h"

#define RATE_HZ 16000
#define FIRST_HOP (KWS_FRAME_SAMPLES + (KWS_WINDOW_FRAMES - 1) * KWS_HOP_SAMPLES)
#define HOPS_MAX 512
#define EVENTS_MAX 16

#define GRAPH(shape)                                                                         \
	"[{'op':'input','out':'x','shape':" shape "},"                                       \
	"{'op':'exit','in':'x','out':'first','pool':'all','weight':'unsure','bias':'bias'}," \
	"{'op':'exit','in':'x','out':'last','pool':'all','weight':'sure','bias':'bias'}]"

/* What the pipeline told. */
struct heard {
	struct kws_hop hops[HOPS_MAX];
	float go[HOPS_MAX]; /* the posterior of "go" at each hop */
	size_t hop_count;
	struct kws_detector_event events[EVENTS_MAX];
	size_t event_count;
};

/* A pipeline with all that it stands on. */
struct rig {
	struct kws_model *model;
	struct kws_config *config;
	struct kws_pipeline *pipeline;
	struct heard heard;
};

static void take_hop(void *user, const struct kws_hop *hop)
{
	struct heard *heard = user;
	assert_true(heard->hop_count < HOPS_MAX);
	heard->go[heard->hop_count] = hop->posteriors[0];
	heard->hops[heard->hop_count++] = *hop;
}

static void take_event(void *user, const struct kws_detector_event *event)
{
	struct heard *heard = user;
	assert_true(heard->event_count < EVENTS_MAX);
	assert_true(event->at.hop <= heard->hops[heard->hop_count - 1].hop);
	heard->events[heard->event_count++] = *event;
}

static struct kws_model *build_model(const char *graph)
{
	/* the mean is near -2.5 for silence and above 0.5 for noise at full scale */
	static const float unsure[] = {0.5f, -0.5f};
	static const float sure[] = {8.0f, -8.0f};
	static const float bias[] = {0.0f, 0.0f};
	const size_t weight_shape[4] = {2, 1, 0, 0};
	struct model_builder builder;
	struct kws_model *model;
	struct kws_error error;
	model_builder_init(&builder);
	model_builder_describe(&builder);
	model_builder_json(&builder, "kws.graph", graph);
	model_builder_tensor(&builder, "unsure", KWS_DTYPE_F32, weight_shape, unsure);
	model_builder_tensor(&builder, "sure", KWS_DTYPE_F32, weight_shape, sure);
	model_builder_tensor(&builder, "bias", KWS_DTYPE_F32, (const size_t[4]){2, 0, 0, 0}, bias);
	if (model_builder_parse(&builder, &model, NULL, &error) != 0) {
		fail_msg("%s", error.text);
	}
	model_builder_finish(&builder);
	return model;
}

/* `overrides` end with NULL. */
static struct kws_config *load_config(const char *const *overrides)
{
	struct kws_config *config;
	struct kws_config_errors errors;
	size_t count = 0;
	while (overrides[count] != NULL) {
		count++;
	}
	assert_int_equal(kws_config_load(&config, NULL, overrides, count, &errors), 0);
	return config;
}

/* A hop each frame, the last exit's answer, an event as soon as a hop is loud. */
#define PLAIN                                                               \
	"model.hop_frames=1", "exits.delta=0", "detector.smoothing_hops=1", \
		"detector.patience_hops=1"
#define WITH(...) ((const char *const[]){__VA_ARGS__, NULL})

static struct rig *create_rig(const char *const *overrides)
{
	struct rig *rig = calloc(1, sizeof(*rig));
	struct kws_error error;
	rig->model = build_model(GRAPH("[98,64,1]"));
	rig->config = load_config(overrides);
	const struct kws_pipeline_sink sink = {take_hop, take_event, &rig->heard};
	if (kws_pipeline_create(&rig->pipeline, rig->model, rig->config, &sink, &error) != 0) {
		fail_msg("%s", error.text);
	}
	assert_int_equal(kws_pipeline_open(rig->pipeline, RATE_HZ, 1, 0, &error), 0);
	return rig;
}

static void destroy_rig(struct rig *rig)
{
	kws_pipeline_destroy(rig->pipeline);
	kws_config_destroy(rig->config);
	kws_model_destroy(rig->model);
	free(rig);
}

static void fill_noise(int16_t *samples, size_t count, int amplitude, unsigned seed)
{
	for (size_t i = 0; i < count; i++) {
		samples[i] = (int16_t)(rand_r(&seed) % (2 * amplitude + 1) - amplitude);
	}
}

/* Noise of this amplitude (0: silence), pushed at once. */
static void push_noise(struct rig *rig, size_t count, int amplitude)
{
	int16_t *samples = malloc(count * sizeof(*samples));
	fill_noise(samples, count, amplitude, 1);
	kws_pipeline_push(rig->pipeline, samples, count);
	free(samples);
}

static struct kws_pipeline_stats stats_of(const struct rig *rig)
{
	struct kws_pipeline_stats stats;
	kws_pipeline_stats(rig->pipeline, &stats);
	return stats;
}

/* A frame ends in the middle of a block: the block that brings the sample has to be complete. */
static void first_hop_is_the_first_whole_window(void **state)
{
	(void)state;
	struct rig *rig = create_rig(WITH(PLAIN));
	push_noise(rig, FIRST_HOP - 1, 3000);
	assert_int_equal(rig->heard.hop_count, 0);
	assert_false(stats_of(rig).warm);
	push_noise(rig, KWS_HOP_SAMPLES, 3000);
	assert_int_equal(rig->heard.hop_count, 1);
	assert_true(stats_of(rig).warm);
	assert_int_equal(rig->heard.hops[0].hop, 0);
	assert_int_equal(rig->heard.hops[0].sample, FIRST_HOP);
	assert_int_equal(rig->heard.hops[0].exits, 2);
	destroy_rig(rig);
	kws_pipeline_destroy(NULL);
}

static void hops_are_hop_frames_apart(void **state)
{
	(void)state;
	static const size_t distances[] = {1, 4, 32};
	for (size_t i = 0; i < 3; i++) {
		char override[40];
		snprintf(override, sizeof(override), "model.hop_frames=%zu", distances[i]);
		struct rig *rig = create_rig(WITH(override));
		push_noise(rig, 3 * RATE_HZ, 3000);
		const struct heard *heard = &rig->heard;
		size_t spacing = distances[i] * KWS_HOP_SAMPLES;
		assert_int_equal(heard->hop_count, (3 * RATE_HZ - FIRST_HOP) / spacing + 1);
		for (size_t h = 0; h < heard->hop_count; h++) {
			assert_int_equal(heard->hops[h].hop, h);
			assert_int_equal(heard->hops[h].sample, FIRST_HOP + h * spacing);
		}
		assert_int_equal(stats_of(rig).hops, heard->hop_count);
		destroy_rig(rig);
	}
}

static void assert_same(const struct heard *got, const struct heard *wanted)
{
	assert_int_equal(got->hop_count, wanted->hop_count);
	assert_memory_equal(got->go, wanted->go, wanted->hop_count * sizeof(float));
	for (size_t i = 0; i < wanted->hop_count; i++) {
		assert_int_equal(got->hops[i].sample, wanted->hops[i].sample);
		assert_int_equal(got->hops[i].exit, wanted->hops[i].exit);
		assert_memory_equal(&got->hops[i].entropy, &wanted->hops[i].entropy, sizeof(float));
	}
	assert_int_equal(got->event_count, wanted->event_count);
	for (size_t i = 0; i < wanted->event_count; i++) {
		assert_int_equal(got->events[i].at.sample, wanted->events[i].at.sample);
	}
}

static void push_in_pieces(struct rig *rig, const int16_t *frames, size_t count, unsigned seed)
{
	while (count > 0) {
		size_t piece = 1 + (size_t)rand_r(&seed) % 1500;
		piece = piece < count ? piece : count;
		kws_pipeline_push(rig->pipeline, frames, piece);
		frames += 2 * piece;
		count -= piece;
	}
}

/* Two channels at 44.1 kHz: mix, resampler and framing all cut across the blocks. */
static void blocks_do_not_matter(void **state)
{
	(void)state;
	static int16_t frames[2 * 66150];
	fill_noise(frames, 66150, 30, 1);
	fill_noise(frames + 66150, 66150, 20000, 2);
	struct rig *whole = create_rig(WITH(PLAIN, "dsp.denoise=yes"));
	assert_int_equal(kws_pipeline_open(whole->pipeline, 44100, 2, 0, NULL), 0);
	kws_pipeline_push(whole->pipeline, frames, 66150);
	assert_true(whole->heard.hop_count > 40);
	assert_int_equal(whole->heard.event_count, 1);
	for (unsigned seed = 1; seed <= 3; seed++) {
		struct rig *cut = create_rig(WITH(PLAIN, "dsp.denoise=yes"));
		assert_int_equal(kws_pipeline_open(cut->pipeline, 44100, 2, 0, NULL), 0);
		push_in_pieces(cut, frames, 66150, seed);
		assert_same(&cut->heard, &whole->heard);
		destroy_rig(cut);
	}
	destroy_rig(whole);
}

/* After a gap nothing of before is used: no hop for a whole window, then the posteriors of the new
 * sound alone. */
static void gap_starts_a_new_window(void **state)
{
	(void)state;
	struct rig *rig = create_rig(WITH(PLAIN));
	push_noise(rig, FIRST_HOP + 80, 20000); /* to a block's end */
	assert_int_equal(rig->heard.hop_count, 1);
	kws_pipeline_gap(rig->pipeline, 0);
	assert_false(stats_of(rig).warm);
	assert_int_equal(stats_of(rig).gaps, 1);
	push_noise(rig, FIRST_HOP - 1, 0);
	assert_int_equal(rig->heard.hop_count, 1);
	push_noise(rig, KWS_HOP_SAMPLES, 0);
	assert_int_equal(rig->heard.hop_count, 2);
	assert_int_equal(rig->heard.hops[1].hop, 1);
	assert_true(rig->heard.go[0] > 0.9f);
	assert_true(rig->heard.go[1] < 0.1f);
	destroy_rig(rig);
}

/* Positions count lost frames, at any rate: after each gap the first hop is where it was heard. */
static void positions_stay_true_over_gaps(void **state)
{
	(void)state;
	static const unsigned rates[] = {8000, 16000, 44100, 48000};
	static int16_t frames[3 * 48000];
	fill_noise(frames, sizeof(frames) / sizeof(frames[0]), 3000, 1);
	for (size_t i = 0; i < sizeof(rates) / sizeof(rates[0]); i++) {
		struct rig *rig = create_rig(WITH(PLAIN, "keyword go.enabled=no"));
		size_t heard = 5 * rates[i] / 4; /* 1.25 s, then 0.5 s are lost */
		size_t lost = rates[i] / 2;
		assert_int_equal(kws_pipeline_open(rig->pipeline, rates[i], 1, 0, NULL), 0);
		for (uint64_t gap = 1; gap <= 15; gap++) {
			kws_pipeline_push(rig->pipeline, frames, heard);
			kws_pipeline_gap(rig->pipeline, lost);
			uint64_t wanted = gap * (heard + lost) * RATE_HZ / rates[i];
			assert_int_equal(stats_of(rig).samples, wanted);
		}
		destroy_rig(rig);
	}
}

static void open_starts_anew(void **state)
{
	(void)state;
	struct rig *rig = create_rig(WITH(PLAIN));
	push_noise(rig, FIRST_HOP - 100, 3000);
	assert_int_equal(kws_pipeline_open(rig->pipeline, RATE_HZ, 1, 1, NULL), 0);
	push_noise(rig, FIRST_HOP - 1, 3000);
	assert_int_equal(rig->heard.hop_count, 0);
	push_noise(rig, KWS_HOP_SAMPLES, 3000);
	assert_int_equal(rig->heard.hop_count, 1);
	destroy_rig(rig);
}

static void refuses_a_bad_format(void **state)
{
	(void)state;
	struct rig *rig = create_rig(WITH(PLAIN));
	struct kws_error error;
	assert_int_equal(kws_pipeline_open(rig->pipeline, RATE_HZ, 2, 3, &error), KWS_EINVAL);
	assert_string_equal(error.text, "there is no channel 3: the device has 2");
	assert_int_equal(kws_pipeline_open(rig->pipeline, 0, 1, 0, &error), KWS_EINVAL);
	assert_string_equal(error.text, "cannot convert from 0 Hz: invalid argument");
	push_noise(rig, FIRST_HOP + 160, 3000); /* the stream of before goes on */
	assert_int_equal(rig->heard.hop_count, 1);
	destroy_rig(rig);
}

/* Two channels, only the second is loud. */
static void listens_to_the_chosen_channel(void **state)
{
	(void)state;
	static int16_t frames[2 * RATE_HZ];
	fill_noise(frames, 2 * RATE_HZ, 20000, 1);
	for (size_t i = 0; i < RATE_HZ; i++) {
		frames[2 * i] = 0;
	}
	for (unsigned channel = 1; channel <= 2; channel++) {
		struct rig *rig = create_rig(WITH(PLAIN));
		assert_int_equal(kws_pipeline_open(rig->pipeline, RATE_HZ, 2, channel, NULL), 0);
		kws_pipeline_push(rig->pipeline, frames, RATE_HZ);
		assert_int_equal(rig->heard.hop_count, 1);
		assert_int_equal(rig->heard.hops[0].best, channel == 2 ? 0 : 1);
		bool silent = kws_level_rms_dbfs(kws_pipeline_level(rig->pipeline)) < -100.0f;
		assert_int_equal(silent, channel == 1);
		destroy_rig(rig);
	}
}

static void tells_a_detection_with_its_place(void **state)
{
	(void)state;
	struct rig *rig = create_rig(WITH(PLAIN, "keyword go.threshold=0.9"));
	push_noise(rig, 2 * RATE_HZ, 0);
	assert_int_equal(rig->heard.event_count, 0); /* _silence_ is no keyword */
	push_noise(rig, 2 * RATE_HZ, 20000);
	assert_int_equal(rig->heard.event_count, 1);
	const struct kws_detector_event *event = &rig->heard.events[0];
	assert_int_equal(event->type, KWS_DETECTOR_DETECTION);
	assert_int_equal(event->label, 0);
	assert_int_equal(event->at.sample, FIRST_HOP + event->at.hop * KWS_HOP_SAMPLES);
	assert_in_range(event->at.sample, 2 * RATE_HZ, 3 * RATE_HZ);
	assert_true(rig->heard.go[event->at.hop] >= 0.9f);
	assert_true(rig->heard.go[event->at.hop - 1] < 0.9f);
	assert_int_equal(stats_of(rig).detections, 1);
	destroy_rig(rig);
}

static void exit_follows_delta(void **state)
{
	(void)state;
	static const char *const deltas[] = {"exits.delta=0", "exits.delta=10"};
	for (size_t exit = 1; exit <= 2; exit++) {
		struct rig *rig = create_rig(WITH(PLAIN, deltas[2 - exit]));
		push_noise(rig, FIRST_HOP + 160, 3000);
		assert_int_equal(rig->heard.hops[0].exit, exit);
		assert_int_equal(stats_of(rig).hops_at_exit[exit], 1);
		destroy_rig(rig);
	}
}

/* Without speech for a window no exit is asked, and the answer is silence. */
static void vad_lets_the_network_sleep(void **state)
{
	(void)state;
	struct rig *rig = create_rig(WITH(PLAIN, "dsp.vad=yes"));
	const struct heard *heard = &rig->heard;
	push_noise(rig, 2 * RATE_HZ, 1);
	size_t quiet = heard->hop_count;
	assert_int_equal(stats_of(rig).hops_at_exit[0], quiet);
	assert_int_equal(heard->hops[quiet - 1].exit, 0);
	assert_int_equal(heard->hops[quiet - 1].best, 1);
	assert_true(heard->hops[quiet - 1].entropy == 0.0f);
	assert_true(heard->go[quiet - 1] == 0.0f);
	assert_int_equal(heard->hops[quiet - 1].reason, KWS_REASON_SILENCE);
	assert_string_equal(heard->hops[quiet - 1].policy, "entropy");
	push_noise(rig, KWS_HOP_SAMPLES, 20000); /* one loud block keeps it awake for a window */
	push_noise(rig, 2 * RATE_HZ, 1);
	uint64_t awake = stats_of(rig).hops_at_exit[2];
	assert_in_range(awake, KWS_WINDOW_FRAMES, KWS_WINDOW_FRAMES + 50); /* Speex hangs over */
	assert_int_equal(heard->hops[heard->hop_count - 1].exit, 0);
	destroy_rig(rig);
}

static void configure_changes_decisions_not_hops(void **state)
{
	(void)state;
	struct rig *rig = create_rig(WITH(PLAIN, "keyword go.enabled=no"));
	push_noise(rig, 2 * RATE_HZ, 20000);
	size_t before = rig->heard.hop_count;
	assert_int_equal(rig->heard.event_count, 0);
	assert_int_equal(rig->heard.hops[before - 1].exit, 2);
	struct kws_config *changed = load_config(WITH(PLAIN, "exits.delta=10"));
	kws_pipeline_configure(rig->pipeline, changed);
	kws_config_destroy(changed); /* not kept */
	push_noise(rig, 10 * KWS_HOP_SAMPLES, 20000);
	assert_int_equal(rig->heard.hop_count, before + 10);
	assert_int_equal(rig->heard.hops[before].hop, before);
	assert_int_equal(rig->heard.hops[before].sample, FIRST_HOP + before * KWS_HOP_SAMPLES);
	assert_int_equal(rig->heard.hops[before].exit, 1);
	destroy_rig(rig);
}

/* With a distance that takes everything for unchanged. */
#define REPEATING PLAIN, "exits.policy=difference", "exits.distance=1e6"

static enum kws_reason last_reason(const struct rig *rig)
{
	return rig->heard.hops[rig->heard.hop_count - 1].reason;
}

/* What was heard before is not compared with what comes after. */
static void gaps_and_silence_end_a_scene(void **state)
{
	(void)state;
	struct rig *rig = create_rig(WITH(REPEATING, "dsp.vad=yes", "keyword go.enabled=no"));
	push_noise(rig, FIRST_HOP + 3 * KWS_HOP_SAMPLES / 2, 20000);
	assert_int_equal(rig->heard.hops[0].reason, KWS_REASON_NO_REFERENCE);
	assert_int_equal(rig->heard.hops[0].exit, 2);
	assert_true(isnan(rig->heard.hops[0].change));
	assert_int_equal(last_reason(rig), KWS_REASON_UNCHANGED);
	assert_int_equal(rig->heard.hops[1].exit, 1);
	assert_true(rig->heard.hops[1].change > 0.0f);
	kws_pipeline_gap(rig->pipeline, 0);
	push_noise(rig, FIRST_HOP + KWS_HOP_SAMPLES / 2, 20000);
	assert_int_equal(last_reason(rig), KWS_REASON_NO_REFERENCE);
	kws_pipeline_skip(rig->pipeline, 100);
	push_noise(rig, FIRST_HOP + KWS_HOP_SAMPLES / 2, 20000);
	assert_int_equal(last_reason(rig), KWS_REASON_NO_REFERENCE);
	assert_int_equal(kws_pipeline_open(rig->pipeline, RATE_HZ, 1, 0, NULL), 0);
	push_noise(rig, FIRST_HOP + KWS_HOP_SAMPLES / 2, 20000);
	assert_int_equal(last_reason(rig), KWS_REASON_NO_REFERENCE);
	push_noise(rig, 3 * RATE_HZ, 1);
	assert_int_equal(last_reason(rig), KWS_REASON_SILENCE);
	push_noise(rig, KWS_HOP_SAMPLES, 20000);
	assert_int_equal(last_reason(rig), KWS_REASON_NO_REFERENCE);
	destroy_rig(rig);
}

/* The loud word is told once, its end is heard and the next one told, though the policy finds
 * nothing changed. */
static void a_keyword_is_never_repeated(void **state)
{
	(void)state;
	struct rig *rig = create_rig(WITH(REPEATING, "model.hop_frames=4", "exits.max_age_ms=100"));
	for (size_t word = 1; word <= 3; word++) {
		uint64_t repeated = stats_of(rig).hops_at_exit[1];
		push_noise(rig, 3 * RATE_HZ, 0);
		assert_true(stats_of(rig).hops_at_exit[1] > repeated);
		push_noise(rig, 3 * RATE_HZ, 20000);
		assert_int_equal(last_reason(rig), KWS_REASON_NO_REFERENCE);
		assert_int_equal(rig->heard.event_count, word);
	}
	destroy_rig(rig);
}

static void policies_change_between_two_hops(void **state)
{
	(void)state;
	static const struct {
		const char *policy;
		enum kws_reason reason;
		size_t exit;
	} steps[] = {
		{"exits.policy=always-1", KWS_REASON_FIXED, 1},
		{"exits.policy=difference", KWS_REASON_NO_REFERENCE, 2},
		{"exits.policy=temporal-patience", KWS_REASON_NO_REFERENCE, 2},
		{"exits.policy=patience", KWS_REASON_NONE, 0}, /* never fires with two exits */
		{"exits.policy=always-2", KWS_REASON_LAST_EXIT, 2},
	};
	struct rig *rig = create_rig(WITH(PLAIN, "exits.distance=1e6"));
	push_noise(rig, FIRST_HOP + KWS_HOP_SAMPLES / 2, 0);
	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		struct kws_config *config =
			load_config(WITH(PLAIN, "exits.distance=1e6", steps[i].policy));
		bool possible = kws_pipeline_check(rig->model, config, NULL) == 0;
		assert_int_equal(possible, strcmp(steps[i].policy, "exits.policy=patience") != 0);
		kws_pipeline_configure(rig->pipeline, config);
		kws_config_destroy(config);
		push_noise(rig, KWS_HOP_SAMPLES, 0);
		const struct kws_hop *hop = &rig->heard.hops[rig->heard.hop_count - 1];
		if (possible) {
			assert_int_equal(hop->reason, steps[i].reason);
			assert_int_equal(hop->exit, steps[i].exit);
			assert_string_equal(hop->policy, steps[i].policy + strlen("exits.policy="));
		} else {
			assert_string_equal(hop->policy, "temporal-patience");
		}
	}
	destroy_rig(rig);
}

static void check_names_the_unknown_keyword(void **state)
{
	(void)state;
	struct rig *rig = create_rig(WITH(PLAIN));
	struct kws_error error = {""};
	struct kws_config *good = load_config(WITH("keyword go.threshold=0.7"));
	struct kws_config *bad = load_config(WITH("keyword stop.threshold=0.7"));
	assert_int_equal(kws_pipeline_check(rig->model, good, &error), 0);
	assert_int_equal(kws_pipeline_check(rig->model, bad, &error), KWS_EMISMATCH);
	assert_string_equal(
		error.text, "[keyword stop]: the model 'built' does not know this keyword");
	kws_config_destroy(bad);
	kws_config_destroy(good);
	destroy_rig(rig);
}

static void refuses_a_model_of_another_window(void **state)
{
	(void)state;
	struct kws_model *model = build_model(GRAPH("[97,64,1]"));
	struct kws_config *config = load_config(WITH(PLAIN));
	const struct kws_pipeline_sink sink = {0};
	struct kws_pipeline *pipeline = NULL;
	struct kws_error error;
	assert_int_equal(
		kws_pipeline_create(&pipeline, model, config, &sink, &error), KWS_EMISMATCH);
	assert_string_equal(
		error.text, "the model's input is 97x64x1, this program's window is 98x64x1");
	assert_null(pipeline);
	kws_config_destroy(config);
	kws_model_destroy(model);
}

/* Nobody has to listen. */
static void runs_without_a_sink(void **state)
{
	(void)state;
	struct kws_model *model = build_model(GRAPH("[98,64,1]"));
	struct kws_config *config = load_config(WITH(PLAIN));
	const struct kws_pipeline_sink sink = {0};
	struct rig rig = {.model = model};
	assert_int_equal(kws_pipeline_create(&rig.pipeline, model, config, &sink, NULL), 0);
	assert_int_equal(kws_pipeline_open(rig.pipeline, RATE_HZ, 1, 0, NULL), 0);
	push_noise(&rig, 2 * RATE_HZ, 20000);
	assert_int_equal(stats_of(&rig).detections, 1);
	kws_pipeline_destroy(rig.pipeline);
	kws_config_destroy(config);
	kws_model_destroy(model);
}

int main(void)
{
	if (!take_cpu_mask()) {
		return TEST_SKIPPED;
	}
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(first_hop_is_the_first_whole_window),
		cmocka_unit_test(hops_are_hop_frames_apart),
		cmocka_unit_test(blocks_do_not_matter),
		cmocka_unit_test(gap_starts_a_new_window),
		cmocka_unit_test(positions_stay_true_over_gaps),
		cmocka_unit_test(open_starts_anew),
		cmocka_unit_test(refuses_a_bad_format),
		cmocka_unit_test(listens_to_the_chosen_channel),
		cmocka_unit_test(tells_a_detection_with_its_place),
		cmocka_unit_test(exit_follows_delta),
		cmocka_unit_test(vad_lets_the_network_sleep),
		cmocka_unit_test(configure_changes_decisions_not_hops),
		cmocka_unit_test(gaps_and_silence_end_a_scene),
		cmocka_unit_test(a_keyword_is_never_repeated),
		cmocka_unit_test(policies_change_between_two_hops),
		cmocka_unit_test(check_names_the_unknown_keyword),
		cmocka_unit_test(refuses_a_model_of_another_window),
		cmocka_unit_test(runs_without_a_sink),
	};
	return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
