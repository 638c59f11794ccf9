/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KWS_DAEMON_METRICS_H
#define KWS_DAEMON_METRICS_H

#include <jansson.h>

#include "common/error.h"

/* What `status` counts, in Prometheus' text format (exposition format 0.0.4). Thread: loop. */

/* `status` is the answer of the control method. The caller frees the text; NULL without memory. */
char *kws_metrics_text(const json_t *status);

/* Writes the text for node_exporter's textfile collector: beside the file first, then under its
 * name, so that no scrape sees half of it. Readable by all. Errors: KWS_EIO, with a sentence. */
int kws_metrics_write(const char *path, const char *text, struct kws_error *error);

#endif
