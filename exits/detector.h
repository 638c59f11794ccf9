/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KWS_EXITS_DETECTOR_H
#define KWS_EXITS_DETECTOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Posteriors to detections. For each keyword: the mean of the last hops' posteriors, a threshold
 * that it must hold for some hops, a time of rest after a detection, and no second detection before
 * the mean has fallen. The history holds raw posteriors only, never suppressed ones, so that
 * patience, rest and re-arming cannot starve each other. */

#define KWS_DETECTOR_HISTORY_MAX 100 /* hops */

struct kws_detector;

struct kws_detector_settings {
	bool enabled;            /* false for what is not a keyword */
	float threshold;         /* of the mean posterior, 0..1 */
	unsigned smoothing_hops; /* 1..KWS_DETECTOR_HISTORY_MAX */
	unsigned patience_hops;  /* hops in a row at or above the threshold, from 1 */
	uint64_t refractory_samples;
	float rearm;               /* armed again below rearm * threshold */
	float candidate_threshold; /* 0: no near misses */
};

enum kws_detector_event_type {
	KWS_DETECTOR_DETECTION,
	KWS_DETECTOR_CANDIDATE, /* a mean that rose over candidate_threshold and fell without a
				   detection; told when it has fallen, with the values of its
				   highest hop */
};

/* Where and how a hop's posteriors came about: what is told with an event of that hop. */
struct kws_detector_moment {
	uint64_t hop;
	uint64_t sample; /* the window's last, at 16 kHz */
	size_t exit;     /* 1-based; 0: none was asked */
	bool invalid;    /* the network gave no numbers: no event has its values from this hop */
	float entropy;
	const char *policy; /* static texts */
	const char *reason;
	float rms_dbfs;
	float snr_db;
};

struct kws_detector_event {
	enum kws_detector_event_type type;
	size_t label;
	float score; /* the mean posterior; hops before the first one count as 0 */
	float threshold;
	struct kws_detector_moment at;
};

/* For `labels` classes, all disabled. Errors: KWS_ENOMEM. */
int kws_detector_create(struct kws_detector **out, size_t labels);

/* Accepts NULL. */
void kws_detector_destroy(struct kws_detector *detector);

/* Changes one label's settings between two hops; its history stays. Values outside the ranges above
 * are brought inside. Thread: the owner's. RT-safe: yes, like the ones below. */
void kws_detector_configure(
	struct kws_detector *detector, size_t label, const struct kws_detector_settings *settings);

/* One hop: the posteriors of every label. Fills up to `labels` events (one per label) and returns
 * how many. Of `now` only the sample and `invalid` are looked at; the rest comes back with the
 * event. An invalid hop's posteriors count in the mean as any others do, and patience begins anew
 * after it. */
size_t kws_detector_push(struct kws_detector *detector, const float *posteriors,
	const struct kws_detector_moment *now, struct kws_detector_event *events);

/* Forgets the posteriors, as after a gap in the audio; the time of rest goes on. */
void kws_detector_reset(struct kws_detector *detector);

/* Forgets everything but the settings: what comes now has nothing to do with what was, not even its
 * positions. */
void kws_detector_restart(struct kws_detector *detector);

#endif
