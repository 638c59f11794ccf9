/* SPDX-License-Identifier: Apache-2.0 */
#include "dsp/level.h"

#include <math.h>
#include <string.h>

#define SILENCE_POWER 1e-12f /* KWS_LEVEL_SILENCE_DBFS as a power */

static float decibels(float power)
{
	return 10.0f * log10f(power > SILENCE_POWER ? power : SILENCE_POWER);
}

static size_t filled(uint64_t count, size_t size)
{
	return count < size ? (size_t)count : size;
}

static float largest(const float *values, size_t count)
{
	float found = 0.0f;
	for (size_t i = 0; i < count; i++) {
		found = values[i] > found ? values[i] : found;
	}
	return found;
}

void kws_level_init(struct kws_level *level)
{
	memset(level, 0, sizeof(*level));
}

void kws_level_push(struct kws_level *level, const float *samples)
{
	float power = 0.0f;
	float peak = 0.0f;
	for (int i = 0; i < KWS_HOP_SAMPLES; i++) {
		power += samples[i] * samples[i];
		peak = fabsf(samples[i]) > peak ? fabsf(samples[i]) : peak;
	}
	power /= KWS_HOP_SAMPLES;
	size_t slot = level->blocks % KWS_WINDOW_FRAMES;
	level->power[slot] = power;
	level->peak[slot] = peak;
	float *quietest =
		&level->quietest[level->blocks / KWS_WINDOW_FRAMES % KWS_LEVEL_FLOOR_SECONDS];
	if (slot == 0 || power < *quietest) {
		*quietest = power;
	}
	level->blocks++;
}

float kws_level_rms_dbfs(const struct kws_level *level)
{
	size_t count = filled(level->blocks, KWS_WINDOW_FRAMES);
	float sum = 0.0f;
	for (size_t i = 0; i < count; i++) {
		sum += level->power[i];
	}
	return decibels(count > 0 ? sum / (float)count : 0.0f);
}

float kws_level_peak_dbfs(const struct kws_level *level)
{
	float peak = largest(level->peak, filled(level->blocks, KWS_WINDOW_FRAMES));
	return decibels(peak * peak);
}

float kws_level_snr_db(const struct kws_level *level)
{
	uint64_t seconds = (level->blocks + KWS_WINDOW_FRAMES - 1) / KWS_WINDOW_FRAMES;
	size_t count = filled(seconds, KWS_LEVEL_FLOOR_SECONDS);
	if (count == 0) {
		return 0.0f;
	}
	float floor = level->quietest[0];
	for (size_t i = 1; i < count; i++) {
		floor = level->quietest[i] < floor ? level->quietest[i] : floor;
	}
	float loudest = largest(level->power, filled(level->blocks, KWS_WINDOW_FRAMES));
	return decibels(loudest) - decibels(floor);
}
