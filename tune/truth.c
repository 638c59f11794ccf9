/* SPDX-License-Identifier: Apache-2.0 */
#include "tune/truth.h"

#include "dsp/mel.h"

/* A window that ends so near to the end of a word has all of it that matters. */
#define EDGE_SAMPLES (4 * KWS_HOP_SAMPLES)

/* The first spoken word that begins after `sample`: none from there on can be heard yet. */
static size_t first_after(const struct kws_recording *recording, uint64_t sample)
{
	size_t low = 0;
	size_t high = recording->spoken_count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (recording->spoken[middle].begin > sample) {
			high = middle;
		} else {
			low = middle + 1;
		}
	}
	return low;
}

static bool is_heard(const struct kws_spoken *spoken, uint64_t sample)
{
	return spoken->begin <= sample && sample <= spoken->end + KWS_TRUTH_LATE_SAMPLES;
}

enum kws_verdict kws_truth_judge(const struct kws_recording *recording, bool *found, size_t label,
	uint64_t sample, size_t *spoken)
{
	enum kws_verdict verdict = KWS_VERDICT_FALSE_ALARM;
	size_t count = first_after(recording, sample);
	/* the earliest of several: an utterance is told before the next one is */
	for (size_t i = 0; i < count; i++) {
		const struct kws_spoken *word = &recording->spoken[i];
		if (!is_heard(word, sample)) {
			continue;
		}
		if (word->label == label && !found[i]) {
			found[i] = true;
			*spoken = i;
			return KWS_VERDICT_FOUND;
		}
		verdict = KWS_VERDICT_WRONG;
	}
	return verdict;
}

bool kws_truth_is_background(const struct kws_recording *recording, uint64_t sample)
{
	size_t count = first_after(recording, sample);
	for (size_t i = 0; i < count; i++) {
		if (is_heard(&recording->spoken[i], sample)) {
			return false;
		}
	}
	return true;
}

static bool has_whole(const struct kws_spoken *spoken, uint64_t begin, uint64_t end)
{
	bool longer = spoken->end - spoken->begin + EDGE_SAMPLES > KWS_WINDOW_SAMPLES;
	bool begins = spoken->begin >= begin;
	if (longer) { /* than the window: it must end with the word */
		begins = end <= spoken->end + EDGE_SAMPLES;
	}
	return begins && end + EDGE_SAMPLES >= spoken->end;
}

int kws_truth_of_window(const struct kws_recording *recording, uint64_t sample)
{
	uint64_t begin = sample >= KWS_WINDOW_SAMPLES ? sample - KWS_WINDOW_SAMPLES : 0;
	int truth = KWS_TRUTH_BACKGROUND;
	size_t count = first_after(recording, sample);
	for (size_t i = 0; i < count; i++) {
		const struct kws_spoken *spoken = &recording->spoken[i];
		if (spoken->end < begin) {
			continue;
		}
		if (truth != KWS_TRUTH_BACKGROUND || !has_whole(spoken, begin, sample)) {
			return KWS_TRUTH_OPEN;
		}
		truth = spoken->label == KWS_SPOKEN_OTHER ? KWS_TRUTH_BACKGROUND
							  : (int)spoken->label;
	}
	return truth;
}

enum kws_half kws_truth_half(const struct kws_recording *recording, size_t index)
{
	return kws_recording_half(recording, recording->spoken[index].begin);
}

void kws_truth_mark(struct kws_recording *recording)
{
	for (size_t i = 0; i < recording->hop_count; i++) {
		struct kws_recorded_hop *hop = &recording->hops[i];
		hop->background = kws_truth_is_background(recording, hop->sample);
		hop->truth = (int16_t)kws_truth_of_window(recording, hop->sample);
	}
}
