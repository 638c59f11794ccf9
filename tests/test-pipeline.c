/* SPDX-License-Identifier: Apache-2.0 */
/* The way from a source's frames to hops and events. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dsp/enhancer.h"
#include "dsp/mel.h"
#include "pipeline/front-end.h"
#include "pipeline/pipeline.h"
#include "tests/cpu-mask.h"
#include "tests/pipeline-rig.h"

#define WINDOW_BLOCKS 100 /* the last one is half in it */
#define SPOKEN_BLOCKS 450
#define SPOKEN_AT 200

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
	assert_float_equal(kws_level_rms_dbfs(kws_pipeline_level(rig->pipeline)), -120.0f, 0.0f);
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

/* The same where a stream is opened again, at another rate, before a block is whole; one that
 * cannot be opened changes nothing. */
static void positions_stay_true_over_streams(void **state)
{
	(void)state;
	static const unsigned rates[] = {16000, 48000, 8000};
	struct rig *rig = create_rig(WITH(PLAIN));
	uint64_t wanted = 0;
	for (size_t i = 0; i < 12; i++) {
		unsigned rate_hz = rates[i % 3];
		assert_int_equal(kws_pipeline_open(rig->pipeline, rate_hz, 1, 0, NULL), 0);
		assert_int_equal(stats_of(rig).samples, wanted);
		push_noise(rig, 159, 3000);
		assert_int_not_equal(kws_pipeline_open(rig->pipeline, 0, 1, 0, NULL), 0);
		wanted += 159 * RATE_HZ / rate_hz;
	}
	assert_int_equal(kws_pipeline_open(rig->pipeline, RATE_HZ, 1, 0, NULL), 0);
	assert_int_equal(stats_of(rig).samples, wanted);
	push_noise(rig, FIRST_HOP + 80, 3000); /* to a block's end */
	assert_int_equal(rig->heard.hops[0].sample, wanted + FIRST_HOP);
	destroy_rig(rig);
}

/* SpeexDSP gives its samples a block later: hops come a block later then, and tell the same place;
 * what it held when a gap came belongs to no window. */
