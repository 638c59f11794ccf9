/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KWS_TUNE_RECORDING_H
#define KWS_TUNE_RECORDING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bnn/model.h"
#include "common/error.h"
#include "config/config.h"

/* One audio stream as the network answers to it: the logits of every exit in every hop, computed
 * once. Policies and detectors with any settings can then be run over it without the network. */

/* What was computed with some settings must be judged on audio that did not choose them: each
 * stream has a half to choose by and a half to check on. */
enum kws_half {
	KWS_HALF_SEARCH,
	KWS_HALF_CHECK,
	KWS_HALVES,
};

#define KWS_SPOKEN_OTHER SIZE_MAX /* a label that is no keyword: what is heard in it is wrong */

/* A keyword, or another word, that is known to be spoken; positions at 16 kHz in the stream. */
struct kws_spoken {
	size_t label;
	uint64_t begin;
	uint64_t end;
};

struct kws_recorded_hop {
	uint64_t sample; /* the window's end */
	bool first;      /* no earlier window to go on from */
	bool speech;     /* see kws_front_end_window */
	bool background; /* see kws_truth_is_background() */
	int16_t truth;   /* see kws_truth_of_window() */
};

struct kws_recording {
	char *name;  /* the file's path */
	bool stream; /* audio as a daemon hears it; false: a clip between silences */
	struct kws_recorded_hop *hops;
	float *logits; /* [hop_count][exits][classes] */
	size_t hop_count;
	uint64_t samples;          /* at 16 kHz */
	struct kws_spoken *spoken; /* in the order of their begin */
	size_t spoken_count;
	uint64_t check_begin; /* from here on it is the half to check on */
};

/* The half that position `sample` belongs to. Thread: any. */
enum kws_half kws_recording_half(const struct kws_recording *recording, uint64_t sample);

/* Appends. The caller keeps them in order. Errors: KWS_ENOMEM. */
int kws_recording_add_spoken(struct kws_recording *recording, const struct kws_spoken *spoken);

/* A zeroed recording is fine. */
void kws_recording_finish(struct kws_recording *recording);

/* Bytes that an hour of audio takes. Thread: any. */
size_t kws_recording_bytes_per_hour(const struct kws_graph *graph, size_t hop_frames);

/* Makes one recording: the daemon's front end, then every exit of the network. */
struct kws_recorder;

/* `model` and `recording` (zeroed) must outlive it; of `config` [dsp] and [model].hop_frames count.
 * Errors: KWS_ENOMEM. Thread: any; all calls on one recorder must come from one thread. */
int kws_recorder_create(struct kws_recorder **out, const struct kws_model *model,
	const struct kws_config *config, struct kws_recording *recording);

/* Accepts NULL. The recording stays. */
void kws_recorder_destroy(struct kws_recorder *recorder);

/* As kws_pipeline_open(), kws_pipeline_push() and kws_pipeline_gap(); pushing may fail with
 * KWS_ENOMEM. */
int kws_recorder_open(struct kws_recorder *recorder, unsigned rate_hz, unsigned channels,
	unsigned channel, struct kws_error *error);
int kws_recorder_push(struct kws_recorder *recorder, const int16_t *frames, size_t count,
	struct kws_error *error);
void kws_recorder_gap(struct kws_recorder *recorder, uint64_t lost_frames);

#endif
