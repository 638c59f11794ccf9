/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/status.h"

json_t *kws_status_audio(const struct kws_capture_status *capture, const char *source,
	uint64_t zero_periods, uint64_t suspends)
{
	static const char *const states[] = {
		[KWS_CAPTURE_STATE_OPENING] = "opening",
		[KWS_CAPTURE_STATE_RUNNING] = "running",
		[KWS_CAPTURE_STATE_WAITING] = "waiting",
		[KWS_CAPTURE_STATE_ENDED] = "ended",
		[KWS_CAPTURE_STATE_FAILED] = "failed",
	};
	return json_pack("{s:s, s:s, s:s, s:i, s:i, s:I, s:I, s:I, s:I, s:i, s:I, s:I, s:s}",
		"source", source, "state", states[capture->state], "device", capture->device,
		"rate_hz", (int)capture->format.rate_hz, "channels", (int)capture->format.channels,
		"frames", (json_int_t)capture->frames, "overrun_frames",
		(json_int_t)capture->overrun_frames, "gaps", (json_int_t)capture->gaps, "xruns",
		(json_int_t)capture->xruns, "reopens", (int)capture->reopens, "zero_periods",
		(json_int_t)zero_periods, "suspends", (json_int_t)suspends, "reason",
		capture->reason);
}

json_t *kws_status_devices(const struct kws_device_list *devices)
{
	json_t *list = json_array();
	for (size_t i = 0; i < devices->count; i++) {
		const struct kws_device *device = &devices->items[i];
		json_array_append_new(
			list, json_pack("{s:s, s:s, s:i, s:i, s:b}", "name", device->name,
				      "host_api", device->host_api, "rate_hz",
				      (int)device->default_rate_hz, "channels",
				      (int)device->max_channels, "default", device->is_default));
	}
	return list;
}

json_t *kws_status_level(const struct kws_level *level, const struct kws_mute *mute)
{
	return json_pack("{s:f, s:f, s:b}", "rms_dbfs", (double)kws_level_rms_dbfs(level),
		"peak_dbfs", (double)kws_level_peak_dbfs(level), "muted", mute->on);
}

json_t *kws_status_mute(const struct kws_mute *mute, uint64_t now_ms)
{
	bool ends = mute->on && mute->until_ms > now_ms;
	return json_pack("{s:b, s:f}", "on", mute->on, "left_s",
		ends ? (double)(mute->until_ms - now_ms) / 1000.0 : 0.0);
}

json_t *kws_status_clips(const struct kws_clips_counts *counts)
{
	return json_pack("{s:I, s:I, s:I}", "saved", (json_int_t)counts->saved, "failed",
		(json_int_t)counts->failed, "removed", (json_int_t)counts->removed);
}
