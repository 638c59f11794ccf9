/* SPDX-License-Identifier: Apache-2.0 */
#include "exits/detector.h"

#include <stdlib.h>
#include <string.h>

#include "common/error.h"

struct keyword {
	struct kws_detector_settings settings;
	float history[KWS_DETECTOR_HISTORY_MAX]; /* raw posteriors, a ring */
	float score;
	unsigned held; /* hops in a row at or above the threshold */
	bool fired;    /* since the score last fell: not armed */
	bool resting;  /* a detection was made at rest_begin */
	uint64_t rest_begin;
	bool near;       /* the score is above candidate_threshold */
	bool near_fired; /* and a detection came of it */
	struct kws_detector_event peak;
};

struct kws_detector {
	size_t labels;
	size_t next; /* in every history */
	struct keyword keywords[];
};

int kws_detector_create(struct kws_detector **out, size_t labels)
{
	struct kws_detector *detector =
		calloc(1, sizeof(*detector) + labels * sizeof(detector->keywords[0]));
	if (detector == NULL) {
		return KWS_ENOMEM;
	}
	detector->labels = labels;
	for (size_t i = 0; i < labels; i++) {
		kws_detector_configure(detector, i, &(struct kws_detector_settings){0});
	}
	*out = detector;
	return 0;
}

void kws_detector_destroy(struct kws_detector *detector)
{
	free(detector);
}

static unsigned clamp_hops(unsigned hops)
{
	if (hops < 1) {
		return 1;
	}
	return hops > KWS_DETECTOR_HISTORY_MAX ? KWS_DETECTOR_HISTORY_MAX : hops;
}

void kws_detector_configure(
	struct kws_detector *detector, size_t label, const struct kws_detector_settings *settings)
{
	struct keyword *keyword = &detector->keywords[label];
	if (keyword->settings.threshold != settings->threshold) {
		keyword->held = 0; /* hops above another threshold do not count for this one */
	}
	keyword->settings = *settings;
	keyword->settings.smoothing_hops = clamp_hops(settings->smoothing_hops);
	keyword->settings.patience_hops = clamp_hops(settings->patience_hops);
	if (!settings->enabled) {
		keyword->held = 0;
		keyword->near = false; /* a rise that nobody follows to its end */
		keyword->near_fired = false;
	}
}

/* Summed anew each time, in one order: no rounding error can build up over years. */
static float mean_posterior(const struct kws_detector *detector, const struct keyword *keyword)
{
	unsigned hops = keyword->settings.smoothing_hops;
	float sum = 0.0f;
	for (unsigned i = 1; i <= hops; i++) {
		size_t at =
			(detector->next + KWS_DETECTOR_HISTORY_MAX - i) % KWS_DETECTOR_HISTORY_MAX;
		sum += keyword->history[at];
	}
	return sum / (float)hops;
}

static bool is_resting(struct keyword *keyword, uint64_t sample)
{
	if (keyword->resting &&
		sample - keyword->rest_begin >= keyword->settings.refractory_samples) {
		keyword->resting = false;
	}
	return keyword->resting;
}

static bool update_detection(struct keyword *keyword, const struct kws_detector_moment *now)
{
	const struct kws_detector_settings *settings = &keyword->settings;
	/* the hops before an invalid one can hold the mean above the threshold */
	bool above = keyword->score >= settings->threshold && !now->invalid;
	keyword->held = above ? keyword->held + (keyword->held < settings->patience_hops) : 0;
	if (keyword->score < settings->rearm * settings->threshold) {
		keyword->fired = false;
	}
	bool resting = is_resting(keyword, now->sample);
	if (keyword->held < settings->patience_hops || keyword->fired || resting) {
		return false;
	}
	keyword->fired = true;
	keyword->near_fired = true;
	keyword->resting = settings->refractory_samples > 0;
	keyword->rest_begin = now->sample;
	return true;
}

/* Follows a rise over candidate_threshold to its end. Returns whether it ended as a near miss. */
static bool update_candidate(struct keyword *keyword, const struct kws_detector_event *now)
{
	float lowest = keyword->settings.candidate_threshold;
	if (lowest > 0.0f && keyword->score >= lowest) {
		bool higher = !keyword->near || keyword->score > keyword->peak.score;
		if (higher && now->at.invalid) {
			return false; /* the rise goes on, or begins with the next hop */
		}
		if (higher) {
			keyword->peak = *now;
		}
		/* what still sounds from the last detection is not a new near miss */
		keyword->near_fired = keyword->near_fired || keyword->fired;
		keyword->near = true;
		return false;
	}
	bool missed = keyword->near && !keyword->near_fired;
	keyword->near = false;
	keyword->near_fired = false;
	return missed;
}

size_t kws_detector_push(struct kws_detector *detector, const float *posteriors,
	const struct kws_detector_moment *now, struct kws_detector_event *events)
{
	size_t count = 0;
	for (size_t i = 0; i < detector->labels; i++) {
		detector->keywords[i].history[detector->next] = posteriors[i];
	}
	detector->next = (detector->next + 1) % KWS_DETECTOR_HISTORY_MAX;
	for (size_t i = 0; i < detector->labels; i++) {
		struct keyword *keyword = &detector->keywords[i];
		keyword->score = mean_posterior(detector, keyword);
		if (!keyword->settings.enabled) {
			continue;
		}
		struct kws_detector_event event = {KWS_DETECTOR_DETECTION, i, keyword->score,
			keyword->settings.threshold, *now};
		if (update_detection(keyword, now)) {
			events[count++] = event;
		}
		event.type = KWS_DETECTOR_CANDIDATE;
		if (update_candidate(keyword, &event)) {
			events[count++] = keyword->peak;
		}
	}
	return count;
}

void kws_detector_reset(struct kws_detector *detector)
{
	for (size_t i = 0; i < detector->labels; i++) {
		struct keyword *keyword = &detector->keywords[i];
		memset(keyword->history, 0, sizeof(keyword->history));
		keyword->score = 0.0f;
		keyword->held = 0;
		keyword->fired = false;
		keyword->near = false;
		keyword->near_fired = false;
	}
}

void kws_detector_restart(struct kws_detector *detector)
{
	kws_detector_reset(detector);
	for (size_t i = 0; i < detector->labels; i++) {
		detector->keywords[i].resting = false;
	}
}