static void enhancement_keeps_the_positions(void **state)
{
	(void)state;
	struct rig *rig = create_rig(WITH(PLAIN, "dsp.denoise=yes", "clips.preroll_ms=100"));
	const uint64_t begins[] = {0, FIRST_HOP + KWS_HOP_SAMPLES + 80};
	for (size_t i = 0; i < 2; i++) {
		push_noise(rig, FIRST_HOP + KWS_HOP_SAMPLES - 1, 3000);
		assert_int_equal(rig->heard.hop_count, i);
		push_noise(rig, 81, 3000); /* to a block's end */
		assert_int_equal(rig->heard.hop_count, i + 1);
		assert_int_equal(rig->heard.hops[i].sample, begins[i] + FIRST_HOP);
		int16_t samples[KWS_HOP_SAMPLES];
		uint64_t end;
		assert_int_equal(kws_pipeline_preroll(rig->pipeline, samples, 1, &end), 1);
		assert_int_equal(end, begins[i] + FIRST_HOP + KWS_HOP_SAMPLES + 80);
		kws_pipeline_gap(rig->pipeline, 0);
	}
	destroy_rig(rig);
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

#define WINDOW_VALUES (KWS_WINDOW_FRAMES * KWS_MEL_BANDS)

static void keep_window(void *user, const struct kws_front_end_window *window)
{
	memcpy(user, window->frames, WINDOW_VALUES * sizeof(float));
}

/* The last window of some loud noise, after a stream of ten quiet seconds if there is one. */
static void hear_loud_noise(bool after_quiet, float *last)
{
	static int16_t quiet[10 * RATE_HZ];
	static int16_t loud[5 * RATE_HZ / 4];
	const struct kws_front_end_sink sink = {keep_window, last};
	struct kws_config *config = load_config(
		WITH("model.hop_frames=1", "dsp.agc=yes", "dsp.denoise=yes", "dsp.vad=yes"));
	struct kws_front_end *front;
	fill_noise(quiet, sizeof(quiet) / sizeof(quiet[0]), 30, 1);
	fill_noise(loud, sizeof(loud) / sizeof(loud[0]), 20000, 2);
	assert_int_equal(kws_front_end_create(&front, config, &sink), 0);
	assert_int_equal(kws_front_end_open(front, RATE_HZ, 1, 0, NULL), 0);
	if (after_quiet) {
		kws_front_end_push(front, quiet, sizeof(quiet) / sizeof(quiet[0]));
		assert_int_equal(kws_front_end_open(front, RATE_HZ, 1, 0, NULL), 0);
	}
	kws_front_end_push(front, loud, sizeof(loud) / sizeof(loud[0]));
	assert_true(kws_front_end_warm(front));
	kws_front_end_destroy(front);
	kws_config_destroy(config);
}

/* Nor do noise suppression and gain control know anything of the stream before. */
static void open_enhances_anew(void **state)
{
	(void)state;
	static float fresh[WINDOW_VALUES];
	static float opened[WINDOW_VALUES];
	hear_loud_noise(false, fresh);
	hear_loud_noise(true, opened);
	assert_memory_equal(opened, fresh, sizeof(fresh));
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

/* Of steady noise at -60 dBFS, once the preprocessor has learned it, nothing is speech. */
static void a_quiet_room_is_no_speech(void **state)
{
	(void)state;
	struct rig *rig = create_rig(WITH(PLAIN, "dsp.vad=yes"));
	push_noise(rig, 2 * RATE_HZ, 57); /* uniform: its root mean square is 33 */
	size_t learned = rig->heard.hop_count;
	uint64_t asleep = stats_of(rig).hops_at_exit[0];
	push_noise(rig, 3 * RATE_HZ, 57);
	assert_int_equal(stats_of(rig).hops_at_exit[0] - asleep, rig->heard.hop_count - learned);
	destroy_rig(rig);
}

/* Whether each block is speech, as the front end's own enhancer judges it. */
static void judge_blocks(const struct kws_config *config, const int16_t *samples, bool *speech)
{
	const struct kws_enhancer_config settings = {
		.denoise = config->dsp.denoise,
		.denoise_db = config->dsp.denoise_db,
		.vad = true,
		.vad_start_percent = config->dsp.vad_start_percent,
		.vad_continue_percent = config->dsp.vad_continue_percent,
	};
	struct kws_enhancer *enhancer;
	assert_int_equal(kws_enhancer_create(&enhancer, &settings), 0);
	for (size_t i = 0; i < SPOKEN_BLOCKS; i++) {
		float block[KWS_HOP_SAMPLES];
		for (size_t k = 0; k < KWS_HOP_SAMPLES; k++) {
			block[k] = (float)samples[i * KWS_HOP_SAMPLES + k] / 32768.0f;
		}
		speech[i] = kws_enhancer_process(enhancer, block);
	}
	kws_enhancer_destroy(enhancer);
}

static bool any_speech(const bool *speech, size_t count)
{
	bool any = false;
	for (size_t i = 0; i < count; i++) {
		any = any || speech[i];
	}
	return any;
}

/* The network is asked for every window that has a sample of a block of speech, and for no other:
 * 15920 samples lie in 100 blocks. Noise suppression judges one block more than it has given. */
static void windows_with_speech_are_answered(void **state)
{
	(void)state;
	static const char *const denoise[] = {"dsp.denoise=no", "dsp.denoise=yes"};
	static int16_t samples[SPOKEN_BLOCKS * KWS_HOP_SAMPLES];
	bool speech[SPOKEN_BLOCKS];
	fill_noise(samples, SPOKEN_BLOCKS * KWS_HOP_SAMPLES, 1, 1);
	fill_noise(samples + SPOKEN_AT * KWS_HOP_SAMPLES, KWS_HOP_SAMPLES, 20000, 2);
	for (size_t lag = 0; lag < 2; lag++) {
		struct rig *rig = create_rig(WITH(PLAIN, "dsp.vad=yes", denoise[lag]));
		const struct heard *heard = &rig->heard;
		judge_blocks(rig->config, samples, speech);
		assert_true(speech[SPOKEN_AT]);
		kws_pipeline_push(rig->pipeline, samples, SPOKEN_BLOCKS * KWS_HOP_SAMPLES);
		assert_int_equal(heard->hop_count, SPOKEN_BLOCKS - WINDOW_BLOCKS + 1 - lag);
		for (size_t i = 0; i < heard->hop_count; i++) {
			bool wanted = any_speech(speech + i, WINDOW_BLOCKS + lag);
			assert_int_equal(heard->hops[i].exit, wanted ? 2 : 0);
		}
		assert_int_equal(heard->hops[heard->hop_count - 1].exit, 0);
		destroy_rig(rig);
	}
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

static void check_names_the_unknown_keyword(void **state)
{
	(void)state;
	struct rig *rig = create_rig(WITH(PLAIN));
	struct kws_error error = {""};
	struct kws_config *good = load_config(WITH("keyword go.threshold=0.7"));
	struct kws_config *bad = load_config(WITH("keyword stop.threshold=0.7"));
	const struct kws_model_set alone = {1, {rig->model}};
	assert_int_equal(kws_model_set_check(&alone, good, &error), 0);
	assert_int_equal(kws_model_set_check(&alone, bad, &error), KWS_EMISMATCH);
	assert_string_equal(error.text,
		"[keyword stop]: the model 'built' does not know this keyword, only go");
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
	const struct kws_model_set alone = {1, {model}};
	assert_int_equal(
		kws_pipeline_create(&pipeline, &alone, config, &sink, &error), KWS_EMISMATCH);
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
	const struct kws_model_set alone = {1, {model}};
	assert_int_equal(kws_pipeline_create(&rig.pipeline, &alone, config, &sink, NULL), 0);
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
		cmocka_unit_test(positions_stay_true_over_streams),
		cmocka_unit_test(enhancement_keeps_the_positions),
		cmocka_unit_test(open_starts_anew),
		cmocka_unit_test(open_enhances_anew),
		cmocka_unit_test(refuses_a_bad_format),
		cmocka_unit_test(listens_to_the_chosen_channel),
		cmocka_unit_test(tells_a_detection_with_its_place),
		cmocka_unit_test(exit_follows_delta),
		cmocka_unit_test(vad_lets_the_network_sleep),
		cmocka_unit_test(a_quiet_room_is_no_speech),
		cmocka_unit_test(windows_with_speech_are_answered),
		cmocka_unit_test(configure_changes_decisions_not_hops),
		cmocka_unit_test(check_names_the_unknown_keyword),
		cmocka_unit_test(refuses_a_model_of_another_window),
		cmocka_unit_test(runs_without_a_sink),
	};
	return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
