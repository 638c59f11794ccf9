/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/status.h"

#include <stdlib.h>

#include "ipc/text.h"

json_t *kws_status_audio(const struct kws_capture_status *capture, const char *source,
	uint64_t zero_periods, uint64_t suspends)
{
	static const char *const states[] = {
		[KWS_CAPTURE_STATE_OPENING] = "opening",
		[KWS_CAPTURE_STATE_RUNNING] = "running",
		[KWS_CAPTURE_STATE_CLOSING] = "closing",
		[KWS_CAPTURE_STATE_WAITING] = "waiting",
		[KWS_CAPTURE_STATE_ENDED] = "ended",
		[KWS_CAPTURE_STATE_FAILED] = "failed",
	};
	return json_pack("{s:s, s:s, s:o, s:i, s:i, s:I, s:I, s:I, s:I, s:i, s:I, s:I, s:o}",
		"source", source, "state", states[capture->state], "device",
		kws_text_json(capture->device), "rate_hz", (int)capture->format.rate_hz, "channels",
		(int)capture->format.channels, "frames", (json_int_t)capture->frames,
		"overrun_frames", (json_int_t)capture->overrun_frames, "gaps",
		(json_int_t)capture->gaps, "xruns", (json_int_t)capture->xruns, "reopens",
		(int)capture->reopens, "zero_periods", (json_int_t)zero_periods, "suspends",
		(json_int_t)suspends, "reason", kws_text_json(capture->reason));
}

json_t *kws_status_devices(struct kws_capture *capture)
{
	struct kws_device_list *devices = calloc(1, sizeof(*devices));
	json_t *list = devices != NULL ? json_array() : NULL;
	if (devices != NULL && capture != NULL) {
		kws_capture_devices(capture, devices);
	}
	for (size_t i = 0; list != NULL && i < devices->count; i++) {
		const struct kws_device *device = &devices->items[i];
		json_array_append_new(list,
			json_pack("{s:o, s:o, s:i, s:i, s:b}", "name", kws_text_json(device->name),
				"host_api", kws_text_json(device->host_api), "rate_hz",
				(int)device->default_rate_hz, "channels", (int)device->max_channels,
				"default", device->is_default));
	}
	free(devices);
	return list;
}

json_t *kws_status_level(const struct kws_level *level, const struct kws_mute *mute)
{
	if (level == NULL) {
		return json_pack("{s:n, s:n, s:b}", "rms_dbfs", "peak_dbfs", "muted", mute->on);
	}
	return json_pack("{s:f, s:f, s:b}", "rms_dbfs", (double)kws_level_rms_dbfs(level),
		"peak_dbfs", (double)kws_level_peak_dbfs(level), "muted", mute->on);
}

json_t *kws_status_mute(const struct kws_mute *mute, uint64_t now_ms)
{
	return json_pack("{s:b, s:f}", "on", mute->on, "left_s",
		(double)kws_mute_left_ms(mute, now_ms) / 1000.0);
}

json_t *kws_status_clips(const struct kws_clips_counts *counts)
{
	return json_pack("{s:I, s:I, s:I}", "saved", (json_int_t)counts->saved, "failed",
		(json_int_t)counts->failed, "removed", (json_int_t)counts->removed);
}

/* What some hops came to. */
struct work {
	const uint64_t *hops_at_exit; /* [exits + 1] */
	size_t exits;
	uint64_t detections;
	uint64_t rows;
	double binary_macs_per_hop;
	double float_macs_per_hop;
	uint64_t hop_ns_p50;
	uint64_t hop_ns_p99;
};

static json_t *work_json(const struct work *work)
{
	uint64_t asked = 0;
	uint64_t exits = 0;
	json_t *at_exit = json_array();
	for (size_t i = 0; i <= work->exits; i++) {
		asked += i > 0 ? work->hops_at_exit[i] : 0;
		exits += i * work->hops_at_exit[i];
		json_array_append_new(at_exit, json_integer((json_int_t)work->hops_at_exit[i]));
	}
	return json_pack("{s:f, s:o, s:I, s:I, s:f, s:f, s:f, s:f}", "mean_exit",
		asked > 0 ? (double)exits / (double)asked : 0.0, "hops_at_exit", at_exit,
		"detections", (json_int_t)work->detections, "rows", (json_int_t)work->rows,
		"binary_macs_per_hop", work->binary_macs_per_hop, "float_macs_per_hop",
		work->float_macs_per_hop, "hop_us_p50", (double)work->hop_ns_p50 / 1e3,
		"hop_us_p99", (double)work->hop_ns_p99 / 1e3);
}

