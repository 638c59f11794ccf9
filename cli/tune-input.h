/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KWS_CLI_TUNE_INPUT_H
#define KWS_CLI_TUNE_INPUT_H

#include <stdbool.h>

#include "bnn/model.h"
#include "config/config.h"
#include "tune/corpus.h"

/* What `kws tune` is given, read into a corpus. */
struct kws_tune_input {
	const struct kws_model *model;
	const struct kws_config *config;
	struct kws_corpus *corpus;
	const char *split; /* of lists: only rows with this split; NULL: all */
	bool halved;       /* each input has both halves; false: `half` says which one it is */
	enum kws_half half;
};

/* Each complains on the standard error and returns false where the input cannot be used. */

/* A list of clips: file, label and, as wanted, split and speaker; paths are relative to the list. A
 * label that is no keyword of the model is another word. */
bool kws_tune_input_clips(const struct kws_tune_input *input, const char *path);

/* A recording, with a table beside it (the same name, .tsv, .csv or .txt) of start and end in
 * seconds and the keyword. */
bool kws_tune_input_stream(const struct kws_tune_input *input, const char *path);

/* A recording in which no keyword is spoken. */
bool kws_tune_input_background(const struct kws_tune_input *input, const char *path);

/* So many minutes of the configuration's audio source, in which no keyword is spoken. */
bool kws_tune_input_record(const struct kws_tune_input *input, double minutes);

#endif
