/* SPDX-License-Identifier: Apache-2.0 */
#include "tune/guarantee.h"

#include "tune/poisson.h"

/* Where more events than this would have to be seen, the rate is too near to the one wanted, or
 * above it: nobody records so many hours. */
#define EVENTS_MAX 2000

static double find_hours(double rate, double wanted, double confidence)
{
	for (uint64_t count = 0; count <= EVENTS_MAX && rate < wanted; count++) {
		/* the hours that these events would allow to say it in */
		double hours = kws_poisson_upper(count, confidence) / wanted;
		if (rate * hours <= (double)count) {
			return hours;
		}
	}
	return 0.0;
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
