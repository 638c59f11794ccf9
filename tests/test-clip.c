/* SPDX-License-Identifier: Apache-2.0 */
/* A file of any rate as a clip: as long as it is, and nothing in it is moved. */
#include "cli/clip.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <sndfile.h>
#include <stdio.h>
#include <string.h>

#include "tests/scratch.h"

#define RATE_MAX_HZ 48000
#define SECOND 16000 /* samples of a clip */

static const int rates_hz[] = {8000, 16000, 44100, 48000};
#define RATES (sizeof(rates_hz) / sizeof(rates_hz[0]))
static const char *const qualities[] = {
	"dsp.resampler_quality=0", "dsp.resampler_quality=5", "dsp.resampler_quality=10"};
#define QUALITIES (sizeof(qualities) / sizeof(qualities[0]))

/* Reads as a clip a file of `frames` zeros with a click at frame `at`. */
static int read_click(struct kws_clip *clip, int rate_hz, int frames, int at, const char *quality)
{
	static float samples[2 * RATE_MAX_HZ];
	char folder[SCRATCH_BYTES];
	char path[SCRATCH_BYTES + 8];
	struct kws_config *config;
	struct kws_config_errors errors;
	struct kws_error error;
	SF_INFO info = {.samplerate = rate_hz, .channels = 1};
	info.format = SF_FORMAT_WAV | SF_FORMAT_PCM_16;
	assert_int_equal(scratch_create(folder), 0);
	snprintf(path, sizeof(path), "%s/c.wav", folder);
	memset(samples, 0, sizeof(samples));
	samples[at] = 0.5f;
	SNDFILE *file = sf_open(path, SFM_WRITE, &info);
	assert_non_null(file);
	assert_int_equal(sf_write_float(file, samples, frames), frames);
	sf_close(file);
	assert_int_equal(kws_config_load(&config, NULL, &quality, 1, &errors), 0);
	int result = kws_clip_read(clip, path, config, &error);
	kws_config_destroy(config);
	scratch_remove(folder);
	return result;
}

static size_t loudest_of(const struct kws_clip *clip)
{
	size_t loudest = 0;
	for (size_t i = 1; i < clip->count; i++) {
		loudest = fabsf(clip->samples[i]) > fabsf(clip->samples[loudest]) ? i : loudest;
	}
	return loudest;
}

/* Also the end, which the resampler's filter holds back. */
static void a_second_has_all_of_its_samples(void **state)
{
	(void)state;
	for (size_t r = 0; r < RATES; r++) {
		for (size_t q = 0; q < QUALITIES; q++) {
			struct kws_clip clip;
			int rate_hz = rates_hz[r];
			int at = rate_hz - rate_hz / 1000; /* 1 ms before the end */
			assert_int_equal(read_click(&clip, rate_hz, rate_hz, at, qualities[q]), 0);
			assert_int_equal(clip.count, SECOND);
			assert_int_equal(loudest_of(&clip), SECOND - SECOND / 1000);
			kws_clip_finish(&clip);
		}
	}
}

static void a_click_stays_in_its_place(void **state)
{
	(void)state;
	for (size_t r = 0; r < RATES; r++) {
		struct kws_clip clip;
		int frames = 3 * rates_hz[r] / 2;
		assert_int_equal(
			read_click(&clip, rates_hz[r], frames, rates_hz[r] / 2, qualities[1]), 0);
		assert_int_equal(clip.count, 3 * SECOND / 2);
		assert_int_equal(loudest_of(&clip), SECOND / 2);
		kws_clip_finish(&clip);
	}
}

/* To the nearest sample: 100 frames at 44.1 kHz are 36.3, 101 are 36.6. */
static void shorter_than_the_filter(void **state)
{
	(void)state;
	struct kws_clip clip;
	assert_int_equal(read_click(&clip, 44100, 100, 50, qualities[2]), 0);
	assert_int_equal(clip.count, 36);
	assert_int_equal(loudest_of(&clip), 18);
	kws_clip_finish(&clip);
	assert_int_equal(read_click(&clip, 44100, 101, 50, qualities[2]), 0);
	assert_int_equal(clip.count, 37);
	kws_clip_finish(&clip);
	assert_int_equal(read_click(&clip, 44100, 0, 0, qualities[2]), KWS_EFORMAT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_second_has_all_of_its_samples),
		cmocka_unit_test(a_click_stays_in_its_place),
		cmocka_unit_test(shorter_than_the_filter),
	};
	return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
