/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/tune-input.h"

#include <assert.h>
#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/audio-file.h"
#include "cli/terminal.h"
#include "dsp/mel.h"
#include "pipeline/input.h"
#include "pipeline/resolve.h"
#include "tune/halves.h"
#include "tune/table.h"
#include "tune/truth.h"

#define SILENCE_S 1u /* before and after a clip: what a window holds */
#define SILENCE_FRAMES 512
#define DAY_S 86400.0

/* One recording that is being read. */
struct reader {
	const struct kws_tune_input *input;
	struct kws_recording recording;
	struct kws_recorder *recorder;
	struct kws_audio_format format;
	bool clip;
	uint64_t frames_left; /* of the source; a limit for what has no end */
};

static bool complain(const char *path, const struct kws_error *error)
{
	fprintf(stderr, "kws: %s: %s\n", path, error->text);
	return false;
}

static int push_silence(struct reader *reader, struct kws_error *error)
{
	int16_t *zeros = calloc((size_t)SILENCE_FRAMES * reader->format.channels, sizeof(*zeros));
	size_t left = (size_t)SILENCE_S * reader->format.rate_hz;
	int result = zeros != NULL ? 0 : kws_fail(error, KWS_ENOMEM, "out of memory");
	while (left > 0 && result == 0) {
		size_t count = left < SILENCE_FRAMES ? left : SILENCE_FRAMES;
		result = kws_recorder_push(reader->recorder, zeros, count, error);
		left -= count;
	}
	free(zeros);
	return result;
}

static int open_audio(void *user, const struct kws_audio_format *format, struct kws_error *error)
{
	struct reader *reader = user;
	/* the channel is the device's; a recording with one channel has nothing to choose from */
	int channel = format->channels > 1 ? reader->input->config->audio.channel : 0;
	reader->format = *format;
	int result = kws_recorder_open(
		reader->recorder, format->rate_hz, format->channels, (unsigned)channel, error);
	return result == 0 && reader->clip ? push_silence(reader, error) : result;
}

static int take_frames(void *user, const int16_t *frames, size_t count, struct kws_error *error)
{
	struct reader *reader = user;
	bool enough = count >= reader->frames_left;
	count = enough ? (size_t)reader->frames_left : count;
	reader->frames_left -= count;
	int result = kws_recorder_push(reader->recorder, frames, count, error);
	return result == 0 && enough ? 1 : result;
}

static void take_gap(void *user, uint64_t lost_frames)
{
	struct reader *reader = user;
	kws_recorder_gap(reader->recorder, lost_frames);
}

static bool begin(struct reader *reader, const struct kws_tune_input *input, const char *path)
{
	memset(reader, 0, sizeof(*reader));
	reader->input = input;
	reader->frames_left = UINT64_MAX;
	reader->recording.name = strdup(path);
	if (reader->recording.name == NULL || kws_recorder_create(&reader->recorder, input->model,
						      input->config, &reader->recording) != 0) {
		kws_recording_finish(&reader->recording);
		fprintf(stderr, "kws: out of memory\n");
		return false;
	}
	return true;
}

static struct kws_audio_file_taker taker_of(struct reader *reader)
{
	return (struct kws_audio_file_taker){open_audio, take_frames, take_gap, reader};
}

/* Ends what begin() began: the recording goes into the corpus, or is thrown away. */
static bool end(struct reader *reader, bool good)
{
	kws_recorder_destroy(reader->recorder);
	kws_truth_mark(&reader->recording);
	if (good && kws_corpus_add(reader->input->corpus, &reader->recording) == 0) {
		return true;
	}
	if (good) {
		fprintf(stderr, "kws: out of memory\n");
	}
	kws_recording_finish(&reader->recording);
	return false;
}

/* Where the half to check on begins. */
static uint64_t check_begin(const struct kws_tune_input *input, bool in_check, uint64_t middle)
{
	if (input->halved && middle > 0) {
		return middle;
	}
	bool check = input->halved ? in_check : input->half == KWS_HALF_CHECK;
	return check ? 0 : UINT64_MAX;
}

static_assert(KWS_SPOKEN_OTHER == SIZE_MAX, "what kws_resolve_keyword() gives");

