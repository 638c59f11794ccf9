/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KWS_IPC_EVENT_H
#define KWS_IPC_EVENT_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

/* What subscribers and `kws scan --json` see. docs/events.md describes every field for them. */
#define KWS_EVENT_VERSION 1

/* Topics. A detection's and a candidate's topic is the prefix and the keyword's name. */
#define KWS_TOPIC_DETECTION "kws.detection."
#define KWS_TOPIC_CANDIDATE "kws.candidate."
#define KWS_TOPIC_AUDIO "kws.audio."
#define KWS_TOPIC_STATE "kws.state"
#define KWS_TOPIC_LEVEL "kws.level"
#define KWS_TOPIC_SCORE "kws.score"

/* In every event: a double that is not finite becomes JSON null, and so does a text that is NULL.
 * A text that is not UTF-8 has its bytes above 127 replaced by '?'. */

/* A detection, or a candidate that stayed below the threshold. */
struct kws_detection_event {
	const char *name;     /* the keyword: never NULL */
	const char *phrase;   /* what is spoken */
	const char *model;    /* the model's name */
	double score;         /* smoothed posterior, 0..1 */
	double threshold;     /* the score that was asked, 0..1 */
	unsigned exit;        /* 1-based */
	unsigned exits;       /* how many the model has */
	double entropy;       /* nats, of the deciding exit */
	const char *policy;   /* the exit policy */
	const char *reason;   /* why it went so deep and no deeper */
	uint64_t hop;         /* counted from the start of the stream */
	uint64_t sample;      /* end of the window that decided, at 16 kHz */
	double audio_ms;      /* the same place in milliseconds */
	int64_t time_ms;      /* Unix time; negative: unknown (a file) */
	int64_t monotonic_ns; /* CLOCK_MONOTONIC; negative: unknown */
	double latency_ms;    /* from the last sample's capture to the event; negative: unknown */
	double rms_dbfs;
	double snr_db;
};

/* One hop's decision. */
struct kws_score_event {
	uint64_t hop;
	uint64_t sample;
	unsigned exit;
	unsigned exits;
	double entropy;
	const char *policy;
	const char *reason;
	double change;         /* from the policy's reference; NaN: there is none */
	unsigned disagreement; /* exits of this hop that named another label */
	const char *label;     /* the best one; NULL: there is none, all are 0 */
	double score;
	/* the deciding exit: `count` labels and their probabilities */
	const char *const *labels;
	const float *posteriors;
	size_t count;
	const char *model; /* the model's name */
};

struct kws_state_event {
	const char *state;  /* e.g. "listening" */
	const char *reason; /* a sentence */
	int64_t time_ms;
	int64_t monotonic_ns;
};

/* What the third frame of a kws.audio message holds: mono, 16 bits, little endian. The other fields
 * are those of the detection that it belongs to. */
struct kws_audio_event {
	uint64_t start_sample;
	uint64_t end_sample; /* of the last sample, plus one */
	unsigned rate_hz;
	const char *name; /* the keyword: never NULL */
	uint64_t hop;
	uint64_t sample;
	int64_t time_ms;
	int64_t monotonic_ns;
	const char *model;
};

/* Build the JSON object of an event with its fields in the documented order, starting with `v`.
 * Numbers are rounded: 4 decimals for scores and entropy, 3 for milliseconds, 1 for decibels.
 * `*out` belongs to the caller (json_decref). Errors: KWS_EINVAL (no name, no state), KWS_ENOMEM.
 * Thread: any. RT-safe: no, they allocate. */
int kws_event_detection(const struct kws_detection_event *event, json_t **out);
int kws_event_score(const struct kws_score_event *event, json_t **out);
int kws_event_audio(const struct kws_audio_event *event, json_t **out);
int kws_event_level(double rms_dbfs, double peak_dbfs, json_t **out);
int kws_event_state(const struct kws_state_event *event, json_t **out);

/* A copy of `event` with `seq` and `boot` after `v` and `site`, the room or device, at the end, as
 * a publisher sends it; an empty site is as NULL. `event` is borrowed, `*out` belongs to the
 * caller. Errors: KWS_ENOMEM. Thread: any. */
int kws_event_stamp(json_t *event, uint64_t seq, const char *boot, const char *site, json_t **out);

/* The event as one line of compact JSON without a newline: the text on the wire and of
 * `kws scan --json`. The caller frees it; NULL when out of memory. Thread: any. */
char *kws_event_dump(const json_t *event);

#endif
