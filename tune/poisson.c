/* SPDX-License-Identifier: Apache-2.0 */
#include "tune/poisson.h"

#include <math.h>

#define HALVINGS 200 /* more than a double has room for */

double kws_poisson_cdf(uint64_t count, double mean)
{
	double sum = 0.0;
	if (mean <= 0.0) {
		return 1.0;
	}
	/* in logarithms: neither the power nor the factorial fits for large counts */
	double log_term = -mean;
	for (uint64_t i = 0; i <= count; i++) {
		sum += exp(log_term);
		log_term += log(mean) - log((double)i + 1.0);
	}
	return sum < 1.0 ? sum : 1.0;
}

/* The mean at which at most `count` events have this probability; the probability falls with the
 * mean. */
static double mean_of(uint64_t count, double probability)
{
	double low = 0.0;
	double high = (double)count + 1.0;
	while (kws_poisson_cdf(count, high) > probability) {
		high *= 2.0;
	}
	for (int i = 0; i < HALVINGS; i++) {
		double middle = (low + high) / 2.0;
		if (middle <= low || middle >= high) {
			break;
		}
		if (kws_poisson_cdf(count, middle) > probability) {
			low = middle;
		} else {
			high = middle;
		}
	}
	return high;
}

double kws_poisson_upper(uint64_t count, double confidence)
{
	return mean_of(count, 1.0 - confidence);
}

struct kws_poisson_interval kws_poisson_interval(uint64_t count, double confidence)
{
	double tail = (1.0 - confidence) / 2.0;
	return (struct kws_poisson_interval){
		.lower = count > 0 ? mean_of(count - 1, 1.0 - tail) : 0.0,
		.upper = mean_of(count, tail),
	};
}
