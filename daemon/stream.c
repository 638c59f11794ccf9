/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/stream.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "audio/zeros.h"
#include "common/clock.h"
#include "daemon/changes.h"
#include "daemon/finds.h"
#include "daemon/intake.h"
#include "daemon/log.h"
#include "daemon/mute.h"
#include "daemon/network.h"
#include "daemon/news.h"
#include "daemon/pause.h"
#include "daemon/recorder.h"
#include "daemon/sleep.h"
#include "daemon/state.h"
#include "daemon/status.h"
#include "ipc/text.h"
#include "pipeline/input.h"
#include "pipeline/report.h"

#define READ_SAMPLES 8192
/* Reads of one turn of the loop; then its other handles come first. A file at full speed would hold
 * the loop for ever otherwise. */
#define READS_PER_TURN 16
#define RETRY_MS 1000 /* of a stream for which there was no memory */

struct kws_stream {
	const struct kws_config *config;
	struct kws_publisher *publisher;
	void (*ended)(void *user, enum kws_stream_end end);
	void *user;
	struct kws_intake intake;
	struct kws_network network;
	struct kws_audio_format format;     /* of the open stream; rate 0: none is open */
	struct kws_capture_event postponed; /* OPENED, of a stream that is to be tried again */
	uint64_t postponed_until_ms;
	bool over;
	bool failed; /* it is over for that */
	bool proven; /* was open or changed while running: no failure ends the daemon now */
	struct kws_state state;
	struct kws_mute mute;
	struct kws_zeros zeros;
	struct kws_pause pause;
	struct kws_sleep sleep;
	uint64_t excuses;    /* see struct kws_progress */
	uint64_t arrival_ns; /* of the frames in work */
	uint64_t level_due_ms;
	struct kws_finds finds;
	int16_t samples[READ_SAMPLES];
};

static uint64_t now_ms(void)
{
	return kws_clock_ms(CLOCK_MONOTONIC);
}

static void on_hop(void *user, const struct kws_model *model, const struct kws_hop *hop)
{
	struct kws_stream *stream = user;
	json_t *event = NULL;
	if (stream->config->ipc.scores) {
		kws_report_score(model, hop, &event);
		kws_news_send(stream->publisher, KWS_TOPIC_SCORE, event);
	}
}

static void on_event(
	void *user, const struct kws_model *model, const struct kws_detector_event *found)
{
	struct kws_stream *stream = user;
	kws_finds_take(&stream->finds, stream->config, stream->network.pipeline, model, found,
		stream->arrival_ns);
}

static void end(struct kws_stream *stream, enum kws_stream_end how)
{
	stream->over = true;
	stream->failed = how == KWS_STREAM_FAILED;
	stream->ended(stream->user, how);
}

/* The stream that is open, or waits for memory, is none any more. What was thrown away of it is
 * counted at its own rate. */
static void leave(struct kws_stream *stream)
{
	if (stream->format.rate_hz != 0 && stream->mute.on) {
		kws_pipeline_skip(stream->network.pipeline, stream->mute.frames);
	}
	stream->mute.frames = 0;
	stream->format.rate_hz = 0;
	stream->postponed.type = KWS_CAPTURE_NONE;
}

/* There will be no audio as things are. At the start that ends the daemon; later it stays, so that
 * its owner can mend the settings. */
static void fail(struct kws_stream *stream, const char *reason)
{
	leave(stream);
	kws_log_error("no audio: %s", reason);
	kws_state_enter(&stream->state, "failed", reason);
	if (!stream->proven) {
		end(stream, KWS_STREAM_FAILED);
	}
}

/* The source runs on, so nobody else would try again. */
static void postpone(
	struct kws_stream *stream, const struct kws_capture_event *event, const char *reason)
{
	stream->postponed = *event;
	stream->postponed_until_ms = now_ms() + RETRY_MS;
	kws_log_warning("no audio: %s; trying again in %d ms", reason, RETRY_MS);
	kws_state_enter(&stream->state, "lost", reason);
}

