/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KWS_AUDIO_CAPTURE_H
#define KWS_AUDIO_CAPTURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "audio/device.h"
#include "audio/source.h"

/* Audio from one source for as long as the program runs: opens it, notices when it is lost, opens
 * it again. A thread of its own (audio-control) makes the slow calls; the consumer, one thread such
 * as an event loop, only reads. */
struct kws_capture;

/* What the consumer is told, in stream order:
 *
 *   OPENED { frames | GAP } LOST     a device; then OPENED or FAILED when it was tried again
 *   OPENED { frames | GAP } ENDED    the end of a file or of the standard input, the last event
 *   FAILED                           an open failed; with `final` the last event
 *
 * A file that breaks off in the middle gives OPENED, frames, FAILED with `final`. */
enum kws_capture_event_type {
	KWS_CAPTURE_NONE, /* nothing now: wait for the wake-up */
	KWS_CAPTURE_OPENED,
	KWS_CAPTURE_GAP,
	KWS_CAPTURE_LOST,
	KWS_CAPTURE_FAILED,
	KWS_CAPTURE_ENDED,
};

struct kws_capture_event {
	enum kws_capture_event_type type;
	struct kws_audio_format format; /* OPENED, LOST, ENDED */
	char device[128];               /* OPENED, LOST, ENDED; FAILED: "" if none was found */
	uint64_t lost_frames; /* GAP: dropped here; 0: lost by the device, number unknown */
	unsigned retry_ms;    /* LOST, FAILED: wait before the next try, 0 with `final` */
	bool final;           /* FAILED: there will be no next try */
	int code;             /* LOST, FAILED: KWS_E... */
	char reason[256];     /* LOST, FAILED, ENDED: one sentence */
};

enum kws_capture_state {
	KWS_CAPTURE_STATE_OPENING,
	KWS_CAPTURE_STATE_RUNNING,
	KWS_CAPTURE_STATE_CLOSING, /* lost, and still open; for ever if the device hangs */
	KWS_CAPTURE_STATE_WAITING, /* for the next try to open */
	KWS_CAPTURE_STATE_ENDED,
	KWS_CAPTURE_STATE_FAILED, /* for good */
};

struct kws_capture_status {
	enum kws_capture_state state;
	char device[128];               /* of the last open that succeeded */
	struct kws_audio_format format; /* likewise */
	unsigned max_channels;          /* likewise: what another open can have at most */
	uint64_t frames;                /* read by the consumer, over all opens */
	uint64_t overrun_frames;        /* dropped because the consumer was late; told as gaps */
	uint64_t gaps;
	uint32_t arrivals; /* blocks from the open source, taken or not; wraps. A live source that
			      gives none for stall_ms is closed up to a quarter of that later */
	uint64_t xruns;    /* overflows that the device reported */
	unsigned reopens;  /* opens that succeeded after the first */
	char reason[256];  /* why it is not running, "" if it is */
};

/* Copies `config` and starts the audio-control thread; the first event is OPENED or FAILED.
 * `wake(user)` says that kws_capture_read() has something new; it is called from several threads,
 * PortAudio's callback among them, so it must be RT-safe, and it may be called once too often.
 * Errors: KWS_EUNSUPPORTED (this build has no source of that type), KWS_EINVAL, KWS_ENOMEM.
 * Thread: consumer. */
int kws_capture_create(struct kws_capture **out, const struct kws_source_config *config,
	void (*wake)(void *user), void *user);

/* What comes next in the stream: copies up to `max_samples` samples (whole frames, interleaved) and
 * returns the number of frames, all of which arrived together; or returns 0 and `*event` says what
 * happened. Read until it says NONE, then wait for the wake-up. Taking LOST lets the next try to
 * open begin. `max_samples` must be at least one frame (KWS_CHANNELS_MAX is always enough).
 * Never waits for the device. Thread: consumer. */
size_t kws_capture_read(struct kws_capture *capture, int16_t *frames, size_t max_samples,
	struct kws_capture_event *event);

/* What `debug` of the configuration is from the next open or try on. Thread: any. */
void kws_capture_set_debug(struct kws_capture *capture, bool debug);

/* When the frames that the last kws_capture_read() returned had arrived, CLOCK_MONOTONIC; 0 before
 * the first. Thread: consumer. */
uint64_t kws_capture_arrival_ns(const struct kws_capture *capture);

/* Thread: consumer. */
void kws_capture_status(struct kws_capture *capture, struct kws_capture_status *out);

/* The input devices that were there when the source was last opened or tried; empty for sources
 * that are not devices. PortAudio sees new devices only when it opens again. Thread: any. */
void kws_capture_devices(struct kws_capture *capture, struct kws_device_list *out);

/* Stops the source, joins the thread, frees; wake is not called after it. Accepts NULL. It takes as
 * long as the device needs to close. Thread: the consumer's, or another once it has left the
 * capture alone. */
void kws_capture_destroy(struct kws_capture *capture);

#endif