/* A keyword that is not enabled is a word as any other: it cannot be missed. */
static size_t label_of(const struct kws_tune_input *input, const char *word)
{
	bool enabled = kws_config_keyword(input->config, word).enabled;
	return enabled ? kws_resolve_keyword(input->model, word) : KWS_SPOKEN_OTHER;
}

static char plain(char letter)
{
	return letter == ' ' || letter == '-' ? '_' : (char)tolower((unsigned char)letter);
}

/* Whether `word` may be meant as class `label`: "Smart Mirror" as smart_mirror. */
static bool looks_like(const struct kws_model *model, const char *word, size_t label)
{
	const char *keyword = kws_model_label(model, label);
	size_t i = 0;
	while (word[i] != '\0' && plain(word[i]) == plain(keyword[i])) {
		i++;
	}
	return word[i] == keyword[i] && kws_resolve_keyword(model, keyword) == label &&
	       kws_resolve_keyword(model, word) == KWS_SPOKEN_OTHER;
}

/* As other speech they must not be detected, which is hardly what such a table is for. */
static void tell_lookalikes(const struct kws_tune_input *input, const char *path,
	const struct kws_table *table, size_t column)
{
	for (size_t label = 0; label < kws_model_label_count(input->model); label++) {
		const char *word = NULL;
		size_t count = 0;
		for (size_t i = 0; i < table->count; i++) {
			const char *cell = table->rows[i].cells[column];
			if (looks_like(input->model, cell, label)) {
				word = cell;
				count++;
			}
		}
		if (word != NULL) {
			fprintf(stderr, "%s: %zu like '", path, count);
			kws_terminal_text(stderr, word);
			fputs("': no keyword of this model, which has '", stderr);
			kws_terminal_text(stderr, kws_model_label(input->model, label));
			fputs("', so taken as other speech\n", stderr);
		}
	}
}

static bool read_clip(
	const struct kws_tune_input *input, const char *path, size_t label, bool in_check)
{
	struct reader reader;
	struct kws_error error;
	if (!begin(&reader, input, path)) {
		return false;
	}
	reader.clip = true;
	struct kws_audio_file_taker taker = taker_of(&reader);
	int result = kws_audio_file_read(path, &taker, &error);
	struct kws_spoken spoken = {
		label, SILENCE_S * KWS_SAMPLE_RATE_HZ, reader.recording.samples};
	if (result == 0) {
		result = push_silence(&reader, &error);
	}
	if (result != 0) {
		complain(path, &error);
	} else if (kws_recording_add_spoken(&reader.recording, &spoken) != 0) {
		fprintf(stderr, "kws: out of memory\n");
		result = KWS_ENOMEM;
	}
	reader.recording.check_begin = check_begin(input, in_check, 0);
	return end(&reader, result == 0);
}

/* `path` as seen from the folder of `list`; the caller frees it. */
static char *beside(const char *list, const char *path)
{
	const char *slash = strrchr(list, '/');
	size_t folder = slash != NULL && path[0] != '/' ? (size_t)(slash - list) + 1 : 0;
	size_t size = folder + strlen(path) + 1;
	char *joined = malloc(size);
	if (joined != NULL) {
		snprintf(joined, size, "%.*s%s", (int)folder, list, path);
	}
	return joined;
}

enum clip_column { CLIP_FILE, CLIP_LABEL, CLIP_SPLIT, CLIP_SPEAKER, CLIP_COLUMNS };

static bool read_row(const struct kws_tune_input *input, const char *list,
	const struct kws_table_row *row, const struct kws_halves_clip *clip)
{
	char *path = beside(list, row->cells[CLIP_FILE]);
	if (path == NULL) {
		fprintf(stderr, "kws: out of memory\n");
		return false;
	}
	bool read = read_clip(input, path, clip->label, clip->half == KWS_HALF_CHECK);
	free(path);
	return read;
}

