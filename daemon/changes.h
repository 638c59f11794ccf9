/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KWS_DAEMON_CHANGES_H
#define KWS_DAEMON_CHANGES_H

#include <stdbool.h>

#include "config/config.h"

/* What another configuration means to the running stream. Thread: loop. */
struct kws_changes {
	bool audio;    /* the source must be opened again */
	bool pipeline; /* what a pipeline is made for: a new one */
	bool folder;   /* clips go elsewhere */
};

struct kws_changes kws_changes_find(const struct kws_config *old, const struct kws_config *new);

/* One line for each key that differs. */
void kws_changes_log(const struct kws_config *old, const struct kws_config *new);

#endif
