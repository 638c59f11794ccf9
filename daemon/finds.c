/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/finds.h"

#include <stdbool.h>
#include <stdio.h>

#include "common/clock.h"
#include "daemon/log.h"
#include "daemon/news.h"
#include "ipc/event.h"
#include "pipeline/report.h"

int kws_finds_init(struct kws_finds *finds, uv_loop_t *loop, struct kws_publisher *publisher,
	void (*failed)(void *user, const char *reason), void *user)
{
	finds->publisher = publisher;
	return kws_recorder_create(&finds->recorder, loop, publisher, failed, user);
}

void kws_finds_finish(struct kws_finds *finds)
{
	kws_recorder_destroy(finds->recorder);
}

static void log_detection(const struct kws_model *model, const struct kws_detector_event *found)
{
	kws_log_info("%s: score %.3f, exit %zu of %zu (%s), entropy %.3f",
		kws_model_label(model, found->label), (double)found->score, found->at.exit,
		kws_model_graph(model)->exit_count, found->at.reason, (double)found->at.entropy);
}

void kws_finds_take(struct kws_finds *finds, const struct kws_config *config,
	const struct kws_pipeline *pipeline, const struct kws_model *model,
	const struct kws_detector_event *found, uint64_t arrival_ns)
{
	bool detection = found->type == KWS_DETECTOR_DETECTION;
	const char *name = kws_model_label(model, found->label);
	int64_t now_ns = kws_clock_ns(CLOCK_MONOTONIC);
	struct kws_report_clock clock = {
		.time_ms = kws_clock_ns(CLOCK_REALTIME) / 1000000,
		.monotonic_ns = now_ns,
		.latency_ms = (double)(now_ns - (int64_t)arrival_ns) / 1e6,
	};
	char topic[sizeof(KWS_TOPIC_CANDIDATE) + KWS_KEYWORD_NAME_SIZE];
	snprintf(topic, sizeof(topic), "%s%s",
		detection ? KWS_TOPIC_DETECTION : KWS_TOPIC_CANDIDATE, name);
	json_t *event = NULL;
	kws_report_detection(model, config, found, &clock, &event);
	const struct kws_recorder_find find = {model, found, &clock, topic, event};
	int result = kws_recorder_take(finds->recorder, config, pipeline, &find);
	if (result != 0) {
		kws_log_warning("cannot publish the audio of %s: %s", name, kws_strerror(result));
	}
	kws_news_send(finds->publisher, topic, event);
	kws_counters_add(&finds->counters, kws_model_name(model), name, detection);
	if (detection) {
		log_detection(model, found);
	}
}
