/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KWS_TUNE_POISSON_H
#define KWS_TUNE_POISSON_H

#include <stdint.h>

/* What a count of rare, independent events says of their rate: the exact (Clopper-Pearson style)
 * limits of Garwood, "Fiducial limits for the Poisson distribution", 1936. They equal quantiles of
 * the chi-square distribution: lower = chi2(p, 2 k) / 2, upper = chi2(p, 2 k + 2) / 2. */

struct kws_poisson_interval {
	double lower;
	double upper;
};

/* The probability of at most `count` events where `mean` (from 0) are expected. Thread: any. */
double kws_poisson_cdf(uint64_t count, double mean);

/* The mean of which one may say, having seen `count`: it is at most this, and be right with
 * probability `confidence` (0..1, exclusive), whatever the mean is. Thread: any. */
double kws_poisson_upper(uint64_t count, double confidence);

/* The two-sided interval of the mean: either end is missed with (1 - confidence) / 2. Thread: any.
 */
struct kws_poisson_interval kws_poisson_interval(uint64_t count, double confidence);

#endif