static void take_opened(struct kws_stream *stream, const struct kws_capture_event *event)
{
	struct kws_error error;
	leave(stream);
	int result = kws_pipeline_open(stream->network.pipeline, event->format.rate_hz,
		event->format.channels, (unsigned)stream->config->audio.channel, &error);
	if (result == KWS_ENOMEM) {
		postpone(stream, event, error.text);
		return;
	}
	if (result != 0) {
		fail(stream, error.text);
		return;
	}
	stream->format = event->format;
	stream->proven = true;
	kws_pause_restart(&stream->pause, now_ms());
	kws_zeros_restart(&stream->zeros);
	kws_log_info("listening to '%s' at %u Hz, %u channel(s)", event->device,
		event->format.rate_hz, event->format.channels);
	kws_state_enter(&stream->state, "listening", event->device);
}

static void retry_postponed(struct kws_stream *stream)
{
	if (stream->postponed.type == KWS_CAPTURE_OPENED &&
		now_ms() >= stream->postponed_until_ms) {
		const struct kws_capture_event event = stream->postponed;
		take_opened(stream, &event);
	}
}

static void take_loss(struct kws_stream *stream, const struct kws_capture_event *event)
{
	if (event->final) {
		fail(stream, event->reason);
		return;
	}
	leave(stream);
	kws_log_warning("no audio: %s; trying again in %u ms", event->reason, event->retry_ms);
	kws_state_enter(&stream->state, "lost", event->reason);
}

static void take_event(struct kws_stream *stream, const struct kws_capture_event *event)
{
	switch (event->type) {
	case KWS_CAPTURE_OPENED:
		take_opened(stream, event);
		break;
	case KWS_CAPTURE_GAP:
		if (stream->format.rate_hz == 0) {
			break;
		}
		kws_log_warning("a gap in the audio: %llu frames lost",
			(unsigned long long)event->lost_frames);
		stream->excuses++;
		kws_pipeline_gap(stream->network.pipeline, event->lost_frames);
		kws_state_pass(&stream->state, "gap", "audio was lost; waiting for a whole window");
		break;
	case KWS_CAPTURE_LOST:
	case KWS_CAPTURE_FAILED:
		take_loss(stream, event);
		break;
	case KWS_CAPTURE_ENDED:
		kws_log_info("the input has ended: %s", event->reason);
		kws_state_enter(&stream->state, "ended", event->reason);
		end(stream, KWS_STREAM_ENDED);
		break;
	case KWS_CAPTURE_NONE:
		break;
	}
}

/* Only zeros come, or a signal again. */
static void watch_zeros(struct kws_stream *stream, size_t frames)
{
	uint64_t limit = (uint64_t)stream->config->audio.zeros_ms * stream->format.rate_hz / 1000;
	bool none = stream->config->audio.source == KWS_CONFIG_SOURCE_NULL;
	enum kws_zeros_change change = kws_zeros_push(&stream->zeros, stream->samples, frames,
		stream->format.channels, (unsigned)stream->config->audio.channel, none ? 0 : limit);
	if (change == KWS_ZEROS_BEGAN) {
		kws_log_warning("nothing but zeros is heard: is the source switched off?");
		kws_state_enter(&stream->state, "silent", "nothing but zeros is heard");
	} else if (change == KWS_ZEROS_ENDED) {
		kws_log_info("a signal is heard again");
		kws_state_enter(&stream->state, "listening", "a signal is heard again");
	}
}

static void on_wake(void *user)
{
	struct kws_stream *stream = user;
	for (int i = 0; i < READS_PER_TURN && !stream->over; i++) {
		struct kws_capture_event event;
		size_t frames = kws_capture_read(
			stream->intake.capture, stream->samples, READ_SAMPLES, &event);
		if (frames > 0 && stream->format.rate_hz == 0) {
			stream->excuses++; /* of a stream that the pipeline cannot take */
			continue;
		}
		if (frames > 0 && stream->mute.on) {
			stream->mute.frames += frames;
		} else if (frames > 0) {
			watch_zeros(stream, frames);
			stream->arrival_ns = kws_capture_arrival_ns(stream->intake.capture);
			kws_pipeline_push(stream->network.pipeline, stream->samples, frames);
		} else if (event.type == KWS_CAPTURE_NONE) {
			return;
		} else {
			take_event(stream, &event);
		}
	}
	if (!stream->over) {
		kws_wake_send(&stream->intake.wake); /* more may be there */
	}
}

