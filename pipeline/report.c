/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline/report.h"

#include "dsp/mel.h"

int kws_report_detection(const struct kws_model *model, const struct kws_config *config,
	const struct kws_detector_event *event, const struct kws_report_clock *clock, json_t **out)
{
	const char *name = kws_model_label(model, event->label);
	struct kws_keyword_config keyword = kws_config_keyword(config, name);
	struct kws_detection_event detection = {
		.name = name,
		.phrase = keyword.phrase,
		.model = kws_model_name(model),
		.score = (double)event->score,
		.threshold = (double)event->threshold,
		.exit = (unsigned)event->at.exit,
		.exits = (unsigned)kws_model_graph(model)->exit_count,
		.entropy = (double)event->at.entropy,
		.policy = event->at.policy,
		.reason = event->at.reason,
		.hop = event->at.hop,
		.sample = event->at.sample,
		.audio_ms = (double)event->at.sample * 1000.0 / KWS_SAMPLE_RATE_HZ,
		.time_ms = clock->time_ms,
		.monotonic_ns = clock->monotonic_ns,
		.latency_ms = clock->latency_ms,
		.rms_dbfs = (double)event->at.rms_dbfs,
		.snr_db = (double)event->at.snr_db,
	};
	return kws_event_detection(&detection, out);
}

int kws_report_score(const struct kws_model *model, const struct kws_hop *hop, json_t **out)
{
	const char *labels[KWS_CLASSES_MAX];
	size_t count = kws_model_label_count(model);
	for (size_t i = 0; i < count; i++) {
		labels[i] = kws_model_label(model, i);
	}
	struct kws_score_event score = {
		.hop = hop->hop,
		.sample = hop->sample,
		.exit = (unsigned)hop->exit,
		.exits = (unsigned)hop->exits,
		.entropy = (double)hop->entropy,
		.policy = hop->policy,
		.reason = kws_reason_name(hop->reason),
		.change = (double)hop->change,
		.disagreement = (unsigned)hop->disagreement,
		.label = kws_hop_label(hop, model),
		.score = (double)kws_hop_score(hop),
		.labels = labels,
		.posteriors = hop->posteriors,
		.count = count,
		.model = kws_model_name(model),
	};
	return kws_event_score(&score, out);
}
