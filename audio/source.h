/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KWS_AUDIO_SOURCE_H
#define KWS_AUDIO_SOURCE_H

#include <stdbool.h>
#include <stdint.h>

#include "audio/device.h"
#include "audio/feed.h"
#include "common/error.h"

struct kws_audio_format {
	unsigned rate_hz;
	unsigned channels;
};

/* Where frames come from. 0 or NULL is the default that the comment names. */
struct kws_source_config {
	const char *type;   /* portaudio, file, stdin, null */
	const char *device; /* portaudio: see kws_device_find(); NULL: the default device */
	const char *path;   /* file */
	int fd;             /* stdin: the descriptor to read; 0 is the standard input */
	uint64_t *taken;    /* stdin: bytes read from `fd` so far, 0 before the first open; outlives
			       the source, which adds to it, so that the next one begins with
			       a whole frame. NULL: what is read first is one */
	bool realtime;      /* file: at its own speed, dropping like a device; false: as fast as
			       it is read, nothing is dropped */
	unsigned rate_hz;   /* portaudio: the device's; null: 16000; stdin: must be set;
			       file: ignored, the file says it */
	unsigned channels;  /* portaudio: the device's, at most 2, or
			       `channel` if that is more; null: 1; stdin: must be set;
			       file: ignored, the file says it */
	unsigned channel;   /* there must be so many, or the open fails: 0 */
	unsigned buffer_ms; /* room for so much unread audio, 4096 to 2^24 frames: 1000 */
	unsigned stall_ms;  /* a device is lost that delivers nothing for so long: 2000 */
	unsigned retry_min_ms; /* wait before the first try to open a device again: 250 */
	unsigned retry_max_ms; /* each failed try doubles the wait up to this: 30000 */
	bool debug;            /* portaudio: let ALSA and JACK write to stderr, from this open on */
};

/* What a source says of itself when it has been opened. */
struct kws_source_info {
	struct kws_audio_format format;
	char device[128];               /* name of the device or the file */
	unsigned max_channels;          /* of the device; 0: those of `format` are all */
	struct kws_device_list devices; /* input devices seen, filled also when open fails */
};

struct kws_source;

/* One kind of source. All functions run on the audio-control thread. */
struct kws_source_ops {
	const char *name;
	/* A device, that may stall, vanish and come back; otherwise the end of the input or a
	 * failed open is final. */
	bool live;
	/* Finds and opens the input, fills `info`; nothing is delivered yet. `config` stays valid
	 * until close. Errors: KWS_E... with a sentence in `error`. */
	int (*open)(struct kws_source **out, const struct kws_source_config *config,
		struct kws_source_info *info, struct kws_error *error);
	/* Begins to write into `feed`, from the source's own thread, until kws_feed_end() or close.
	 * Called once. Errors: as open; close must follow. */
	int (*start)(struct kws_source *source, struct kws_feed *feed, struct kws_error *error);
	/* Stops, joins the source's thread, frees. Nothing is written to the feed after it. */
	void (*close)(struct kws_source *source);
};

/* The sources of this build, NULL-terminated. Thread: any. */
extern const struct kws_source_ops *const kws_sources[];

/* The source called `name`, NULL if this build has none. Thread: any. */
const struct kws_source_ops *kws_source_find(const char *name);

#endif
