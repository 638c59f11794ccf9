/* SPDX-License-Identifier: Apache-2.0 */
#include "tune/replay.h"

#include <stdlib.h>
#include <string.h>

#include "bnn/account.h"
#include "pipeline/decider.h"
#include "tune/truth.h"

struct kws_replay {
	const struct kws_model *model;
	const struct kws_corpus *corpus;
	struct kws_decider *decider;
	struct kws_net *net; /* never run: the account counts by it */
	struct kws_account *account;
	float *posteriors;  /* [hops of all recordings][classes] */
	size_t *decided;    /* hops of each recording that were decided last */
	bool *found;        /* [spoken words] of one recording */
	size_t most_spoken; /* in one recording */
};

/* One hop's kept answers, for the policy. */
struct answers {
	const float *logits; /* [exits][classes] */
	size_t classes;
	struct kws_account *account;
};

static int allocate(struct kws_replay *replay, size_t hop_frames)
{
	const struct kws_corpus *corpus = replay->corpus;
	size_t classes = kws_model_label_count(replay->model);
	size_t hops = 0;
	for (size_t i = 0; i < corpus->count; i++) {
		size_t spoken = corpus->recordings[i].spoken_count;
		hops += corpus->recordings[i].hop_count;
		replay->most_spoken = spoken > replay->most_spoken ? spoken : replay->most_spoken;
	}
	replay->posteriors = calloc(hops * classes + 1, sizeof(float));
	replay->decided = calloc(corpus->count + 1, sizeof(*replay->decided));
	replay->found = calloc(replay->most_spoken + 1, sizeof(*replay->found));
	if (replay->posteriors == NULL || replay->decided == NULL || replay->found == NULL) {
		return KWS_ENOMEM;
	}
	int result = kws_net_create(&replay->net, replay->model, hop_frames);
	return result != 0 ? result : kws_account_create(&replay->account, replay->net);
}

int kws_replay_create(struct kws_replay **out, const struct kws_model *model,
	const struct kws_corpus *corpus, const struct kws_config *config, struct kws_error *error)
{
	struct kws_replay *replay = calloc(1, sizeof(*replay));
	if (replay == NULL) {
		return kws_fail(error, KWS_ENOMEM, "out of memory");
	}
	replay->model = model;
	replay->corpus = corpus;
	int result = allocate(replay, (size_t)config->model.hop_frames);
	if (result != 0) {
		kws_fail(error, result, "%s", kws_strerror(result));
	} else {
		result = kws_decider_create(&replay->decider, model, config, error);
	}
	if (result != 0) {
		kws_replay_destroy(replay);
		return result;
	}
	*out = replay;
	return 0;
}

void kws_replay_destroy(struct kws_replay *replay)
{
	if (replay == NULL) {
		return;
	}
	kws_decider_destroy(replay->decider);
	kws_account_destroy(replay->account);
	kws_net_destroy(replay->net);
	free(replay->posteriors);
	free(replay->decided);
	free(replay->found);
	free(replay);
}

void kws_replay_configure(struct kws_replay *replay, const struct kws_config *config)
{
	kws_decider_configure(replay->decider, config);
}

static const float *answer(void *user, size_t exit)
{
	struct answers *answers = user;
	kws_account_run_exit(answers->account, exit);
	return answers->logits + exit * answers->classes;
}

/* To name nothing is right where no keyword is. */
static void tally_window(struct kws_tally *tally, const struct kws_model *model, int truth,
	const struct kws_hop *hop)
{
	const char *label = kws_hop_label(hop, model);
	if (truth >= 0) {
		tally->keyword_windows++;
		tally->keyword_windows_right += hop->best == (size_t)truth;
	} else if (truth == KWS_TRUTH_BACKGROUND) {
		tally->background_windows++;
		tally->background_windows_right += label == NULL || !kws_label_is_keyword(label);
	}
}

static void add_computed(struct kws_net_stats *sum, const struct kws_net_stats *before,
	const struct kws_net_stats *after)
{
	sum->rows += after->rows - before->rows;
	sum->binary_macs += after->binary_macs - before->binary_macs;
	sum->float_macs += after->float_macs - before->float_macs;
}