/* Returns the halves of the rows, which the caller frees, or NULL after a complaint. */
static struct kws_halves_clip *halve(
	const struct kws_tune_input *input, const char *path, const struct kws_table *table)
{
	enum kws_halves_by by;
	struct kws_halves_clip *clips = calloc(table->count, sizeof(*clips));
	for (size_t i = 0; clips != NULL && i < table->count; i++) {
		const struct kws_table_row *row = &table->rows[i];
		clips[i].speaker = row->cells[CLIP_SPEAKER];
		clips[i].label = label_of(input, row->cells[CLIP_LABEL]);
	}
	if (clips == NULL || kws_halves_divide(clips, table->count, &by) != 0) {
		fprintf(stderr, "kws: out of memory\n");
		free(clips);
		return NULL;
	}
	if (input->halved && by == KWS_HALVES_TOO_FEW) {
		fprintf(stderr,
			"%s: too few speakers to halve by, so its clips are halved one by one: "
			"voices may be in both halves\n",
			path);
	}
	return clips;
}

static bool read_rows(
	const struct kws_tune_input *input, const char *path, const struct kws_table *table)
{
	struct kws_halves_clip *clips = halve(input, path, table);
	bool good = clips != NULL;
	for (size_t i = 0; i < table->count && good; i++) {
		good = read_row(input, path, &table->rows[i], &clips[i]);
	}
	free(clips);
	return good;
}

static void keep_split(struct kws_table *table, const char *wanted)
{
	size_t kept = 0;
	for (size_t i = 0; i < table->count; i++) {
		const char *split = table->rows[i].cells[CLIP_SPLIT];
		if (wanted == NULL || (split != NULL && strcmp(split, wanted) == 0)) {
			table->rows[kept++] = table->rows[i];
		}
	}
	table->count = kept;
}

bool kws_tune_input_clips(const struct kws_tune_input *input, const char *path)
{
	static const struct kws_table_column columns[CLIP_COLUMNS] = {
		[CLIP_FILE] = {"file|path|clip", true},
		[CLIP_LABEL] = {"label|word|keyword", true},
		[CLIP_SPLIT] = {"split", false},
		[CLIP_SPEAKER] = {"speaker", false},
	};
	struct kws_table table;
	struct kws_error error;
	if (kws_table_read(&table, path, columns, CLIP_COLUMNS, &error) != 0) {
		return complain(path, &error);
	}
	keep_split(&table, input->split);
	bool good = table.count > 0;
	tell_lookalikes(input, path, &table, CLIP_LABEL);
	if (good) {
		good = read_rows(input, path, &table);
	} else {
		fprintf(stderr, "kws: %s: the list has no clip%s%s\n", path,
			input->split != NULL ? " of the split " : "",
			input->split != NULL ? input->split : "");
	}
	kws_table_finish(&table);
	return good;
}

static bool parse_seconds(const char *text, uint64_t *sample)
{
	char *rest;
	double seconds = strtod(text, &rest);
	if (rest == text || *rest != '\0' || !(seconds >= 0.0 && seconds < 1000.0 * DAY_S)) {
		return false;
	}
	*sample = (uint64_t)llround(seconds * KWS_SAMPLE_RATE_HZ);
	return true;
}

enum label_column { LABEL_START, LABEL_END, LABEL_NAME, LABEL_COLUMNS };

static bool add_label(struct reader *reader, const char *path, const struct kws_table_row *row)
{
	struct kws_spoken spoken = {.label = label_of(reader->input, row->cells[LABEL_NAME])};
	const struct kws_recording *recording = &reader->recording;
	const char *problem = NULL;
	if (!parse_seconds(row->cells[LABEL_START], &spoken.begin) ||
		!parse_seconds(row->cells[LABEL_END], &spoken.end)) {
		problem = "start and end are no numbers of seconds";
	} else if (spoken.end <= spoken.begin) {
		problem = "the end is not after the start";
	} else if (recording->spoken_count > 0 &&
		   recording->spoken[recording->spoken_count - 1].begin > spoken.begin) {
		problem = "it begins before the one above";
	} else if (spoken.begin > recording->samples) {
		problem = "it begins after the end of the recording";
	} else if (kws_recording_add_spoken(&reader->recording, &spoken) != 0) {
		problem = "out of memory";
	}
	if (problem != NULL) {
		fprintf(stderr, "kws: %s:%d: %s\n", path, row->line, problem);
	}
	return problem == NULL;
}

