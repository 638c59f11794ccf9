/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KWS_BNN_KEYWORD_DEFAULTS_H
#define KWS_BNN_KEYWORD_DEFAULTS_H

#include <jansson.h>
#include <stdbool.h>

#include "bnn/graph.h"
#include "common/error.h"

/* Whether a class of that name is something that can be spoken; "_silence_" and "_unknown_" are
 * not. Thread: any. RT-safe: yes. */
static inline bool kws_label_is_keyword(const char *label)
{
	return label[0] != '_';
}

/* What a model file says of its own keywords in the optional `kws.keywords` (docs/model-format.md):
 * how sure is sure enough, as found on validation data. bnn/ computes nothing with it. */
struct kws_keyword_defaults {
	double threshold[KWS_CLASSES_MAX]; /* 0..1; NaN: the file says nothing */
};

/* Reads the JSON text, which may be NULL: nothing is said. `labels` is a list of the classes'
 * names. Errors: KWS_EFORMAT, KWS_ENOMEM with a sentence. Thread: any. */
int kws_keyword_defaults_parse(struct kws_keyword_defaults *defaults, const char *text,
	const json_t *labels, struct kws_error *error);

#endif
