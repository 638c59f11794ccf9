/* SPDX-License-Identifier: Apache-2.0 */
#include "tune/corpus.h"

#include <stdlib.h>
#include <string.h>

#include "common/error.h"

int kws_corpus_add(struct kws_corpus *corpus, const struct kws_recording *recording)
{
	if (corpus->count == corpus->capacity) {
		size_t capacity = corpus->capacity * 2 + 16;
		void *grown = realloc(corpus->recordings, capacity * sizeof(*corpus->recordings));
		if (grown == NULL) {
			return KWS_ENOMEM;
		}
		corpus->recordings = grown;
		corpus->capacity = capacity;
	}
	corpus->recordings[corpus->count++] = *recording;
	if (recording->stream) {
		corpus->has_streams[KWS_HALF_SEARCH] |= recording->check_begin > 0;
		corpus->has_streams[KWS_HALF_CHECK] |= recording->check_begin != UINT64_MAX;
	}
	return 0;
}

void kws_corpus_finish(struct kws_corpus *corpus)
{
	for (size_t i = 0; i < corpus->count; i++) {
		kws_recording_finish(&corpus->recordings[i]);
	}
	free(corpus->recordings);
	memset(corpus, 0, sizeof(*corpus));
}
