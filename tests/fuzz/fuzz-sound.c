/* SPDX-License-Identifier: Apache-2.0 */
/* A sound file, from libsndfile through the file source and the front end: whatever it is, what the
 * network would see are numbers, and a refusal has a sentence. */
#define _GNU_SOURCE
#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "cli/audio-file.h"
#include "dsp/mel.h"
#include "pipeline/front-end.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
const char *__lsan_default_suppressions(void);

#define SAMPLES_MAX (20u * 16000u) /* at 16 kHz: a compressed file may claim years */

/* libsndfile 1.2.0 forgets what it knew of a Vorbis stream whose headers it refuses: sf_open_fd()
 * alone loses it, and has given us nothing that we could free. */
const char *__lsan_default_suppressions(void)
{
	return "leak:vorbis_info_init";
}

static void require(bool condition)
{
	if (!condition) {
		abort();
	}
}

static void check_window(void *user, const struct kws_front_end_window *window)
{
	(void)user;
	for (size_t i = 0; i < (size_t)KWS_WINDOW_FRAMES * KWS_MEL_BANDS; i++) {
		require(isfinite(window->frames[i]));
	}
}

static int take_open(void *user, const struct kws_audio_format *format, struct kws_error *error)
{
	require(format->channels >= 1 && format->channels <= KWS_CHANNELS_MAX);
	return kws_front_end_open(user, format->rate_hz, format->channels, 0, error);
}

static int take_frames(void *user, const int16_t *frames, size_t count, struct kws_error *error)
{
	struct kws_front_end *front = user;
	(void)error;
	kws_front_end_push(front, frames, count);
	return kws_front_end_samples(front) >= SAMPLES_MAX; /* enough */
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct kws_config *config;
	struct kws_config_errors errors;
	struct kws_error error = {""};
	struct kws_front_end *front;
	char path[64];
	if (config == NULL) {
		require(kws_config_load(&config, NULL, NULL, 0, &errors) == 0);
	}
	int fd = memfd_create("sound", MFD_CLOEXEC);
	require(fd >= 0 && write(fd, data, size) == (ssize_t)size);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	const struct kws_front_end_sink sink = {check_window, NULL};
	require(kws_front_end_create(&front, config, &sink) == 0);
	const struct kws_audio_file_taker taker = {
		.open = take_open, .frames = take_frames, .user = front};
	if (kws_audio_file_read(path, &taker, &error) != 0) {
		require(error.text[0] != '\0');
	}
	kws_front_end_destroy(front);
	close(fd);
	return 0;
}
