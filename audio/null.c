/* SPDX-License-Identifier: Apache-2.0 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "audio/sources.h"
#include "common/clock.h"

#define DEFAULT_RATE_HZ 16000
#define DEFAULT_CHANNELS 1
#define BLOCKS_PER_S 100

/* Digital silence at the pace of the clock: a device that every machine has. */
struct kws_source {
	struct kws_feed *feed;
	pthread_t thread;
	bool started;
	unsigned rate_hz;
	size_t block_frames;
	int16_t *silence;
};

static void *run(void *arg)
{
	struct kws_source *source = arg;
	uint64_t start_ns = kws_clock_monotonic_ns();
	uint64_t frames = 0;
	for (;;) {
		/* From the start each time, so that rounding and late wake-ups do not add up. */
		frames += source->block_frames;
		uint64_t due_ns = start_ns + kws__frames_ns(frames, source->rate_hz);
		if (!kws_feed_sleep_until(source->feed, due_ns)) {
			return NULL;
		}
		kws_feed_write(source->feed, source->silence, source->block_frames);
	}
}

static int null_open(struct kws_source **out, const struct kws_source_config *config,
	struct kws_source_info *info, struct kws_error *error)
{
	info->format.rate_hz = config->rate_hz != 0 ? config->rate_hz : DEFAULT_RATE_HZ;
	info->format.channels = config->channels != 0 ? config->channels : DEFAULT_CHANNELS;
	snprintf(info->device, sizeof(info->device), "null");
	struct kws_source *source = calloc(1, sizeof(*source));
	if (source == NULL) {
		return kws_fail(error, KWS_ENOMEM, "out of memory");
	}
	source->rate_hz = info->format.rate_hz;
	source->block_frames = (source->rate_hz + BLOCKS_PER_S - 1) / BLOCKS_PER_S;
	source->silence = calloc(source->block_frames, info->format.channels * sizeof(int16_t));
	if (source->silence == NULL) {
		free(source);
		return kws_fail(error, KWS_ENOMEM, "out of memory");
	}
	*out = source;
	return 0;
}

static int null_start(struct kws_source *source, struct kws_feed *feed, struct kws_error *error)
{
	source->feed = feed;
	if (pthread_create(&source->thread, NULL, run, source) != 0) {
		return kws_fail(error, KWS_ENOMEM, "cannot start a thread");
	}
	source->started = true;
	return 0;
}

static void null_close(struct kws_source *source)
{
	if (source->started) {
		kws_feed_stop(source->feed);
		pthread_join(source->thread, NULL);
	}
	free(source->silence);
	free(source);
}

const struct kws_source_ops kws__source_null = {
	.name = "null",
	.live = false,
	.open = null_open,
	.start = null_start,
	.close = null_close,
};
