/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/clips.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <sndfile.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "common/error.h"
#include "dsp/mel.h"
#include "ipc/event.h"

#define STEM_BYTES 128 /* of a clip's name without its suffix */
#define TIME_BYTES 19  /* of it: its time, to the millisecond */
#define PART ".part"   /* instead of the suffix, until the file is whole */

struct kws_clips {
	uv_loop_t *loop;
	void (*failed)(void *user, const char *reason);
	void *user;
	struct job *first; /* the only one that the pool has; those after it wait */
	struct job **end;  /* where the next one is to be linked */
	size_t waiting;    /* all of them */
	bool over;
	struct kws_clips_counts counts;
};

/* One clip on its way; while it is the first, the worker thread has it alone but for `next`. */
struct job {
	uv_work_t work;
	struct job *next;
	struct kws_clips *clips;
	char folder[PATH_MAX];
	char stem[STEM_BYTES];
	uint64_t quota_bytes;
	char *text; /* the event */
	uint64_t removed;
	char reason[256]; /* "" on success */
	size_t count;
	int16_t samples[];
};

int kws_clips_create(struct kws_clips **out, uv_loop_t *loop,
	void (*failed)(void *user, const char *reason), void *user)
{
	struct kws_clips *clips = calloc(1, sizeof(*clips));
	if (clips == NULL) {
		return KWS_ENOMEM;
	}
	clips->loop = loop;
	clips->failed = failed;
	clips->user = user;
	clips->end = &clips->first;
	*out = clips;
	return 0;
}

void kws_clips_destroy(struct kws_clips *clips)
{
	if (clips == NULL) {
		return;
	}
	clips->over = true;
	if (clips->first == NULL) {
		free(clips);
	}
}

struct kws_clips_counts kws_clips_counts(const struct kws_clips *clips)
{
	return clips->counts;
}

/* The names sort by time. What a file's name cannot hold is a '_'. */
static void make_stem(char *stem, const char *name, int64_t time_ms)
{
	struct tm utc;
	time_t seconds = (time_t)(time_ms / 1000);
	gmtime_r(&seconds, &utc);
	size_t length = strftime(stem, STEM_BYTES, "%Y%m%dT%H%M%S", &utc);
	snprintf(stem + length, STEM_BYTES - length, ".%03dZ-%.64s", (int)(time_ms % 1000), name);
	for (char *c = stem + length; *c != '\0'; c++) {
		*c = *c == '/' || (unsigned char)*c < ' ' ? '_' : *c;
	}
}

static void path_of(const struct job *job, const char *suffix, char path[2 * PATH_MAX])
{
	snprintf(path, 2 * PATH_MAX, "%s/%s%s", job->folder, job->stem, suffix);
}

/* Parts too: one that a power cut left would stay for ever. None is in work while room is made. */
static bool is_clip(const char *name)
{
	size_t length = strlen(name);
	return length > 25 && name[8] == 'T' && name[15] == '.' && name[19] == 'Z' &&
	       name[20] == '-' &&
	       (strcmp(name + length - 4, ".wav") == 0 || strcmp(name + length - 5, ".json") == 0 ||
		       strcmp(name + length - 5, PART) == 0);
}

static int select_clips(const struct dirent *entry)
{
	return is_clip(entry->d_name);
}

static uint64_t size_of(const char *folder, const char *name, char path[2 * PATH_MAX])
{
	struct stat status;
	snprintf(path, 2 * PATH_MAX, "%s/%s", folder, name);
	return stat(path, &status) == 0 ? (uint64_t)status.st_size : 0;
}

/* The first of the sorted entries whose time lies ahead of the job's. The clock went back since it
 * was saved, and by its name it would never be the oldest. */
static int find_ahead(const struct job *job, struct dirent *const *entries, int count)
{
	int i = 0;
	while (i < count && strncmp(entries[i]->d_name, job->stem, TIME_BYTES) <= 0) {
		i++;
	}
	return i;
}

/* Removes the oldest files until `wanted` more bytes fit under the quota: first those ahead of the
 * clock, then those behind it, each by their names. */
static void make_room(struct job *job, uint64_t wanted)
{
	char path[2 * PATH_MAX];
	struct dirent **entries = NULL; /* and so it stays without a folder */
	uint64_t total = wanted;
	int count = scandir(job->folder, &entries, select_clips, alphasort);
	for (int i = 0; i < count; i++) {
		total += size_of(job->folder, entries[i]->d_name, path);
	}
	int ahead = find_ahead(job, entries, count);
	for (int i = 0; i < count; i++) {
		struct dirent *entry = entries[(ahead + i) % count];
		uint64_t size = size_of(job->folder, entry->d_name, path);
		if (total > job->quota_bytes && unlink(path) == 0) {
			total -= size;
			job->removed++;
		}
		free(entry);
	}
	free(entries);
}

