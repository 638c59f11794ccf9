/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/tally.h"

#include <stdio.h>
#include <string.h>

/* Its index, KWS_TALLY_MAX where it has none. */
static size_t find(const struct kws_tally *tally, const char *model, const char *keyword)
{
	size_t count = tally->found < KWS_TALLY_MAX ? tally->found : KWS_TALLY_MAX;
	for (size_t i = 0; i < count; i++) {
		if (strncmp(tally->items[i].model, model, KWS_TALLY_MODEL_SIZE - 1) == 0 &&
			strcmp(tally->items[i].keyword, keyword) == 0) {
			return i;
		}
	}
	return KWS_TALLY_MAX;
}

static size_t begin(struct kws_tally *tally, const char *model, const char *keyword)
{
	size_t i = tally->found++ % KWS_TALLY_MAX;
	snprintf(tally->items[i].model, KWS_TALLY_MODEL_SIZE, "%s", model);
	snprintf(tally->items[i].keyword, KWS_LABEL_SIZE, "%s", keyword);
	tally->items[i].counts = (struct kws_tally_counts){0};
	return i;
}

void kws_tally_add(struct kws_tally *tally, const char *model, const char *keyword, bool detection)
{
	size_t i = find(tally, model, keyword);
	if (i == KWS_TALLY_MAX) {
		i = begin(tally, model, keyword);
	}
	tally->items[i].counts.detections += detection;
	tally->items[i].counts.near_misses += !detection;
}

struct kws_tally_counts kws_tally_counts(
	const struct kws_tally *tally, const char *model, const char *keyword)
{
	size_t i = find(tally, model, keyword);
	return i < KWS_TALLY_MAX ? tally->items[i].counts : (struct kws_tally_counts){0};
}
