/* SPDX-License-Identifier: Apache-2.0 */
#include "tune/tally.h"

#include "dsp/mel.h"

#define SECONDS_PER_HOUR 3600.0

struct kws_tally_keyword kws_tally_total(const struct kws_tally *tally)
{
	struct kws_tally_keyword total = {0};
	for (size_t i = 0; i < KWS_CLASSES_MAX; i++) {
		total.spoken += tally->keywords[i].spoken;
		total.found += tally->keywords[i].found;
		total.wrong += tally->keywords[i].wrong;
		total.false_alarms += tally->keywords[i].false_alarms;
	}
	return total;
}

static double ratio(double part, double whole)
{
	return whole > 0.0 ? part / whole : 0.0;
}

double kws_tally_hours(const struct kws_tally *tally, size_t hop_frames)
{
	double hop_s = (double)(hop_frames * KWS_HOP_SAMPLES) / KWS_SAMPLE_RATE_HZ;
	return (double)tally->background_hops * hop_s / SECONDS_PER_HOUR;
}

double kws_tally_mean_exit(const struct kws_tally *tally)
{
	double sum = 0.0;
	for (size_t i = 0; i <= KWS_EXITS_MAX; i++) {
		sum += (double)i * (double)tally->hops_at_exit[i];
	}
	return ratio(sum, (double)tally->hops);
}

double kws_tally_operations(const struct kws_tally *tally)
{
	return ratio((double)(tally->computed.binary_macs + tally->computed.float_macs),
		(double)tally->hops);
}

double kws_tally_accuracy(const struct kws_tally *tally)
{
	double keywords =
		ratio((double)tally->keyword_windows_right, (double)tally->keyword_windows);
	double background =
		ratio((double)tally->background_windows_right, (double)tally->background_windows);
	if (tally->keyword_windows == 0) {
		return background;
	}
	return tally->background_windows == 0 ? keywords : (keywords + background) / 2.0;
}
