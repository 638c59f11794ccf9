/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline/histogram.h"

/* Below KWS_HISTOGRAM_STEPS each value has its bucket; from there on, each octave [8 * 2^e, 16 *
 * 2^e) has eight, of width 2^e. */
static size_t bucket_of(uint64_t value)
{
	size_t octave = 0;
	while (value >> octave >= 2 * KWS_HISTOGRAM_STEPS) {
		octave++;
	}
	size_t bucket = octave * KWS_HISTOGRAM_STEPS + (size_t)(value >> octave);
	return bucket < KWS_HISTOGRAM_BUCKETS ? bucket : KWS_HISTOGRAM_BUCKETS - 1;
}

static uint64_t last_of(size_t bucket)
{
	if (bucket < 2 * KWS_HISTOGRAM_STEPS) {
		return bucket;
	}
	size_t octave = bucket / KWS_HISTOGRAM_STEPS - 1;
	uint64_t step = KWS_HISTOGRAM_STEPS + bucket % KWS_HISTOGRAM_STEPS;
	return ((step + 1) << octave) - 1;
}

void kws_histogram_add(struct kws_histogram *histogram, uint64_t value_ns)
{
	histogram->count++;
	histogram->buckets[bucket_of(value_ns)]++;
}

uint64_t kws_histogram_percentile_ns(const struct kws_histogram *histogram, double share)
{
	double wanted = share * (double)histogram->count;
	uint64_t seen = 0;
	for (size_t i = 0; i < KWS_HISTOGRAM_BUCKETS; i++) {
		seen += histogram->buckets[i];
		if (histogram->buckets[i] > 0 && (double)seen >= wanted) {
			return last_of(i);
		}
	}
	return 0;
}
