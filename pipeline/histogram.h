/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KWS_PIPELINE_HISTOGRAM_H
#define KWS_PIPELINE_HISTOGRAM_H

#include <stddef.h>
#include <stdint.h>

/* Counts of durations in buckets whose width grows with the value: a percentile is at most an
 * eighth too large, for any number of values in fixed memory. All zero is empty. Thread: the
 * owner's. RT-safe: yes. */

#define KWS_HISTOGRAM_STEPS 8 /* buckets in an octave */
#define KWS_HISTOGRAM_BUCKETS (KWS_HISTOGRAM_STEPS * 40)

struct kws_histogram {
	uint64_t count;
	uint64_t buckets[KWS_HISTOGRAM_BUCKETS];
};

/* Values of 2^42 ns (73 minutes) and more count as the largest that has a bucket. */
void kws_histogram_add(struct kws_histogram *histogram, uint64_t value_ns);

/* The upper end of the bucket with the value that `share` (0..1) of all values do not exceed; 0
 * when empty. */
uint64_t kws_histogram_percentile_ns(const struct kws_histogram *histogram, double share);

#endif
