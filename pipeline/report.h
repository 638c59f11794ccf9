/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KWS_PIPELINE_REPORT_H
#define KWS_PIPELINE_REPORT_H

#include <jansson.h>

#include "ipc/event.h"
#include "pipeline/pipeline.h"

/* What the pipeline found, as events for subscribers: one place, so that kwsd and `kws scan` say
 * the same of the same audio. */

/* When it happened, where that is known (live audio); {-1, -1, -1} where it is not (a file). */
struct kws_report_clock {
	int64_t time_ms;
	int64_t monotonic_ns;
	double latency_ms;
};

/* A detection or a candidate as a JSON object without `seq`, `boot` and `site`; the caller owns
 * *out. Errors: KWS_ENOMEM. Thread: the pipeline's. */
int kws_report_detection(const struct kws_model *model, const struct kws_config *config,
	const struct kws_detector_event *event, const struct kws_report_clock *clock, json_t **out);

/* A hop as a kws.score object. Errors: KWS_ENOMEM. Thread: the pipeline's. */
int kws_report_score(const struct kws_model *model, const struct kws_hop *hop, json_t **out);

#endif
