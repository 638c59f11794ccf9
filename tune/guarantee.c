/* SPDX-License-Identifier: Apache-2.0 */
#include "tune/guarantee.h"

#include "tune/poisson.h"

/* Where more events than this would have to be seen, the rate is too near to the one wanted, or
 * above it: nobody records so many hours. */
#define EVENTS_MAX 2000

/* Bisects: the more events, the nearer their bound is to them. */
static double find_hours(double rate, double wanted, double confidence)
{
	uint64_t low = 0;
	uint64_t high = EVENTS_MAX + 1;
	while (low < high) {
		uint64_t count = (low + high) / 2;
		/* the hours that these events would allow to say it in */
		double hours = kws_poisson_upper(count, confidence) / wanted;
		if (rate * hours <= (double)count) {
			high = count;
		} else {
			low = count + 1;
		}
	}
	return low <= EVENTS_MAX ? kws_poisson_upper(low, confidence) / wanted : 0.0;
}

struct kws_guarantee kws_guarantee_of(
	uint64_t false_alarms, double hours, double wanted, double confidence)
{
	struct kws_guarantee guarantee = {
		.bound = kws_poisson_upper(false_alarms, confidence) / hours};
	guarantee.kept = guarantee.bound <= wanted;
	guarantee.hours_needed = find_hours((double)false_alarms / hours, wanted, confidence);
	return guarantee;
}
