/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KWS_TUNE_REPLAY_H
#define KWS_TUNE_REPLAY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "exits/detector.h"
#include "tune/corpus.h"
#include "tune/tally.h"

/* What the daemon would decide on a corpus with other settings, by the daemon's own policy and
 * detector (pipeline/decider.h), and what it would compute for that (bnn/account.h). */
struct kws_replay;

/* For [model].hop_frames of `config`, with its settings. `model` and `corpus` must outlive it.
 * Errors: those of kws_decider_create(), with a sentence. */
int kws_replay_create(struct kws_replay **out, const struct kws_model *model,
	const struct kws_corpus *corpus, const struct kws_config *config, struct kws_error *error);

/* Accepts NULL. */
void kws_replay_destroy(struct kws_replay *replay);

/* As kws_decider_configure(). */
void kws_replay_configure(struct kws_replay *replay, const struct kws_config *config);

/* The first half of the work: how deep each hop goes, and its posteriors, which the replay keeps.
 * Adds to the tallies of both halves of the data all but the keywords. With `search_only` the hops
 * to check on are left out, in detect as well. */
void kws_replay_decide(
	struct kws_replay *replay, bool search_only, struct kws_tally tallies[KWS_HALVES]);

/* A detection of a replay, in order. */
typedef void kws_replay_event_fn(
	void *user, const struct kws_recording *recording, const struct kws_detector_event *event);

/* The second half: what is detected in the hops that were decided last. May be done again with
 * other thresholds of keywords, where the policy does not look at those. Adds the keywords to the
 * tallies. `event` may be NULL. */
void kws_replay_detect(struct kws_replay *replay, struct kws_tally tallies[KWS_HALVES],
	kws_replay_event_fn *event, void *user);

#endif
