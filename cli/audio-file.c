/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/audio-file.h"

#include <errno.h>
#include <semaphore.h>
#include <stdbool.h>

#include "audio/capture.h"

#define SAMPLES 8192

static void wake(void *user)
{
	sem_post(user);
}

static void wait_for_wake(sem_t *woken)
{
	while (sem_wait(woken) != 0 && errno == EINTR) {
	}
}

/* Returns 0 to go on, 1 at the end, or an error. */
static int take_event(const struct kws_capture_event *event, sem_t *woken,
	const struct kws_audio_file_taker *taker, struct kws_error *error)
{
	switch (event->type) {
	case KWS_CAPTURE_OPENED:
		return taker->open(taker->user, &event->format, error);
	case KWS_CAPTURE_ENDED:
		return 1;
	case KWS_CAPTURE_FAILED:
	case KWS_CAPTURE_LOST:
		return kws_fail(error, event->code, "%.200s", event->reason);
	case KWS_CAPTURE_NONE:
		wait_for_wake(woken);
		return 0;
	case KWS_CAPTURE_GAP: /* a file at full speed waits for us and has none */
		if (taker->gap != NULL) {
			taker->gap(taker->user, event->lost_frames);
		}
		break;
	}
	return 0;
}

static int read_all(struct kws_capture *capture, sem_t *woken,
	const struct kws_audio_file_taker *taker, struct kws_error *error)
{
	int result = 0;
	while (result == 0) {
		int16_t samples[SAMPLES];
		struct kws_capture_event event;
		size_t frames = kws_capture_read(capture, samples, SAMPLES, &event);
		result = frames > 0 ? taker->frames(taker->user, samples, frames, error)
				    : take_event(&event, woken, taker, error);
	}
	return result > 0 ? 0 : result;
}

int kws_audio_file_read(
	const char *path, const struct kws_audio_file_taker *taker, struct kws_error *error)
{
	const struct kws_source_config config = {.type = "file", .path = path, .buffer_ms = 4000};
	return kws_audio_source_read(&config, taker, error);
}

int kws_audio_source_read(const struct kws_source_config *config,
	const struct kws_audio_file_taker *taker, struct kws_error *error)
{
	struct kws_capture *capture;
	sem_t woken;
	if (sem_init(&woken, 0, 0) != 0) {
		return kws_fail(error, KWS_ENOMEM, "cannot make a semaphore");
	}
	int result = kws_capture_create(&capture, config, wake, &woken);
	if (result == 0) {
		result = read_all(capture, &woken, taker, error);
		kws_capture_destroy(capture);
	} else {
		kws_fail(error, result, "cannot read audio: %s", kws_strerror(result));
	}
	sem_destroy(&woken);
	return result;
}
