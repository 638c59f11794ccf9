/* SPDX-License-Identifier: Apache-2.0 */
#include "audio/capture.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "audio/feed.h"
#include "audio/monitor.h"
#include "common/clock.h"

#define BUFFER_MS_DEFAULT 1000
#define STALL_MS_DEFAULT 2000
#define RETRY_MIN_MS_DEFAULT 250
#define RETRY_MAX_MS_DEFAULT 30000
#define STALL_CHECKS 4 /* looks per stall time: a stall is noticed at most a quarter late */

/* A device that ran for so long is sound: if it is lost then, try again at once. One that opens and
 * dies within it is tried more and more seldom. */
#define STABLE_RUN_NS 10000000000u

#define NS_PER_MS 1000000u

struct kws_capture {
	struct kws_source_config config; /* constant but for `debug`; its strings are ours */
	const struct kws_source_ops *ops;
	void (*wake)(void *user);
	void *user;
	pthread_t thread;
	bool monitor_ready;
	bool thread_started;

	/* The audio-control thread's own. */
	struct kws_source *source;

	/* The consumer's own. */
	struct kws_feed *reading; /* between OPENED and what ends it */
	unsigned reading_channels;
	uint64_t arrival_ns;
	uint64_t frames;
	uint64_t overrun_frames;
	uint64_t gaps;

	struct kws_monitor monitor; /* of all that follows; a device's callback never takes it */
	bool quit;
	bool debug;                    /* config.debug from the next open on */
	struct kws_capture_event next; /* NONE, or not yet taken by the consumer */
	struct kws_feed *feed;         /* changed only while the consumer does not read it */
	bool ended;                    /* by the source; with the two below */
	int end_code;
	char end_reason[256];
	enum kws_capture_state state;
	struct kws_source_info info;
	uint64_t closed_xruns; /* of the feeds that are gone */
	unsigned opens;
	char reason[256];
};

/* Feed hook, on the source's thread, also from a device's callback. */
static void on_wake(void *user)
{
	const struct kws_capture *capture = user;
	capture->wake(capture->user);
}

/* Feed hook, on the source's thread. */
static void on_ended(void *user, int code, const char *reason)
{
	struct kws_capture *capture = user;
	kws_monitor_lock(&capture->monitor);
	if (!capture->ended) {
		capture->ended = true;
		capture->end_code = code;
		snprintf(capture->end_reason, sizeof(capture->end_reason), "%s", reason);
		kws_monitor_notify(&capture->monitor);
	}
	kws_monitor_unlock(&capture->monitor);
}

static enum kws_capture_state state_after(const struct kws_capture_event *event)
{
	switch (event->type) {
	case KWS_CAPTURE_OPENED:
		return KWS_CAPTURE_STATE_RUNNING;
	case KWS_CAPTURE_ENDED:
		return KWS_CAPTURE_STATE_ENDED;
	default:
		return event->final ? KWS_CAPTURE_STATE_FAILED : KWS_CAPTURE_STATE_CLOSING;
	}
}

/* Tells the consumer, once it has taken what it was told before. */
static void post(struct kws_capture *capture, const struct kws_capture_event *event)
{
	kws_monitor_lock(&capture->monitor);
	while (!capture->quit && capture->next.type != KWS_CAPTURE_NONE) {
		kws_monitor_wait(&capture->monitor);
	}
	capture->next = *event;
	capture->state = state_after(event);
	snprintf(capture->reason, sizeof(capture->reason), "%s", event->reason);
	bool quit = capture->quit;
	kws_monitor_unlock(&capture->monitor);
	if (!quit) {
		capture->wake(capture->user);
	}
}

static int create_feed(
	struct kws_capture *capture, const struct kws_audio_format *format, struct kws_error *error)
{
	struct kws_feed_hooks hooks = {on_wake, on_ended, capture};
	uint64_t frames = (uint64_t)format->rate_hz * capture->config.buffer_ms / 1000;
	struct kws_feed *feed;
	int result = kws_feed_create(&feed, format->channels, frames, &hooks);
	if (result < 0) {
		return kws_fail(error, result, "no buffer for %u ms at %u Hz with %u channels: %s",
			capture->config.buffer_ms, format->rate_hz, format->channels,
			kws_strerror(result));
	}
	kws_monitor_lock(&capture->monitor);
	capture->feed = feed;
	capture->ended = false;
	kws_monitor_unlock(&capture->monitor);
	return 0;
}

