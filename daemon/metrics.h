/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KWS_DAEMON_METRICS_H
#define KWS_DAEMON_METRICS_H

#include <jansson.h>
#include <stdbool.h>
#include <uv.h>

#include "common/error.h"
#include "config/config.h"

/* What `status` counts, in Prometheus' text format (exposition format 0.0.4). Thread: loop. */

/* `status` is the answer of the control method. The caller frees the text; NULL without memory. */
char *kws_metrics_text(const json_t *status);

/* Refuses to write where something lies that is no file of metrics: an empty one or one that kwsd
 * wrote is, a link is none. "" passes. Errors: KWS_EINVAL with a sentence. Thread: any that may
 * read the environment. */
int kws_metrics_file_check(const char *path, struct kws_error *error);

/* The file for node_exporter's textfile collector, written by a worker thread of libuv: a card can
 * take seconds for it. In the owner's memory, all zeros but for `failed`, and for as long as the
 * loop runs: it waits for what is under way. */
struct kws_metrics_file {
	void (*failed)(const char *reason); /* on the loop's thread: why it could not be written */
	uv_work_t work;
	char *text; /* being written; NULL: nothing is */
	char path[KWS_CONFIG_VALUE_SIZE];
	struct kws_error error;
	int result;
};

bool kws_metrics_file_is_busy(const struct kws_metrics_file *file);

/* Writes `text`, of malloc(), and frees it; nothing may be under way. Beside the file first, then
 * under its name, so that no scrape sees half of it. Readable by all. What kws_metrics_file_check()
 * refuses is left alone. */
void kws_metrics_file_write(
	struct kws_metrics_file *file, uv_loop_t *loop, const char *path, char *text);

#endif
