/* SPDX-License-Identifier: Apache-2.0 */
#include "tune/halves.h"

#include <stdlib.h>
#include <string.h>

#include "bnn/graph.h"
#include "common/error.h"

/* What the halves have so far. */
struct counts {
	size_t of_label[KWS_CLASSES_MAX + 1][KWS_HALVES]; /* the last: words that are no keyword */
	size_t clips[KWS_HALVES];
	size_t keywords[KWS_HALVES];
};

/* In the order of the list. */
struct speakers {
	const char **names;
	size_t count;
};

static size_t *of_label(struct counts *counts, size_t label)
{
	return counts->of_label[label == KWS_SPOKEN_OTHER ? KWS_CLASSES_MAX : label];
}

static enum kws_half half_of_label(struct counts *counts, size_t label)
{
	const size_t *here = of_label(counts, label);
	if (here[KWS_HALF_SEARCH] == here[KWS_HALF_CHECK]) {
		here = counts->keywords;
	}
	return here[KWS_HALF_CHECK] < here[KWS_HALF_SEARCH] ? KWS_HALF_CHECK : KWS_HALF_SEARCH;
}

static enum kws_half half_of_speaker(struct speakers *speakers, const char *name)
{
	size_t i = 0;
	while (i < speakers->count && strcmp(speakers->names[i], name) != 0) {
		i++;
	}
	if (i == speakers->count) {
		speakers->names[speakers->count++] = name;
	}
	return i % 2 != 0 ? KWS_HALF_CHECK : KWS_HALF_SEARCH;
}

static bool both_have_some(const struct counts *counts)
{
	bool keywords = counts->keywords[KWS_HALF_SEARCH] + counts->keywords[KWS_HALF_CHECK] > 0;
	const size_t *what = keywords ? counts->keywords : counts->clips;
	return what[KWS_HALF_SEARCH] > 0 && what[KWS_HALF_CHECK] > 0;
}

/* Without `speakers` nobody is asked for. Returns whether both halves have what they need. */
static bool divide(struct kws_halves_clip *clips, size_t count, struct speakers *speakers)
{
	struct counts counts = {0};
	for (size_t i = 0; i < count; i++) {
		struct kws_halves_clip *clip = &clips[i];
		clip->half = speakers != NULL && clip->speaker != NULL
				     ? half_of_speaker(speakers, clip->speaker)
				     : half_of_label(&counts, clip->label);
		of_label(&counts, clip->label)[clip->half]++;
		counts.clips[clip->half]++;
		counts.keywords[clip->half] += clip->label != KWS_SPOKEN_OTHER;
	}
	return both_have_some(&counts);
}

int kws_halves_divide(struct kws_halves_clip *clips, size_t count, enum kws_halves_by *by)
{
	struct speakers speakers = {.names = calloc(count + 1, sizeof(*speakers.names))};
	if (speakers.names == NULL) {
		return KWS_ENOMEM;
	}
	bool good = divide(clips, count, &speakers);
	*by = speakers.count > 0 ? KWS_HALVES_BY_SPEAKER : KWS_HALVES_BY_LABEL;
	if (!good && speakers.count > 0) {
		divide(clips, count, NULL);
		*by = KWS_HALVES_TOO_FEW;
	}
	free(speakers.names);
	return 0;
}
