/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/changes.h"

#include <string.h>

#include "daemon/log.h"

static void note_change(void *user, const char *key, const char *value, enum kws_apply apply)
{
	struct kws_changes *changes = user;
	(void)value;
	if (apply == KWS_APPLY_STREAM) {
		bool audio = strncmp(key, "audio.", strlen("audio.")) == 0;
		changes->audio = changes->audio || audio;
		changes->pipeline = changes->pipeline || !audio;
	}
	changes->folder = changes->folder || strcmp(key, "clips.folder") == 0;
}

struct kws_changes kws_changes_find(const struct kws_config *old, const struct kws_config *new)
{
	struct kws_changes changes = {.audio = false};
	kws_config_diff(old, new, note_change, &changes);
	return changes;
}

static void log_change(void *user, const char *key, const char *value, enum kws_apply apply)
{
	(void)user;
	kws_log_info("%s = %s%s", key, value,
		apply == KWS_APPLY_RESTART ? " (comes about with a restart of kwsd)" : "");
}

void kws_changes_log(const struct kws_config *old, const struct kws_config *new)
{
	kws_config_diff(old, new, log_change, NULL);
}
