/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KWS_PIPELINE_DECIDER_H
#define KWS_PIPELINE_DECIDER_H

#include <stddef.h>
#include <stdint.h>

#include "bnn/model.h"
#include "common/error.h"
#include "config/config.h"
#include "exits/detector.h"
#include "exits/policy.h"

/* From the answers of a network's exits to detections, as a configuration has it: exit policy, then
 * detector. The pipeline asks a running network, tuning asks answers that it kept: the same answers
 * give the same decisions. */
struct kws_decider;

#define KWS_HOP_NONE SIZE_MAX /* no label: all posteriors are 0 */

/* One hop's decision. */
struct kws_hop {
	uint64_t hop;    /* counted from create, without a gap */
	uint64_t sample; /* end of the window: 16 kHz samples since create, lost ones included */
	size_t exit; /* 1-based; 0: the voice activity detector heard no speech, no exit was asked
		      */
	size_t exits;
	const char *policy; /* the rule that decided how deep to go, and why: static texts */
	enum kws_reason reason;
	float entropy;       /* nats, of the posteriors; NaN: see KWS_REASON_INVALID */
	float change;        /* as in struct kws_decision */
	size_t disagreement; /* the same */
	/* label with the largest posterior; KWS_HOP_NONE: the network gave no numbers, or was not
	 * asked and has no label for silence */
	size_t best;
	const float *posteriors; /* one for each label */
};

/* The name of the best label, NULL where there is none, and its posterior, 0 there. Thread: any.
 * RT-safe: yes. */
const char *kws_hop_label(const struct kws_hop *hop, const struct kws_model *model);
float kws_hop_score(const struct kws_hop *hop);

/* `model` must outlive it. Errors: KWS_ENOMEM, those of kws_resolve_policy(), with a sentence.
 * Thread: any; all calls on one decider must come from one thread. */
int kws_decider_create(struct kws_decider **out, const struct kws_model *model,
	const struct kws_config *config, struct kws_error *error);

/* Accepts NULL. */
void kws_decider_destroy(struct kws_decider *decider);

/* Takes [exits], [detector] and the keywords over, between two hops; exit settings that do not suit
 * the model are not taken. RT-safe: yes, like the ones below. */
void kws_decider_configure(struct kws_decider *decider, const struct kws_config *config);

/* Forgets the earlier hops: after a gap, when a stream begins. */
void kws_decider_reset(struct kws_decider *decider);

/* Forgets the times of rest, too: another stream, whose positions begin anew. */
void kws_decider_restart(struct kws_decider *decider);

/* Fills the rest of `hop`, whose hop and sample are set, from the exits that `logits` answers for;
 * NULL: there is no speech, so the answer is silence and no exit is asked. The posteriors are valid
 * until the next call. */
void kws_decider_decide(
	struct kws_decider *decider, kws_policy_logits_fn *logits, void *user, struct kws_hop *hop);

/* Takes the posteriors of the next hop in; returns how many events come of it, in *events, valid
 * until the next call. The level (kws_level_rms_dbfs(), kws_level_snr_db()) is told with them. */
size_t kws_decider_detect(struct kws_decider *decider, const struct kws_hop *hop, float rms_dbfs,
	float snr_db, const struct kws_detector_event **events);

#endif
