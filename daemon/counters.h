/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KWS_DAEMON_COUNTERS_H
#define KWS_DAEMON_COUNTERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bnn/model.h"

/* How often each keyword of each model was found since the start. The pipeline counts anew where it
 * or a model is made anew, and whoever graphs a counter wants it to go on: a model that comes back
 * finds its counts. Thread: loop. RT-safe: yes. */

/* Keywords that were found; the one after them takes the place of the first. */
#define KWS_COUNTERS_MAX 256
#define KWS_COUNTERS_MODEL_SIZE 64 /* bytes of a model's name that count, with the NUL */

struct kws_counter {
	uint64_t detections;
	uint64_t near_misses;
};

/* All zero is empty. */
struct kws_counters {
	size_t found; /* keywords, forgotten ones too */
	struct {
		char model[KWS_COUNTERS_MODEL_SIZE];
		char keyword[KWS_LABEL_SIZE];
		struct kws_counter counts;
	} items[KWS_COUNTERS_MAX];
};

/* One more: a detection or else a near miss. */
void kws_counters_add(
	struct kws_counters *counters, const char *model, const char *keyword, bool detection);

/* Zeros for what was never found. */
struct kws_counter kws_counters_get(
	const struct kws_counters *counters, const char *model, const char *keyword);

#endif
