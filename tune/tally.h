/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KWS_TUNE_TALLY_H
#define KWS_TUNE_TALLY_H

#include <stddef.h>
#include <stdint.h>

#include "bnn/graph.h"
#include "bnn/net.h"

/* What some settings did on a part of the data. Plain counts; begin with zeros. */

struct kws_tally_keyword {
	uint64_t spoken;
	uint64_t found;
	uint64_t wrong;        /* detections while another word was spoken, or once again */
	uint64_t false_alarms; /* detections where nothing was */
};

/* What came of one half of a corpus. */
struct kws_tally {
	/* of streams; of clips where the half has no streams */
	uint64_t hops;
	uint64_t hops_at_exit[KWS_EXITS_MAX + 1]; /* [0]: without speech */
	struct kws_net_stats computed;
	uint64_t background_hops; /* of streams, in which a detection would be a false alarm */
	/* windows whose right answer is known */
	uint64_t keyword_windows;
	uint64_t keyword_windows_right;
	uint64_t background_windows;
	uint64_t background_windows_right;
	struct kws_tally_keyword keywords[KWS_CLASSES_MAX];
};

/* The sum over the keywords, and rates; 0 where there is nothing to divide by. Thread: any. */
struct kws_tally_keyword kws_tally_total(const struct kws_tally *tally);
double kws_tally_hours(const struct kws_tally *tally, size_t hop_frames); /* of background */
double kws_tally_mean_exit(const struct kws_tally *tally);
double kws_tally_operations(const struct kws_tally *tally); /* binary and float, each hop */
/* The mean of both kinds of windows' shares that were answered right. */
double kws_tally_accuracy(const struct kws_tally *tally);

#endif
