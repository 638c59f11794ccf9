/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KWS_TUNE_HALVES_H
#define KWS_TUNE_HALVES_H

#include <stdbool.h>
#include <stddef.h>

#include "tune/recording.h"

/* Which half each clip of a list is for. */

struct kws_halves_clip {
	const char *speaker; /* NULL: not known */
	size_t label;        /* of the model, below KWS_CLASSES_MAX, or KWS_SPOKEN_OTHER */
	enum kws_half half;  /* what is found */
};

enum kws_halves_by {
	KWS_HALVES_BY_SPEAKER, /* every second one that is named, in the order of the list */
	KWS_HALVES_BY_LABEL,   /* nobody is named */
	KWS_HALVES_TOO_FEW,    /* by label, although speakers are named */
};

/* Fills in the halves of `count` clips; a list with two keywords or more has some in both. A clip
 * whose speaker is not known goes to the half that has fewer of its label, then to the one that has
 * fewer keywords, then to that to search on. Clips of speakers go the same way where whole speakers
 * leave a half without a keyword, or without a clip if the list has no keyword. Depends on nothing
 * but the list. Errors: KWS_ENOMEM. Thread: any. */
int kws_halves_divide(struct kws_halves_clip *clips, size_t count, enum kws_halves_by *by);

#endif
