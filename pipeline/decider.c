/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline/decider.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "pipeline/resolve.h"

struct kws_decider {
	const struct kws_model *model;
	struct kws_policy *policy;
	const char *policy_name;
	struct kws_detector *detector;
	float *silence; /* the posteriors of a hop without speech: 0 but for its label's */
	size_t silence_label;
	struct kws_detector_event *events;
};

const char *kws_hop_label(const struct kws_hop *hop, const struct kws_model *model)
{
	return hop->best != KWS_HOP_NONE ? kws_model_label(model, hop->best) : NULL;
}

float kws_hop_score(const struct kws_hop *hop)
{
	return hop->best != KWS_HOP_NONE ? hop->posteriors[hop->best] : 0.0f;
}

static void find_silence(struct kws_decider *decider)
{
	decider->silence_label = KWS_HOP_NONE;
	for (size_t i = 0; i < kws_model_label_count(decider->model); i++) {
		if (strcmp(kws_model_label(decider->model, i), "_silence_") == 0) {
			decider->silence[i] = 1.0f;
			decider->silence_label = i;
		}
	}
}

static int allocate(struct kws_decider *decider)
{
	size_t labels = kws_model_label_count(decider->model);
	decider->silence = calloc(labels, sizeof(*decider->silence));
	decider->events = calloc(labels, sizeof(*decider->events));
	if (decider->silence == NULL || decider->events == NULL) {
		return KWS_ENOMEM;
	}
	find_silence(decider);
	size_t exits = kws_model_graph(decider->model)->exit_count;
	int result = kws_policy_create(&decider->policy, exits, labels);
	return result != 0 ? result : kws_detector_create(&decider->detector, labels);
}

int kws_decider_create(struct kws_decider **out, const struct kws_model *model,
	const struct kws_config *config, struct kws_error *error)
{
	struct kws_policy_settings policy;
	int result = kws_resolve_policy(&policy, model, config, error);
	if (result != 0) {
		return result;
	}
	struct kws_decider *decider = calloc(1, sizeof(*decider));
	if (decider == NULL) {
		return kws_fail(error, KWS_ENOMEM, "out of memory");
	}
	decider->model = model;
	result = allocate(decider);
	if (result != 0) {
		kws_decider_destroy(decider);
		return kws_fail(error, result, "%s", kws_strerror(result));
	}
	kws_decider_configure(decider, config);
	*out = decider;
	return 0;
}

void kws_decider_destroy(struct kws_decider *decider)
{
	if (decider == NULL) {
		return;
	}
	kws_policy_destroy(decider->policy);
	kws_detector_destroy(decider->detector);
	free(decider->silence);
	free(decider->events);
	free(decider);
}

void kws_decider_configure(struct kws_decider *decider, const struct kws_config *config)
{
	struct kws_policy_settings policy;
	if (kws_resolve_policy(&policy, decider->model, config, NULL) == 0) {
		kws_policy_configure(decider->policy, &policy);
		decider->policy_name = kws_policy_name(policy.policy);
	}
	for (size_t i = 0; i < kws_model_label_count(decider->model); i++) {
		struct kws_detector_settings settings =
			kws_resolve_detector(decider->model, config, i);
		kws_detector_configure(decider->detector, i, &settings);
	}
}

void kws_decider_reset(struct kws_decider *decider)
{
	kws_policy_reset(decider->policy);
	kws_detector_reset(decider->detector);
}

void kws_decider_restart(struct kws_decider *decider)
{
	kws_policy_reset(decider->policy);
	kws_detector_restart(decider->detector);
}

static void answer_silence(struct kws_decider *decider, struct kws_hop *hop)
{
	kws_policy_reset(decider->policy); /* what is heard next is another scene */
	hop->exit = 0;
	hop->reason = KWS_REASON_SILENCE;
	hop->entropy = 0.0f;
	hop->change = NAN;
	hop->disagreement = 0;
	hop->posteriors = decider->silence;
	hop->best = decider->silence_label;
}

void kws_decider_decide(
	struct kws_decider *decider, kws_policy_logits_fn *logits, void *user, struct kws_hop *hop)
{
	hop->exits = kws_model_graph(decider->model)->exit_count;
	hop->policy = decider->policy_name;
	if (logits == NULL) {
		answer_silence(decider, hop);
		return;
	}
	struct kws_decision decision;
	kws_policy_decide(decider->policy, hop->hop, logits, user, &decision);
	hop->exit = decision.exit + 1;
	hop->reason = decision.reason;
	hop->entropy = decision.entropy;
	hop->change = decision.change;
	hop->disagreement = decision.disagreement;
	hop->best = decision.reason != KWS_REASON_INVALID ? decision.label : KWS_HOP_NONE;
	hop->posteriors = decision.posteriors;
}

size_t kws_decider_detect(struct kws_decider *decider, const struct kws_hop *hop, float rms_dbfs,
	float snr_db, const struct kws_detector_event **events)
{
	const struct kws_detector_moment now = {
		.hop = hop->hop,
		.sample = hop->sample,
		.exit = hop->exit,
		.invalid = hop->reason == KWS_REASON_INVALID,
		.entropy = hop->entropy,
		.policy = hop->policy,
		.reason = kws_reason_name(hop->reason),
		.rms_dbfs = rms_dbfs,
		.snr_db = snr_db,
	};
	*events = decider->events;
	return kws_detector_push(decider->detector, hop->posteriors, &now, decider->events);
}
