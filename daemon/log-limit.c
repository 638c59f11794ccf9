/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/log-limit.h"

#include <stddef.h>

/* The kind's entry, or the one to use for it. */
static struct kws_log_kind *find(struct kws_log_limit *limit, const char *place)
{
	struct kws_log_kind *oldest = &limit->kinds[0];
	for (size_t i = 0; i < KWS_LOG_LIMIT_KINDS; i++) {
		struct kws_log_kind *kind = &limit->kinds[i];
		if (kind->place == place) {
			return kind;
		}
		if (oldest->place != NULL &&
			(kind->place == NULL || kind->began_ms < oldest->began_ms)) {
			oldest = kind;
		}
	}
	*oldest = (struct kws_log_kind){NULL, 0, 0};
	return oldest;
}

bool kws_log_limit_pass(
	struct kws_log_limit *limit, const char *place, uint64_t now_ms, unsigned *dropped)
{
	*dropped = 0;
	if (place == NULL) {
		return true;
	}
	struct kws_log_kind *kind = find(limit, place);
	if (kind->place == NULL || now_ms - kind->began_ms >= KWS_LOG_LIMIT_PERIOD_MS) {
		if (kind->count > KWS_LOG_LIMIT_BURST) {
			*dropped = kind->count - KWS_LOG_LIMIT_BURST;
		}
		*kind = (struct kws_log_kind){place, now_ms, 0};
	}
	return ++kind->count <= KWS_LOG_LIMIT_BURST;
}
