/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KWS_DAEMON_NETWORK_H
#define KWS_DAEMON_NETWORK_H

#include <jansson.h>
#include <stdbool.h>
#include <sys/stat.h>

#include "bnn/model.h"
#include "common/error.h"
#include "config/config.h"
#include "pipeline/pipeline.h"

/* What a configuration needs beside the audio: a model and the pipeline that runs it. All zero is
 * an empty one. Thread: loop. */
struct kws_network {
	struct kws_model *model;
	struct stat model_file; /* when it was loaded */
	struct kws_pipeline *pipeline;
};

/* Loads the configured model and makes a pipeline for it. Errors: those of kws_model_load(),
 * kws_pipeline_check() and kws_pipeline_create(), with a sentence; then `network` is unchanged. */
int kws_network_init(struct kws_network *network, const struct kws_config *config,
	const struct kws_pipeline_sink *sink, struct kws_error *error);

/* Accepts an empty one. */
void kws_network_finish(struct kws_network *network);

/* Whether another file stands in the model's place, or the same was written anew. One that is gone
 * is no reason to give up the model in memory. */
bool kws_network_is_outdated(const struct kws_network *network, const char *path);

/* For the control method `status`; new reference, NULL without memory. */
json_t *kws_network_status(const struct kws_network *network);

#endif
