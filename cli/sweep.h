/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KWS_CLI_SWEEP_H
#define KWS_CLI_SWEEP_H

#include "pipeline/pipeline.h"

/* What other thresholds would have detected in the hops of one model: a decider for each of them
 * gets the same posteriors. The exits stay as the pipeline decided them. */
struct kws_sweep;

#define KWS_SWEEP_MAX 64 /* thresholds */

/* For the thresholds that `text` lists with commas between them, each of them for every keyword;
 * `model` must outlive it, of `config` all but the thresholds counts. Errors: KWS_EINVAL (no such
 * list), KWS_ENOMEM, those of kws_decider_create(), with a sentence. */
int kws_sweep_create(struct kws_sweep **out, const char *text, const struct kws_model *model,
	const struct kws_config *config, struct kws_error *error);

/* Accepts NULL. */
void kws_sweep_destroy(struct kws_sweep *sweep);

/* Another stream begins. */
void kws_sweep_restart(struct kws_sweep *sweep);

/* Takes the model's next hop in, from within its sink, and tells the events of each
 * threshold, in the order of the list. */
void kws_sweep_push(struct kws_sweep *sweep, const struct kws_hop *hop,
	const struct kws_level *level, const struct kws_pipeline_sink *sink);

#endif