/* Takes `more`, whose fields follow those of `object`; NULL of either gives NULL. */
static json_t *join(json_t *object, json_t *more)
{
	if (object == NULL || more == NULL || json_object_update(object, more) != 0) {
		json_decref(object);
		object = NULL;
	}
	json_decref(more);
	return object;
}

/* By their names how often the model's keywords were found. */
static json_t *keywords_json(const struct kws_model *model, const struct kws_counters *counters)
{
	json_t *detections = json_object();
	json_t *near_misses = json_object();
	for (size_t i = 0; i < kws_model_label_count(model); i++) {
		const char *name = kws_model_label(model, i);
		if (!kws_label_is_keyword(name)) {
			continue;
		}
		struct kws_counter counts = kws_counters_get(counters, kws_model_name(model), name);
		json_object_set_new(detections, name, json_integer((json_int_t)counts.detections));
		json_object_set_new(
			near_misses, name, json_integer((json_int_t)counts.near_misses));
	}
	return json_pack(
		"{s:o, s:o}", "keyword_detections", detections, "keyword_near_misses", near_misses);
}

/* One model; its part of the sums goes into `sum`. */
static json_t *spotter_json(
	const struct kws_spotter *spotter, const struct kws_counters *counters, struct work *sum)
{
	const struct kws_model *model = kws_spotter_model(spotter);
	struct kws_spotter_stats stats;
	kws_spotter_stats(spotter, &stats);
	double hops = stats.hops > 0 ? (double)stats.hops : 1.0;
	const struct work work = {
		.hops_at_exit = stats.hops_at_exit,
		.exits = kws_model_graph(model)->exit_count,
		.detections = stats.detections,
		.rows = stats.net.rows,
		.binary_macs_per_hop = (double)stats.net.binary_macs / hops,
		.float_macs_per_hop = (double)stats.net.float_macs / hops,
		.hop_ns_p50 = kws_spotter_hop_ns(spotter, 0.5),
		.hop_ns_p99 = kws_spotter_hop_ns(spotter, 0.99),
	};
	sum->exits = work.exits > sum->exits ? work.exits : sum->exits;
	sum->binary_macs_per_hop += work.binary_macs_per_hop;
	sum->float_macs_per_hop += work.float_macs_per_hop;
	json_t *name = json_pack(
		"{s:s, s:I}", "model", kws_model_name(model), "hops", (json_int_t)stats.hops);
	return join(join(name, work_json(&work)), keywords_json(model, counters));
}

static json_t *names_json(const struct kws_pipeline *pipeline)
{
	const struct kws_spotter *spotter;
	json_t *names = json_string("");
	for (size_t i = 0; names != NULL; i++) {
		spotter = kws_pipeline_spotter(pipeline, i);
		if (spotter == NULL) {
			break;
		}
		json_t *longer = json_sprintf("%s%s%s", json_string_value(names), i > 0 ? ", " : "",
			kws_model_name(kws_spotter_model(spotter)));
		json_decref(names);
		names = longer;
	}
	return names;
}

json_t *kws_status_network(const struct kws_pipeline *pipeline, const struct kws_counters *counters)
{
	const struct kws_spotter *spotter;
	struct kws_pipeline_stats stats;
	kws_pipeline_stats(pipeline, &stats);
	struct work sum = {
		.hops_at_exit = stats.hops_at_exit,
		.detections = stats.detections,
		.rows = stats.net.rows,
		.hop_ns_p50 = kws_pipeline_hop_ns(pipeline, 0.5),
		.hop_ns_p99 = kws_pipeline_hop_ns(pipeline, 0.99),
	};
	json_t *models = json_array();
	for (size_t i = 0; (spotter = kws_pipeline_spotter(pipeline, i)) != NULL; i++) {
		json_array_append_new(models, spotter_json(spotter, counters, &sum));
	}
	json_t *network = json_pack("{s:o, s:b, s:I, s:I}", "model", names_json(pipeline), "warm",
		stats.warm, "hops", (json_int_t)stats.hops, "gaps", (json_int_t)stats.gaps);
	return join(join(network, work_json(&sum)), json_pack("{s:o}", "models", models));
}