/* The open device, if it is kept, must have the configured channel, be it one that is not open: all
 * channels up to it are opened then. */
static int check_channel(
	struct kws_stream *stream, const struct kws_config *config, struct kws_error *error)
{
	struct kws_capture_status capture;
	if (stream->format.rate_hz == 0 || !kws_input_is_same(stream->config, config)) {
		return 0;
	}
	kws_intake_status(&stream->intake, &capture);
	if ((unsigned)config->audio.channel > capture.max_channels) {
		return kws_fail(error, KWS_EINVAL,
			"[audio].channel: there is no %d, the device has %u", config->audio.channel,
			capture.max_channels);
	}
	return 0;
}

static int start_capture(struct kws_stream *stream, struct kws_error *error)
{
	struct kws_source_config source = kws_input_source(stream->config);
	int result = kws_intake_open(&stream->intake, &source);
	if (result == 0) {
		return 0;
	}
	return kws_fail(error, result, "cannot use the audio source '%s': %s", source.type,
		kws_strerror(result));
}

static void on_emptied(void *user)
{
	struct kws_stream *stream = user;
	struct kws_error error;
	if (start_capture(stream, &error) != 0) {
		/* only without memory or threads: what is wrong in the settings was seen before */
		kws_log_error("%s", error.text);
		end(stream, KWS_STREAM_FAILED);
	}
}

static void tell_fault(struct kws_stream *stream, const char *what, const char *reason)
{
	char text[300];
	snprintf(text, sizeof(text), "%s: %s", what, reason);
	kws_log_warning("%s", text);
	kws_state_pass(&stream->state, "fault", text);
}

static void on_clip_failed(void *user, const char *reason)
{
	tell_fault(user, "cannot save a clip", reason);
}

/* No reason not to listen: a folder that is there later gets its clips. */
static void look_at_folder(struct kws_stream *stream)
{
	struct kws_error error;
	if (kws_recorder_check(stream->config, &error) != 0) {
		tell_fault(stream, "no clips for now", error.text);
	}
}

static void warn_if(int result, const struct kws_error *error)
{
	if (result != 0) { /* a place of its own, which other warnings do not use up */
		kws_log_warning("mute: %s", error->text);
	}
}

static void tell_mute(struct kws_stream *stream, uint64_t now, const char *more)
{
	char reason[KWS_MUTE_TEXT_BYTES + 32];
	kws_mute_describe(&stream->mute, now, reason);
	strcat(reason, more);
	kws_log_info("muted %s", reason);
	kws_state_mute(&stream->state, reason);
}

static void restore_mute(struct kws_stream *stream)
{
	struct kws_error error;
	uint64_t now = kws_clock_ms(CLOCK_BOOTTIME);
	warn_if(kws_mute_restore(&stream->mute, now, &error), &error);
	if (stream->mute.on) {
		tell_mute(stream, now, ", as when kwsd died");
	}
}

int kws_stream_check(const struct kws_config *config, struct kws_error *error)
{
	const struct kws_pipeline_sink nobody = {0};
	struct kws_network network = {0};
	int result = kws_input_check(config, error);
	if (result == 0) {
		result = kws_network_init(&network, config, &nobody, error);
	}
	kws_network_finish(&network);
	return result;
}

int kws_stream_create(struct kws_stream **out, uv_loop_t *loop, const struct kws_config *config,
	struct kws_publisher *publisher, void (*ended)(void *user, enum kws_stream_end end),
	void *user, struct kws_error *error)
{
	struct kws_stream *stream = calloc(1, sizeof(*stream));
	if (stream == NULL) {
		return kws_fail(error, KWS_ENOMEM, "out of memory");
	}
	stream->config = config;
	kws_publisher_set_site(publisher, config->ipc.site);
	stream->publisher = publisher;
	stream->ended = ended;
	stream->user = user;
	kws_state_init(&stream->state, publisher);
	kws_sleep_init(&stream->sleep);
	struct kws_pipeline_sink sink = {on_hop, on_event, stream};
	int result = kws_input_check(config, error);
	if (result == 0) {
		result = kws_mute_init(&stream->mute, error);
	}
	if (result == 0) {
		result = kws_network_init(&stream->network, config, &sink, error);
	}
	if (result != 0) {
		free(stream);
		return result;
	}
	if (kws_intake_init(&stream->intake, loop, on_wake, on_emptied, stream) != 0) {
		kws_network_finish(&stream->network);
		free(stream);
		return kws_fail(error, KWS_EIO, "cannot watch for audio: no descriptor left");
	}
	if (kws_finds_init(&stream->finds, loop, publisher, on_clip_failed, stream) != 0) {
		result = kws_fail(error, KWS_ENOMEM, "out of memory");
	} else {
		result = start_capture(stream, error);
	}
	if (result != 0) {
		kws_stream_destroy(stream);
		return result;
	}
	look_at_folder(stream);
	restore_mute(stream);
	*out = stream;
	return 0;
}