static void decide_hop(struct kws_replay *replay, const struct kws_recording *recording,
	size_t index, float *posteriors, struct kws_tally tallies[KWS_HALVES])
{
	const struct kws_recorded_hop *recorded = &recording->hops[index];
	const struct kws_graph *graph = kws_model_graph(replay->model);
	struct answers answers = {
		recording->logits + index * graph->exit_count * graph->classes,
		graph->classes,
		replay->account,
	};
	enum kws_half half = kws_recording_half(recording, recorded->sample);
	struct kws_tally *tally = &tallies[half];
	struct kws_hop hop = {.hop = index, .sample = recorded->sample};
	struct kws_net_stats before = kws_account_stats(replay->account);
	if (recorded->first) {
		kws_account_begin(replay->account);
		kws_decider_reset(replay->decider);
	} else {
		kws_account_advance(replay->account);
	}
	kws_decider_decide(replay->decider, recorded->speech ? answer : NULL, &answers, &hop);
	memcpy(posteriors, hop.posteriors, graph->classes * sizeof(*posteriors));
	tally_window(tally, replay->model, recorded->truth, &hop);
	if (recording->stream || !replay->corpus->has_streams[half]) {
		struct kws_net_stats after = kws_account_stats(replay->account);
		add_computed(&tally->computed, &before, &after);
		tally->hops++;
		tally->hops_at_exit[hop.exit]++;
		/* the silence around a clip is no audio that could show how rare alarms are */
		tally->background_hops += recording->stream && recorded->background;
	}
}

void kws_replay_decide(
	struct kws_replay *replay, bool search_only, struct kws_tally tallies[KWS_HALVES])
{
	size_t classes = kws_model_label_count(replay->model);
	float *posteriors = replay->posteriors;
	for (size_t r = 0; r < replay->corpus->count; r++) {
		const struct kws_recording *recording = &replay->corpus->recordings[r];
		size_t i = 0;
		for (; i < recording->hop_count; i++) {
			if (search_only && kws_recording_half(recording,
						   recording->hops[i].sample) == KWS_HALF_CHECK) {
				break; /* and so is all that follows */
			}
			decide_hop(replay, recording, i, posteriors + i * classes, tallies);
		}
		replay->decided[r] = i;
		posteriors += recording->hop_count * classes;
	}
}

static void tally_event(struct kws_replay *replay, const struct kws_recording *recording,
	const struct kws_detector_event *event, struct kws_tally tallies[KWS_HALVES])
{
	size_t spoken;
	enum kws_verdict verdict =
		kws_truth_judge(recording, replay->found, event->label, event->at.sample, &spoken);
	enum kws_half half = kws_recording_half(recording, event->at.sample);
	switch (verdict) {
	case KWS_VERDICT_FOUND: /* counts where the word was said */
		half = kws_truth_half(recording, spoken);
		tallies[half].keywords[event->label].found++;
		break;
	case KWS_VERDICT_WRONG:
		tallies[half].keywords[event->label].wrong++;
		break;
	case KWS_VERDICT_FALSE_ALARM:
		tallies[half].keywords[event->label].false_alarms++;
		break;
	}
}

static void tally_spoken(
	const struct kws_recording *recording, struct kws_tally tallies[KWS_HALVES])
{
	for (size_t i = 0; i < recording->spoken_count; i++) {
		size_t label = recording->spoken[i].label;
		if (label != KWS_SPOKEN_OTHER) {
			tallies[kws_truth_half(recording, i)].keywords[label].spoken++;
		}
	}
}

static void detect_recording(struct kws_replay *replay, size_t index, const float *posteriors,
	struct kws_tally tallies[KWS_HALVES], kws_replay_event_fn *event, void *user)
{
	const struct kws_recording *recording = &replay->corpus->recordings[index];
	size_t classes = kws_model_label_count(replay->model);
	memset(replay->found, 0, replay->most_spoken * sizeof(*replay->found));
	kws_decider_restart(replay->decider);
	for (size_t i = 0; i < replay->decided[index]; i++) {
		const struct kws_hop hop = {
			.hop = i,
			.sample = recording->hops[i].sample,
			.posteriors = posteriors + i * classes,
		};
		if (recording->hops[i].first) {
			kws_decider_reset(replay->decider);
		}
		const struct kws_detector_event *events;
		size_t count = kws_decider_detect(replay->decider, &hop, 0.0f, 0.0f, &events);
		for (size_t k = 0; k < count; k++) {
			if (events[k].type == KWS_DETECTOR_DETECTION) {
				tally_event(replay, recording, &events[k], tallies);
				if (event != NULL) {
					event(user, recording, &events[k]);
				}
			}
		}
	}
	tally_spoken(recording, tallies);
}

void kws_replay_detect(struct kws_replay *replay, struct kws_tally tallies[KWS_HALVES],
	kws_replay_event_fn *event, void *user)
{
	size_t classes = kws_model_label_count(replay->model);
	const float *posteriors = replay->posteriors;
	for (size_t r = 0; r < replay->corpus->count; r++) {
		detect_recording(replay, r, posteriors, tallies, event, user);
		posteriors += replay->corpus->recordings[r].hop_count * classes;
	}
}
