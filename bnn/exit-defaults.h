/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KWS_BNN_EXIT_DEFAULTS_H
#define KWS_BNN_EXIT_DEFAULTS_H

#include <stddef.h>

#include "bnn/graph.h"
#include "common/error.h"

/* What a threshold may be of: "delta", "score", "margin" and "distance". */
#define KWS_THRESHOLD_KEYS 4
extern const char *const kws_threshold_keys[KWS_THRESHOLD_KEYS];

/* What a model file says of its own exits in the optional `kws.exits` (docs/model-format.md): how
 * far their logits are to be cooled, and when an answer is sure enough. bnn/ computes nothing with
 * it. */
struct kws_exit_defaults {
	float temperature[KWS_EXITS_MAX];
	float *thresholds[KWS_THRESHOLD_KEYS]; /* as kws_threshold_keys: [exits][classes]; NULL:
						  none */
};

/* Reads the JSON text, which may be NULL: temperatures 1, no thresholds. Errors: KWS_EFORMAT,
 * KWS_ENOMEM with a sentence; finish() is to be called in any case. Thread: any. */
int kws_exit_defaults_parse(struct kws_exit_defaults *defaults, const char *text,
	const struct kws_graph *graph, struct kws_error *error);

/* Frees what parse allocated; a zeroed struct is fine. */
void kws_exit_defaults_finish(struct kws_exit_defaults *defaults);

/* The thresholds of one of kws_threshold_keys, float [exits][classes]; NULL where the file has
 * none. Thread: any. RT-safe: yes. */
const float *kws_exit_defaults_thresholds(
	const struct kws_exit_defaults *defaults, const char *key);

#endif