static bool read_labels(struct reader *reader, const char *path)
{
	static const struct kws_table_column columns[LABEL_COLUMNS] = {
		[LABEL_START] = {"start|begin", true},
		[LABEL_END] = {"end", true},
		[LABEL_NAME] = {"label|word|keyword", true},
	};
	struct kws_table table;
	struct kws_error error;
	if (kws_table_read(&table, path, columns, LABEL_COLUMNS, &error) != 0) {
		return complain(path, &error);
	}
	tell_lookalikes(reader->input, path, &table, LABEL_NAME);
	bool good = true;
	for (size_t i = 0; i < table.count && good; i++) {
		good = add_label(reader, path, &table.rows[i]);
	}
	kws_table_finish(&table);
	return good;
}

/* The table beside a recording; the caller frees it. NULL: there is none. */
static char *find_labels(const char *path)
{
	static const char *const suffixes[] = {".tsv", ".csv", ".txt"};
	const char *slash = strrchr(path, '/');
	const char *dot = strrchr(slash != NULL ? slash : path, '.');
	size_t stem = dot != NULL ? (size_t)(dot - path) : strlen(path);
	char *labels = malloc(stem + sizeof(".tsv"));
	for (size_t i = 0; labels != NULL && i < sizeof(suffixes) / sizeof(suffixes[0]); i++) {
		memcpy(labels, path, stem);
		strcpy(labels + stem, suffixes[i]);
		if (access(labels, F_OK) == 0) {
			return labels;
		}
	}
	free(labels);
	return NULL;
}

static bool read_stream(const struct kws_tune_input *input, const char *path, const char *labels)
{
	struct reader reader;
	struct kws_error error;
	if (!begin(&reader, input, path)) {
		return false;
	}
	reader.recording.stream = true;
	struct kws_audio_file_taker taker = taker_of(&reader);
	bool good = kws_audio_file_read(path, &taker, &error) == 0;
	if (!good) {
		complain(path, &error);
	} else if (reader.recording.hop_count == 0) {
		fprintf(stderr, "kws: %s: shorter than the window of %d ms\n", path,
			KWS_WINDOW_FRAMES * 10);
		good = false;
	} else if (labels != NULL) {
		good = read_labels(&reader, labels);
	}
	reader.recording.check_begin = check_begin(input, false, reader.recording.samples / 2);
	return end(&reader, good);
}

bool kws_tune_input_stream(const struct kws_tune_input *input, const char *path)
{
	char *labels = find_labels(path);
	if (labels == NULL) {
		fprintf(stderr,
			"kws: %s: no labels: a .tsv, .csv or .txt of that name, with start, end "
			"and keyword, must stand beside it\n",
			path);
		return false;
	}
	bool good = read_stream(input, path, labels);
	free(labels);
	return good;
}

bool kws_tune_input_background(const struct kws_tune_input *input, const char *path)
{
	return read_stream(input, path, NULL);
}

static int open_live(void *user, const struct kws_audio_format *format, struct kws_error *error)
{
	struct reader *reader = user;
	/* until here it was the time of a source whose rate nobody knew */
	reader->frames_left = reader->frames_left * format->rate_hz / 1000;
	return open_audio(user, format, error);
}

bool kws_tune_input_record(const struct kws_tune_input *input, double minutes)
{
	const struct kws_config *config = input->config;
	struct kws_source_config source = kws_input_source(config);
	struct reader reader;
	struct kws_error error;
	if (kws_input_check(config, &error) != 0) {
		return complain("--record", &error);
	}
	source.realtime = false; /* nobody waits for what a file says, and nothing is dropped */
	if (!begin(&reader, input, "(recorded)")) {
		return false;
	}
	reader.recording.stream = true;
	reader.frames_left = (uint64_t)(minutes * 60000.0);
	struct kws_audio_file_taker taker = taker_of(&reader);
	taker.open = open_live;
	bool good = kws_audio_source_read(&source, &taker, &error) == 0;
	if (!good) {
		complain(source.type, &error);
	}
	reader.recording.check_begin = check_begin(input, false, reader.recording.samples / 2);
	return end(&reader, good);
}