void kws_stream_destroy(struct kws_stream *stream)
{
	struct kws_error error;
	if (stream == NULL) {
		return;
	}
	if (stream->mute.on && !stream->failed) {
		warn_if(kws_mute_end(&stream->mute, &error), &error);
	}
	kws_finds_finish(&stream->finds);
	kws_network_finish(&stream->network);
	kws_intake_finish(&stream->intake, free); /* `user` is the stream */
}

/* Gives the new pipeline the format of the stream that goes on. */
static int continue_stream(struct kws_stream *stream, const struct kws_config *config,
	struct kws_pipeline *pipeline, struct kws_error *error)
{
	if (stream->format.rate_hz == 0) {
		return 0;
	}
	return kws_pipeline_open(pipeline, stream->format.rate_hz, stream->format.channels,
		(unsigned)config->audio.channel, error);
}

int kws_stream_apply(
	struct kws_stream *stream, const struct kws_config *config, struct kws_error *error)
{
	const struct kws_changes changes = kws_changes_find(stream->config, config);
	struct kws_network network = {0};
	struct kws_pipeline_sink sink = {on_hop, on_event, stream};
	int result = changes.audio ? kws_input_check(config, error) : 0;
	if (result == 0 && changes.audio) {
		result = check_channel(stream, config, error);
	}
	if (result == 0 && changes.pipeline) {
		result = kws_network_init(&network, config, &sink, error);
	} else if (result == 0) {
		result = kws_network_update(&stream->network, config, error);
	}
	if (result == 0 && changes.pipeline && !changes.audio) {
		result = continue_stream(stream, config, network.pipeline, error);
	}
	if (result != 0) {
		kws_network_finish(&network);
		return result;
	}
	/* nothing below can fail in a way that the old configuration would have avoided */
	kws_changes_log(stream->config, config);
	kws_publisher_set_site(stream->publisher, config->ipc.site);
	stream->config = config;
	kws_intake_set_debug(&stream->intake, kws_input_source(config).debug);
	if (changes.folder) {
		look_at_folder(stream);
	}
	if (changes.audio) {
		stream->proven = true;
		leave(stream);
		kws_intake_empty(&stream->intake);
		kws_state_enter(&stream->state, "opening", "the settings of the audio changed");
	}
	if (changes.pipeline) {
		kws_network_finish(&stream->network);
		stream->network = network;
		stream->mute.frames = 0; /* of the time before it */
	}
	return 0;
}

void kws_stream_mute(struct kws_stream *stream, uint64_t for_ms)
{
	struct kws_error error;
	uint64_t now = kws_clock_ms(CLOCK_BOOTTIME);
	warn_if(kws_mute_begin(&stream->mute, now, for_ms, &error), &error);
	tell_mute(stream, now, "");
}

void kws_stream_unmute(struct kws_stream *stream)
{
	struct kws_error error;
	if (!stream->mute.on) {
		return;
	}
	kws_log_info("not muted any more");
	warn_if(kws_mute_end(&stream->mute, &error), &error);
	if (!stream->zeros.silent) { /* else the state says so until there is a signal */
		kws_zeros_restart(&stream->zeros);
	}
	if (stream->format.rate_hz != 0) {
		kws_pipeline_skip(stream->network.pipeline, stream->mute.frames);
	}
	kws_state_unmute(&stream->state);
}