static void destroy_feed(struct kws_capture *capture)
{
	kws_monitor_lock(&capture->monitor);
	struct kws_feed *feed = capture->feed;
	capture->feed = NULL;
	if (feed != NULL) {
		capture->closed_xruns += kws_feed_xruns(feed);
	}
	kws_monitor_unlock(&capture->monitor);
	kws_feed_destroy(feed);
}

static void close_source(struct kws_capture *capture)
{
	if (capture->source != NULL) {
		capture->ops->close(capture->source);
		capture->source = NULL;
	}
}

static void note_open(struct kws_capture *capture, const struct kws_source_info *info, bool opened)
{
	kws_monitor_lock(&capture->monitor);
	capture->info.devices = info->devices;
	if (opened) {
		capture->info = *info;
		capture->opens++;
	}
	kws_monitor_unlock(&capture->monitor);
}

static int open_source(
	struct kws_capture *capture, struct kws_source_info *info, struct kws_error *error)
{
	int result = capture->ops->open(&capture->source, &capture->config, info, error);
	if (result == 0 && capture->config.channel > info->format.channels) {
		result = kws_fail(error, KWS_EINVAL, "there is no channel %u: '%s' has %u",
			capture->config.channel, info->device, info->format.channels);
	}
	if (result == 0) {
		result = create_feed(capture, &info->format, error);
	}
	if (result == 0) {
		result = capture->ops->start(capture->source, capture->feed, error);
	}
	if (result < 0) {
		close_source(capture);
		destroy_feed(capture);
	}
	note_open(capture, info, result == 0);
	return result;
}

static bool open_and_tell(struct kws_capture *capture, struct kws_capture_event *event)
{
	struct kws_source_info info = {0};
	struct kws_error error = {0};
	kws_monitor_lock(&capture->monitor);
	capture->state = KWS_CAPTURE_STATE_OPENING;
	capture->config.debug = capture->debug;
	kws_monitor_unlock(&capture->monitor);
	int result = open_source(capture, &info, &error);
	event->format = info.format;
	memcpy(event->device, info.device, sizeof(event->device));
	if (result < 0) {
		event->type = KWS_CAPTURE_FAILED;
		event->code = result;
		event->final = !capture->ops->live;
		memcpy(event->reason, error.text, sizeof(event->reason));
		return false;
	}
	event->type = KWS_CAPTURE_OPENED;
	post(capture, event);
	return true;
}

/* Blocks as long as the source delivers. Returns true if it stalled. */
static bool wait_for_end(struct kws_capture *capture)
{
	uint64_t stall_ns = (uint64_t)capture->config.stall_ms * NS_PER_MS;
	uint32_t arrivals = kws_feed_arrivals(capture->feed);
	uint64_t since_ns = kws_clock_monotonic_ns();
	bool stalled = false;
	kws_monitor_lock(&capture->monitor);
	while (!capture->quit && !capture->ended && !stalled) {
		if (!capture->ops->live) {
			kws_monitor_wait(&capture->monitor);
			continue;
		}
		kws_monitor_wait_until(
			&capture->monitor, kws_clock_monotonic_ns() + stall_ns / STALL_CHECKS);
		uint32_t now_arrivals = kws_feed_arrivals(capture->feed);
		if (now_arrivals != arrivals) {
			arrivals = now_arrivals;
			since_ns = kws_clock_monotonic_ns();
		}
		stalled = kws_clock_monotonic_ns() - since_ns >= stall_ns;
	}
	stalled = stalled && !capture->ended;
	kws_monitor_unlock(&capture->monitor);
	return stalled;
}

/* Blocks until the stream is over and fills in how. */
static void watch(struct kws_capture *capture, struct kws_capture_event *event)
{
	bool stalled = wait_for_end(capture);
	event->type = KWS_CAPTURE_LOST;
	if (stalled) {
		/* An unplugged ALSA device can look exactly like this: no error, no callback. */
		event->code = KWS_EDEVICE;
		snprintf(event->reason, sizeof(event->reason), "no audio for %u ms",
			capture->config.stall_ms);
		return;
	}
	kws_monitor_lock(&capture->monitor);
	event->code = capture->end_code;
	memcpy(event->reason, capture->end_reason, sizeof(event->reason));
	kws_monitor_unlock(&capture->monitor);
	if (!capture->ops->live) {
		event->final = event->code < 0;
		event->type = event->final ? KWS_CAPTURE_FAILED : KWS_CAPTURE_ENDED;
	}
}

/* After LOST or FAILED was told and the source closed: waits until the consumer has taken it, so
 * that the feed is free, then for `retry_ms`. Returns false to quit. */