static bool write_wav(struct job *job, const char *path)
{
	SF_INFO info = {.samplerate = KWS_SAMPLE_RATE_HZ,
		.channels = 1,
		.format = SF_FORMAT_WAV | SF_FORMAT_PCM_16};
	SNDFILE *file = sf_open(path, SFM_WRITE, &info);
	if (file == NULL) {
		return false;
	}
	bool whole = sf_write_short(file, job->samples, (sf_count_t)job->count) ==
		     (sf_count_t)job->count;
	return sf_close(file) == 0 && whole;
}

static bool write_text(struct job *job, const char *path)
{
	FILE *file = fopen(path, "w");
	if (file == NULL) {
		return false;
	}
	bool whole = fprintf(file, "%s\n", job->text) >= 0;
	return fclose(file) == 0 && whole;
}

/* Under another name until it is whole, so that nobody reads a part. */
static bool write_under(
	struct job *job, const char *suffix, bool (*write)(struct job *job, const char *path))
{
	char part[2 * PATH_MAX];
	char path[2 * PATH_MAX];
	path_of(job, PART, part);
	path_of(job, suffix, path);
	errno = 0;
	if (write(job, part) && rename(part, path) == 0) {
		return true;
	}
	snprintf(job->reason, sizeof(job->reason), "%.160s: %s", path,
		errno != 0 ? strerror(errno) : "it could not be written whole");
	unlink(part);
	return false;
}

static void work(uv_work_t *request)
{
	struct job *job = request->data;
	char path[2 * PATH_MAX];
	make_room(job, job->count * sizeof(int16_t) + strlen(job->text) + 64);
	if (write_under(job, ".wav", write_wav) && !write_under(job, ".json", write_text)) {
		path_of(job, ".wav", path);
		unlink(path);
	}
}

static void settle(struct kws_clips *clips, const struct job *job)
{
	clips->counts.removed += job->removed;
	if (job->reason[0] == '\0') {
		clips->counts.saved++;
		return;
	}
	clips->counts.failed++;
	if (!clips->over) {
		clips->failed(clips->user, job->reason);
	}
}

static void on_done(uv_work_t *request, int status);

/* One at a time: the pool's few threads also close the capture, and a disk that hangs must not get
 * them all. Nor could two clips that make room at once keep the quota. */
static void start_first(struct kws_clips *clips)
{
	uv_queue_work(clips->loop, &clips->first->work, work, on_done);
}

static void on_done(uv_work_t *request, int status)
{
	struct job *job = request->data;
	struct kws_clips *clips = job->clips;
	(void)status;
	clips->waiting--;
	settle(clips, job);
	clips->first = job->next;
	free(job->text);
	free(job);
	if (clips->first != NULL) {
		start_first(clips);
		return;
	}
	clips->end = &clips->first;
	if (clips->over) {
		free(clips);
	}
}

static void append(struct kws_clips *clips, struct job *job)
{
	*clips->end = job;
	clips->end = &job->next;
	clips->waiting++;
	if (clips->first == job) {
		start_first(clips);
	}
}

static void fail(struct kws_clips *clips, const char *reason)
{
	clips->counts.failed++;
	clips->failed(clips->user, reason);
}

void kws_clips_save(struct kws_clips *clips, const char *folder, uint64_t quota_bytes,
	const char *name, int64_t time_ms, const int16_t *samples, size_t count, json_t *event)
{
	if (clips->waiting >= KWS_CLIPS_WAITING_MAX) {
		fail(clips, "too many clips wait for a slow disk");
		return;
	}
	struct job *job = calloc(1, sizeof(*job) + count * sizeof(int16_t));
	char *text = kws_event_dump(event);
	if (job == NULL || text == NULL) {
		free(job);
		free(text);
		fail(clips, "out of memory");
		return;
	}
	job->work.data = job;
	job->clips = clips;
	job->quota_bytes = quota_bytes;
	job->text = text;
	job->count = count;
	snprintf(job->folder, sizeof(job->folder), "%s", folder);
	make_stem(job->stem, name, time_ms);
	memcpy(job->samples, samples, count * sizeof(int16_t));
	append(clips, job);
}
