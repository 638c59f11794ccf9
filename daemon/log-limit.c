/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/log-limit.h"

#include <stddef.h>

/* The kind's entry, or the one to use for it. */
static struct kws_log_kind *find(struct kws_log_limit *limit, const char *format)
{
	struct kws_log_kind *oldest = &limit->kinds[0];
	for (size_t i = 0; i < KWS_LOG_LIMIT_KINDS; i++) {
		struct kws_log_kind *kind = &limit->kinds[i];
		if (kind->format == format) {
			return kind;
		}
		if (oldest->format != NULL &&
			(kind->format == NULL || kind->began_ms < oldest->began_ms)) {
			oldest = kind;
		}
	}
	*oldest = (struct kws_log_kind){NULL, 0, 0};
	return oldest;
}

bool kws_log_limit_pass(
	struct kws_log_limit *limit, const char *format, uint64_t now_ms, unsigned *dropped)
{
	struct kws_log_kind *kind = find(limit, format);
	*dropped = 0;
	if (kind->format == NULL || now_ms - kind->began_ms >= KWS_LOG_LIMIT_PERIOD_MS) {
		if (kind->count > KWS_LOG_LIMIT_BURST) {
			*dropped = kind->count - KWS_LOG_LIMIT_BURST;
		}
		*kind = (struct kws_log_kind){format, now_ms, 0};
	}
	return ++kind->count <= KWS_LOG_LIMIT_BURST;
}
