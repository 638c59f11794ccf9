/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KWS_DAEMON_NETWORK_H
#define KWS_DAEMON_NETWORK_H

#include <stddef.h>
#include <sys/stat.h>

#include "common/error.h"
#include "config/config.h"
#include "pipeline/pipeline.h"

/* A model in memory, and the file that it was when it was loaded. */
struct kws_network_model {
	struct kws_model *model;
	char path[KWS_CONFIG_VALUE_SIZE];
	struct stat file;
};

/* What a configuration needs beside the audio: models and the pipeline that runs them. All zero is
 * an empty one. Thread: loop. */
struct kws_network {
	size_t count;
	struct kws_network_model models[KWS_CONFIG_MODELS_MAX];
	struct kws_pipeline *pipeline;
};

/* Loads the configured models and makes a pipeline for them. Errors: those of kws_model_load(),
 * kws_model_set_check() and kws_pipeline_create(), with a sentence; then `network` is unchanged. */
int kws_network_init(struct kws_network *network, const struct kws_config *config,
	const struct kws_pipeline_sink *sink, struct kws_error *error);

/* Goes over to the models and the live settings of `config` while the stream goes on. A model whose
 * file is the same as before, or gone, stays as it is with all that it heard; others are loaded.
 * [model].hop_frames, [dsp] and [clips].preroll_ms must be those of before. Errors: as init; then
 * nothing has changed. */
int kws_network_update(
	struct kws_network *network, const struct kws_config *config, struct kws_error *error);

/* Accepts an empty one. */
void kws_network_finish(struct kws_network *network);

#endif
