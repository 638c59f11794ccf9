/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KWS_DAEMON_LOG_LIMIT_H
#define KWS_DAEMON_LOG_LIMIT_H

#include <stdbool.h>
#include <stdint.h>

/* Keeps a fault that repeats from filling the journal: of each kind of message, some come through
 * in a period and the others are counted. A kind is a place in the code, told by the address of its
 * name. Thread: one. */

#define KWS_LOG_LIMIT_KINDS 32
#define KWS_LOG_LIMIT_BURST 30 /* messages of a kind in a period */
#define KWS_LOG_LIMIT_PERIOD_MS 60000

struct kws_log_limit {
	struct kws_log_kind {
		const char *place; /* NULL: unused */
		uint64_t began_ms; /* the period */
		unsigned count;    /* messages in it, dropped ones too */
	} kinds[KWS_LOG_LIMIT_KINDS];
};

/* Whether the message may be written; without a place it always may. `*dropped` is how many of its
 * kind were not, to be told before it; 0 for most. With more kinds than there is room for, the one
 * that began first is forgotten. */
bool kws_log_limit_pass(
	struct kws_log_limit *limit, const char *place, uint64_t now_ms, unsigned *dropped);

#endif