static bool wait_for_retry(struct kws_capture *capture, unsigned retry_ms)
{
	kws_monitor_lock(&capture->monitor);
	capture->state = KWS_CAPTURE_STATE_WAITING;
	while (!capture->quit && capture->next.type != KWS_CAPTURE_NONE) {
		kws_monitor_wait(&capture->monitor);
	}
	uint64_t deadline_ns = kws_clock_monotonic_ns() + (uint64_t)retry_ms * NS_PER_MS;
	while (!capture->quit && kws_clock_monotonic_ns() < deadline_ns) {
		kws_monitor_wait_until(&capture->monitor, deadline_ns);
	}
	bool quit = capture->quit;
	kws_monitor_unlock(&capture->monitor);
	return !quit;
}

/* The audio-control thread. */
static void *control(void *arg)
{
	struct kws_capture *capture = arg;
	const struct kws_source_config *config = &capture->config;
	unsigned retry_ms = config->retry_min_ms;
	bool again = true;
	while (again) {
		struct kws_capture_event event = {0};
		if (open_and_tell(capture, &event)) {
			uint64_t start_ns = kws_clock_monotonic_ns();
			watch(capture, &event);
			if (kws_clock_monotonic_ns() - start_ns >= STABLE_RUN_NS) {
				retry_ms = config->retry_min_ms;
			}
		}
		bool over = event.final || event.type == KWS_CAPTURE_ENDED;
		event.retry_ms = over ? 0 : retry_ms;
		/* Told before the close, which can hang with a sick device. What such a device may
		 * still deliver goes into a feed that the consumer has left. */
		post(capture, &event);
		close_source(capture);
		again = !over && wait_for_retry(capture, retry_ms);
		if (again) {
			destroy_feed(capture);
		}
		retry_ms =
			retry_ms < config->retry_max_ms / 2 ? retry_ms * 2 : config->retry_max_ms;
	}
	return NULL;
}

static int copy_string(const char **out, const char *text)
{
	*out = text != NULL ? strdup(text) : NULL;
	return text != NULL && *out == NULL ? KWS_ENOMEM : 0;
}

static unsigned or_default(unsigned value, unsigned fallback)
{
	return value != 0 ? value : fallback;
}

static int copy_config(struct kws_source_config *to, const struct kws_source_config *from)
{
	*to = *from;
	to->buffer_ms = or_default(from->buffer_ms, BUFFER_MS_DEFAULT);
	to->stall_ms = or_default(from->stall_ms, STALL_MS_DEFAULT);
	to->retry_min_ms = or_default(from->retry_min_ms, RETRY_MIN_MS_DEFAULT);
	to->retry_max_ms = or_default(from->retry_max_ms, RETRY_MAX_MS_DEFAULT);
	to->device = NULL;
	to->path = NULL;
	if (copy_string(&to->type, from->type) < 0 || copy_string(&to->device, from->device) < 0 ||
		copy_string(&to->path, from->path) < 0) {
		return KWS_ENOMEM;
	}
	return 0;
}

static int start_control(struct kws_capture *capture)
{
	int result = kws_monitor_init(&capture->monitor);
	if (result < 0) {
		return result;
	}
	capture->monitor_ready = true;
	if (pthread_create(&capture->thread, NULL, control, capture) != 0) {
		return KWS_ENOMEM;
	}
	capture->thread_started = true;
	return 0;
}

int kws_capture_create(struct kws_capture **out, const struct kws_source_config *config,
	void (*wake)(void *user), void *user)
{
	if (config->type == NULL || wake == NULL) {
		return KWS_EINVAL;
	}
	const struct kws_source_ops *ops = kws_source_find(config->type);
	if (ops == NULL) {
		return KWS_EUNSUPPORTED;
	}
	struct kws_capture *capture = calloc(1, sizeof(*capture));
	if (capture == NULL) {
		return KWS_ENOMEM;
	}
	capture->ops = ops;
	capture->wake = wake;
	capture->user = user;
	capture->debug = config->debug;
	int result = copy_config(&capture->config, config);
	if (result == 0) {
		result = start_control(capture);
	}
	if (result < 0) {
		kws_capture_destroy(capture);
		return result;
	}
	*out = capture;
	return 0;
}