const char *kws_stream_state(const struct kws_stream *stream)
{
	return kws_state_text(&stream->state);
}

/* Whether nothing may come. Not while an old device is closed, whatever the source is to be. */
static bool may_pause(struct kws_stream *stream, const struct kws_capture_status *capture)
{
	if (capture->state != KWS_CAPTURE_STATE_RUNNING) {
		return capture->state == KWS_CAPTURE_STATE_WAITING ||
		       capture->state == KWS_CAPTURE_STATE_FAILED;
	}
	/* whoever writes to the standard input may pause for as long as he likes */
	return stream->config->audio.source == KWS_CONFIG_SOURCE_STDIN ||
	       kws_pause_is_on(&stream->pause, capture->arrivals,
		       (uint64_t)stream->config->audio.stall_ms, now_ms());
}

struct kws_progress kws_stream_progress(struct kws_stream *stream)
{
	struct kws_capture_status capture;
	struct kws_pipeline_stats stats;
	kws_intake_status(&stream->intake, &capture);
	kws_pipeline_stats(stream->network.pipeline, &stats);
	if (stream->mute.on || may_pause(stream, &capture)) {
		stream->excuses++;
	}
	return (struct kws_progress){capture.frames, stats.hops, stream->excuses};
}

/* NULL: nothing is heard, and what the pipeline knows is of before. */
static const struct kws_level *current_level(const struct kws_stream *stream)
{
	bool heard = stream->format.rate_hz != 0 && !stream->mute.on;
	return heard ? kws_pipeline_level(stream->network.pipeline) : NULL;
}

static void publish_level(struct kws_stream *stream)
{
	const struct kws_level *level = current_level(stream);
	uint64_t period_ms = (uint64_t)stream->config->ipc.level_ms;
	uint64_t now = now_ms();
	if (period_ms == 0 || now < stream->level_due_ms || level == NULL) {
		return;
	}
	json_t *event = NULL;
	stream->level_due_ms = now + period_ms;
	kws_event_level(
		(double)kws_level_rms_dbfs(level), (double)kws_level_peak_dbfs(level), &event);
	kws_news_send(stream->publisher, KWS_TOPIC_LEVEL, event);
}

/* After a sleep of the system the audio of before is too old to go on from. */
static void watch_sleep(struct kws_stream *stream)
{
	int64_t slept_ns = kws_sleep_take_ns(&stream->sleep);
	if (slept_ns == 0) {
		return;
	}
	kws_log_info("the system slept for %.1f s", (double)slept_ns / 1e9);
	if (stream->format.rate_hz != 0) {
		kws_pipeline_gap(stream->network.pipeline, 0);
		kws_state_pass(
			&stream->state, "gap", "the system slept; waiting for a whole window");
	}
}

void kws_stream_tick(struct kws_stream *stream)
{
	watch_sleep(stream);
	if (kws_mute_is_over(&stream->mute, kws_clock_ms(CLOCK_BOOTTIME))) {
		kws_stream_unmute(stream);
	}
	retry_postponed(stream);
	publish_level(stream);
}

json_t *kws_stream_level(const struct kws_stream *stream)
{
	return kws_status_level(current_level(stream), &stream->mute);
}

json_t *kws_stream_status(struct kws_stream *stream)
{
	struct kws_capture_status capture;
	struct kws_clips_counts clips = kws_recorder_counts(stream->finds.recorder);
	kws_intake_status(&stream->intake, &capture);
	return json_pack("{s:s, s:o, s:o, s:o, s:o, s:o, s:o}", "state",
		kws_state_name(&stream->state), "reason",
		kws_text_json(kws_state_reason(&stream->state)), "audio",
		kws_status_audio(&capture, kws_config_source_name(stream->config->audio.source),
			stream->zeros.periods, stream->sleep.suspends),
		"network", kws_status_network(stream->network.pipeline, &stream->finds.counters),
		"level", kws_stream_level(stream), "mute",
		kws_status_mute(&stream->mute, kws_clock_ms(CLOCK_BOOTTIME)), "clips",
		kws_status_clips(&clips));
}

json_t *kws_stream_devices(struct kws_stream *stream)
{
	return kws_status_devices(stream->intake.capture);
}
