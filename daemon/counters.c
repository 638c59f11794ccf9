/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/counters.h"

#include <stdio.h>
#include <string.h>

/* Its index, KWS_COUNTERS_MAX where it has none. */
static size_t find(const struct kws_counters *counters, const char *model, const char *keyword)
{
	size_t count = counters->found < KWS_COUNTERS_MAX ? counters->found : KWS_COUNTERS_MAX;
	for (size_t i = 0; i < count; i++) {
		if (strncmp(counters->items[i].model, model, KWS_COUNTERS_MODEL_SIZE - 1) == 0 &&
			strcmp(counters->items[i].keyword, keyword) == 0) {
			return i;
		}
	}
	return KWS_COUNTERS_MAX;
}

static size_t begin(struct kws_counters *counters, const char *model, const char *keyword)
{
	size_t i = counters->found++ % KWS_COUNTERS_MAX;
	snprintf(counters->items[i].model, KWS_COUNTERS_MODEL_SIZE, "%s", model);
	snprintf(counters->items[i].keyword, KWS_LABEL_SIZE, "%s", keyword);
	counters->items[i].counts = (struct kws_counter){0};
	return i;
}

void kws_counters_add(
	struct kws_counters *counters, const char *model, const char *keyword, bool detection)
{
	size_t i = find(counters, model, keyword);
	if (i == KWS_COUNTERS_MAX) {
		i = begin(counters, model, keyword);
	}
	counters->items[i].counts.detections += detection;
	counters->items[i].counts.near_misses += !detection;
}

struct kws_counter kws_counters_get(
	const struct kws_counters *counters, const char *model, const char *keyword)
{
	size_t i = find(counters, model, keyword);
	return i < KWS_COUNTERS_MAX ? counters->items[i].counts : (struct kws_counter){0};
}
