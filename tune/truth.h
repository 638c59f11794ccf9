/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KWS_TUNE_TRUTH_H
#define KWS_TUNE_TRUTH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tune/recording.h"

/* What a detection is worth, given what is known to be spoken in a recording. */

/* A keyword counts as found up to so long after its end: the time in which it leaves the window,
 * rounded up. */
#define KWS_TRUTH_LATE_SAMPLES 16000

enum kws_verdict {
	KWS_VERDICT_FOUND,       /* the first detection of a keyword that is spoken here */
	KWS_VERDICT_WRONG,       /* another word is spoken here, or it was found already */
	KWS_VERDICT_FALSE_ALARM, /* nothing that is known of is spoken here */
};

/* What the answer to one window ought to be. */
#define KWS_TRUTH_BACKGROUND (-1) /* no keyword */
#define KWS_TRUTH_OPEN (-2)       /* a word is only partly in the window: anything */

/* Judges a detection of `label` at `sample`. `found` has one flag for each spoken word, all false
 * before the first detection; *spoken is the index of the word where the verdict is FOUND. Thread:
 * any. */
enum kws_verdict kws_truth_judge(const struct kws_recording *recording, bool *found, size_t label,
	uint64_t sample, size_t *spoken);

/* Whether a detection at `sample` would be a false alarm, whatever its label. Thread: any. */
bool kws_truth_is_background(const struct kws_recording *recording, uint64_t sample);

/* The label that the window that ends at `sample` ought to have, or one of the above. Thread: any.
 */
int kws_truth_of_window(const struct kws_recording *recording, uint64_t sample);

/* The half of the data in which the spoken word with this index counts. Thread: any. */
enum kws_half kws_truth_half(const struct kws_recording *recording, size_t index);

/* Fills in what the hops of a recording have of the truth, once all that is spoken is known. */
void kws_truth_mark(struct kws_recording *recording);

#endif