void kws_capture_destroy(struct kws_capture *capture)
{
	if (capture == NULL) {
		return;
	}
	if (capture->thread_started) {
		kws_monitor_lock(&capture->monitor);
		capture->quit = true;
		kws_monitor_notify(&capture->monitor);
		kws_monitor_unlock(&capture->monitor);
		pthread_join(capture->thread, NULL);
	}
	kws_feed_destroy(capture->feed);
	if (capture->monitor_ready) {
		kws_monitor_finish(&capture->monitor);
	}
	free((char *)capture->config.type);
	free((char *)capture->config.device);
	free((char *)capture->config.path);
	free(capture);
}

static bool anything_told(struct kws_capture *capture)
{
	kws_monitor_lock(&capture->monitor);
	bool told = capture->next.type != KWS_CAPTURE_NONE;
	kws_monitor_unlock(&capture->monitor);
	return told;
}

static void take(struct kws_capture *capture, struct kws_capture_event *event)
{
	kws_monitor_lock(&capture->monitor);
	*event = capture->next;
	capture->next.type = KWS_CAPTURE_NONE;
	bool opened = event->type == KWS_CAPTURE_OPENED;
	capture->reading = opened ? capture->feed : NULL;
	capture->reading_channels = event->format.channels;
	kws_monitor_notify(&capture->monitor);
	kws_monitor_unlock(&capture->monitor);
}

static void tell_gap(
	struct kws_capture *capture, uint64_t lost_frames, struct kws_capture_event *event)
{
	capture->gaps++;
	capture->overrun_frames += lost_frames;
	event->type = KWS_CAPTURE_GAP;
	event->lost_frames = lost_frames;
}

static size_t read_feed(struct kws_capture *capture, int16_t *frames, size_t max_samples,
	struct kws_capture_event *event)
{
	struct kws_ring_mark mark;
	size_t max_frames = max_samples / capture->reading_channels;
	size_t count = kws_feed_read(capture->reading, frames, max_frames, &mark);
	if (count > 0) {
		capture->frames += count;
		capture->arrival_ns = mark.arrival_ns;
	} else if (mark.gap) {
		tell_gap(capture, mark.lost_frames, event);
	}
	return count;
}

/* Leaves the feed that was read to its end. What was dropped behind its last frame is told. */
static void leave_feed(struct kws_capture *capture, struct kws_capture_event *event)
{
	uint64_t lost_frames;
	if (kws_feed_end_gap(capture->reading, &lost_frames)) {
		tell_gap(capture, lost_frames, event);
	}
	capture->reading = NULL;
}

size_t kws_capture_read(struct kws_capture *capture, int16_t *frames, size_t max_samples,
	struct kws_capture_event *event)
{
	memset(event, 0, sizeof(*event));
	/* Asked before the look into the feed: what ends a stream is told after its last frame was
	 * written, so an empty feed then means that all of them were read. */
	bool told = anything_told(capture);
	if (capture->reading != NULL) {
		size_t count = read_feed(capture, frames, max_samples, event);
		if (count > 0 || event->type == KWS_CAPTURE_GAP) {
			return count;
		}
		if (told) {
			leave_feed(capture, event);
		}
	}
	if (told && event->type == KWS_CAPTURE_NONE) {
		take(capture, event);
	}
	return 0;
}

void kws_capture_set_debug(struct kws_capture *capture, bool debug)
{
	kws_monitor_lock(&capture->monitor);
	capture->debug = debug;
	kws_monitor_unlock(&capture->monitor);
}

uint64_t kws_capture_arrival_ns(const struct kws_capture *capture)
{
	return capture->arrival_ns;
}

void kws_capture_status(struct kws_capture *capture, struct kws_capture_status *out)
{
	memset(out, 0, sizeof(*out));
	out->frames = capture->frames;
	out->overrun_frames = capture->overrun_frames;
	out->gaps = capture->gaps;
	kws_monitor_lock(&capture->monitor);
	out->state = capture->state;
	memcpy(out->device, capture->info.device, sizeof(out->device));
	out->format = capture->info.format;
	out->max_channels = or_default(capture->info.max_channels, out->format.channels);
	out->xruns = capture->closed_xruns;
	if (capture->feed != NULL) {
		out->xruns += kws_feed_xruns(capture->feed);
		out->arrivals = kws_feed_arrivals(capture->feed);
	}
	out->reopens = capture->opens > 1 ? capture->opens - 1 : 0;
	memcpy(out->reason, capture->reason, sizeof(out->reason));
	kws_monitor_unlock(&capture->monitor);
}

void kws_capture_devices(struct kws_capture *capture, struct kws_device_list *out)
{
	kws_monitor_lock(&capture->monitor);
	*out = capture->info.devices;
	kws_monitor_unlock(&capture->monitor);
}
