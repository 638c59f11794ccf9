/* SPDX-License-Identifier: Apache-2.0 */
#include "tune/recording.h"

#include <stdlib.h>
#include <string.h>

#include "bnn/net.h"
#include "dsp/mel.h"
#include "pipeline/front-end.h"

#define HOPS_FIRST 64 /* room at first: a clip */
#define FRAMES_PER_HOUR 360000u

struct kws_recorder {
	const struct kws_graph *graph;
	struct kws_front_end *front;
	struct kws_net *net;
	struct kws_recording *recording;
	size_t capacity; /* of recording, in hops */
	bool failed;     /* out of memory within the callback */
};

enum kws_half kws_recording_half(const struct kws_recording *recording, uint64_t sample)
{
	return sample < recording->check_begin ? KWS_HALF_SEARCH : KWS_HALF_CHECK;
}

int kws_recording_add_spoken(struct kws_recording *recording, const struct kws_spoken *spoken)
{
	size_t count = recording->spoken_count;
	/* room for a power of two, so that the count alone says when there is none left */
	if ((count & (count - 1)) == 0) {
		size_t capacity = count == 0 ? 1 : 2 * count;
		void *grown = realloc(recording->spoken, capacity * sizeof(*recording->spoken));
		if (grown == NULL) {
			return KWS_ENOMEM;
		}
		recording->spoken = grown;
	}
	recording->spoken[recording->spoken_count++] = *spoken;
	return 0;
}

void kws_recording_finish(struct kws_recording *recording)
{
	free(recording->name);
	free(recording->hops);
	free(recording->logits);
	free(recording->spoken);
	memset(recording, 0, sizeof(*recording));
}

static size_t logits_per_hop(const struct kws_recorder *recorder)
{
	return recorder->graph->exit_count * recorder->graph->classes;
}

static bool make_room(struct kws_recorder *recorder)
{
	struct kws_recording *recording = recorder->recording;
	if (recording->hop_count < recorder->capacity) {
		return true;
	}
	size_t capacity = recorder->capacity == 0 ? HOPS_FIRST : recorder->capacity * 3 / 2;
	void *hops = realloc(recording->hops, capacity * sizeof(*recording->hops));
	recording->hops = hops != NULL ? hops : recording->hops;
	void *logits =
		realloc(recording->logits, capacity * logits_per_hop(recorder) * sizeof(float));
	recording->logits = logits != NULL ? logits : recording->logits;
	if (hops == NULL || logits == NULL) {
		return false;
	}
	recorder->capacity = capacity;
	return true;
}

/* A shrinking realloc() that fails leaves what there was. */
static void give_room_back(struct kws_recorder *recorder)
{
	struct kws_recording *recording = recorder->recording;
	size_t count = recording->hop_count;
	if (count == 0) {
		return;
	}
	void *hops = realloc(recording->hops, count * sizeof(*recording->hops));
	recording->hops = hops != NULL ? hops : recording->hops;
	void *logits = realloc(recording->logits, count * logits_per_hop(recorder) * sizeof(float));
	recording->logits = logits != NULL ? logits : recording->logits;
}

static void run_exits(const struct kws_recorder *recorder, float *logits)
{
	const struct kws_graph *graph = recorder->graph;
	for (size_t exit = 0; exit < graph->exit_count; exit++) {
		memcpy(logits + exit * graph->classes, kws_net_run_exit(recorder->net, exit),
			graph->classes * sizeof(*logits));
	}
}

static void take_window(void *user, const struct kws_front_end_window *window)
{
	struct kws_recorder *recorder = user;
	struct kws_recording *recording = recorder->recording;
	if (window->first) {
		kws_net_begin(recorder->net, window->frames);
	} else {
		kws_net_advance(recorder->net, window->frames);
	}
	if (recorder->failed || !make_room(recorder)) {
		recorder->failed = true;
		return;
	}
	size_t index = recording->hop_count++;
	recording->hops[index] = (struct kws_recorded_hop){
		.sample = window->sample, .first = window->first, .speech = window->speech};
	run_exits(recorder, recording->logits + index * logits_per_hop(recorder));
}

int kws_recorder_create(struct kws_recorder **out, const struct kws_model *model,
	const struct kws_config *config, struct kws_recording *recording)
{
	struct kws_recorder *recorder = calloc(1, sizeof(*recorder));
	if (recorder == NULL) {
		return KWS_ENOMEM;
	}
	const struct kws_front_end_sink sink = {take_window, recorder};
	recorder->recording = recording;
	recorder->graph = kws_model_graph(model);
	int result = kws_front_end_create(&recorder->front, config, &sink);
	if (result == 0) {
		result = kws_net_create(&recorder->net, model, (size_t)config->model.hop_frames);
	}
	if (result != 0) {
		kws_recorder_destroy(recorder);
		return result;
	}
	*out = recorder;
	return 0;
}

void kws_recorder_destroy(struct kws_recorder *recorder)
{
	if (recorder == NULL) {
		return;
	}
	give_room_back(recorder);
	kws_front_end_destroy(recorder->front);
	kws_net_destroy(recorder->net);
	free(recorder);
}

int kws_recorder_open(struct kws_recorder *recorder, unsigned rate_hz, unsigned channels,
	unsigned channel, struct kws_error *error)
{
	return kws_front_end_open(recorder->front, rate_hz, channels, channel, error);
}

int kws_recorder_push(
	struct kws_recorder *recorder, const int16_t *frames, size_t count, struct kws_error *error)
{
	kws_front_end_push(recorder->front, frames, count);
	recorder->recording->samples = kws_front_end_samples(recorder->front);
	return recorder->failed ? kws_fail(error, KWS_ENOMEM, "out of memory") : 0;
}

void kws_recorder_gap(struct kws_recorder *recorder, uint64_t lost_frames)
{
	kws_front_end_gap(recorder->front, lost_frames);
}

size_t kws_recording_bytes_per_hour(const struct kws_graph *graph, size_t hop_frames)
{
	return FRAMES_PER_HOUR / hop_frames *
	       (graph->exit_count * graph->classes * sizeof(float) +
		       sizeof(struct kws_recorded_hop));
}
