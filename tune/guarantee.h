/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KWS_TUNE_GUARANTEE_H
#define KWS_TUNE_GUARANTEE_H

#include <stdbool.h>
#include <stdint.h>

/* What a count of false alarms in some hours allows to say of their rate. */
struct kws_guarantee {
	double bound;        /* false alarms per hour, at most, with the confidence */
	bool kept;           /* the bound is within what was wanted */
	double hours_needed; /* for that, should the rate stay as it was seen; 0: no number of hours
				worth recording will do, the rate is too near or above */
};

/* `hours` above 0, `wanted` false alarms per hour above 0. The hours must not be those that the
 * settings were chosen by. Thread: any. */
struct kws_guarantee kws_guarantee_of(
	uint64_t false_alarms, double hours, double wanted, double confidence);

#endif
