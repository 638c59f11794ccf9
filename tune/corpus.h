/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KWS_TUNE_CORPUS_H
#define KWS_TUNE_CORPUS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tune/recording.h"

/* Everything that is tuned on. */
struct kws_corpus {
	struct kws_recording *recordings;
	size_t count;
	size_t capacity;
	bool has_streams[KWS_HALVES];
};

/* Takes the recording's content over. Errors: KWS_ENOMEM; it is the caller's then. */
int kws_corpus_add(struct kws_corpus *corpus, const struct kws_recording *recording);

/* A zeroed corpus is fine. */
void kws_corpus_finish(struct kws_corpus *corpus);

#endif
