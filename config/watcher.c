/* SPDX-License-Identifier: Apache-2.0 */
#include "config/watcher.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/error.h"
#include "config/config.h"
#include "config/file.h"

/* An editor's write arrives as several events: wait until they have stopped. */
#define DEBOUNCE_MS 200

/* How often a directory that is gone is looked for. */
#define RETRY_MS 1000

#define HANDLES 2

struct kws_watcher {
	uv_fs_event_t event;
	uv_timer_t timer; /* the debounce, or the retry while there is no directory */
	int open_handles;
	char *path;
	char *directory;
	const char *base; /* in path */
	bool armed;
	uint64_t fingerprint;
	bool expecting; /* `expected` is of the caller's own change, not told yet */
	uint64_t expected;
	kws_watcher_changed_fn *changed;
	void *user;
};

static void on_event(uv_fs_event_t *event, const char *name, int events, int status);
static void on_timer(uv_timer_t *timer);

/* FNV-1a: a fingerprint of the content, not a defence. */
static uint64_t hash(const char *data, size_t length)
{
	uint64_t value = UINT64_C(0xcbf29ce484222325);
	for (size_t i = 0; i < length; i++) {
		value = (value ^ (unsigned char)data[i]) * UINT64_C(0x100000001b3);
	}
	return value;
}

/* Changes the fingerprint if there is a file; one that cannot be read counts as one more content.
 */
static int read_fingerprint(const struct kws_watcher *watcher, uint64_t *fingerprint)
{
	char *data;
	size_t length;
	int result = kws__file_read(watcher->path, &data, &length, NULL);
	if (result == 0) {
		*fingerprint = hash(data, length);
		free(data);
	} else if (result != KWS_ENOENT) { /* else: between the two steps of a replacement */
		*fingerprint = (uint64_t)-result;
	}
	return result;
}

enum change {
	CHANGE_NONE,
	CHANGE_OWN,
	CHANGE_OF_OTHERS,
};

/* How the content differs from that of the last call that found a file or an error in reading it.
 */
static enum change take_change(struct kws_watcher *watcher)
{
	uint64_t fingerprint = watcher->fingerprint;
	read_fingerprint(watcher, &fingerprint);
	if (fingerprint == watcher->fingerprint) {
		return CHANGE_NONE;
	}
	bool own = watcher->expecting && fingerprint == watcher->expected;
	watcher->fingerprint = fingerprint;
	watcher->expecting = false; /* whoever brings the content back is another */
	return own ? CHANGE_OWN : CHANGE_OF_OTHERS;
}

/* What the errors of inotify's limits do not say. */
static const char *limit_of(int result)
{
	switch (result) {
	case UV_EMFILE:
		return ": see fs.inotify.max_user_instances";
	case UV_ENOSPC:
		return ": see fs.inotify.max_user_watches";
	default:
		return "";
	}
}

static int arm(struct kws_watcher *watcher, struct kws_error *error)
{
	int result = uv_fs_event_start(&watcher->event, on_event, watcher->directory, 0);
	watcher->armed = result == 0;
	if (result == 0) {
		return 0;
	}
	bool missing = result == UV_ENOENT || result == UV_ENOTDIR;
	return kws_fail(error, missing ? KWS_ENOENT : KWS_EIO, "cannot watch %.120s: %s%s",
		watcher->path, uv_strerror(result), limit_of(result));
}

static void on_event(uv_fs_event_t *event, const char *name, int events, int status)
{
	struct kws_watcher *watcher = event->data;
	(void)events;
	/* libuv gives an event of the directory itself the directory's own name. */
	const char *slash = strrchr(watcher->directory, '/');
	const char *self = slash != NULL ? slash + 1 : watcher->directory;
	if (status < 0 || name == NULL || strcmp(name, self) == 0) {
		/* It may have been moved or deleted: watch what now has its name. */
		uv_fs_event_stop(&watcher->event);
		watcher->armed = false;
	} else if (strcmp(name, watcher->base) != 0) {
		return;
	}
	uv_timer_start(&watcher->timer, on_timer, DEBOUNCE_MS, 0);
}

static void on_timer(uv_timer_t *timer)
{
	struct kws_watcher *watcher = timer->data;
	if (!watcher->armed && arm(watcher, NULL) < 0) {
		uv_timer_start(timer, on_timer, RETRY_MS, 0);
		return;
	}
	enum change change = take_change(watcher);
	if (change != CHANGE_NONE) {
		watcher->changed(watcher->user, change == CHANGE_OWN); /* may destroy the watcher */
	}
}

static int init_paths(struct kws_watcher *watcher, const char *path)
{
	watcher->path = strdup(path);
	if (watcher->path == NULL) {
		return KWS_ENOMEM;
	}
	const char *slash = strrchr(watcher->path, '/');
	watcher->base = slash != NULL ? slash + 1 : watcher->path;
	if (slash == NULL) {
		watcher->directory = strdup(".");
	} else if (slash == watcher->path) {
		watcher->directory = strdup("/");
	} else {
		watcher->directory = strndup(watcher->path, (size_t)(slash - watcher->path));
	}
	return watcher->directory != NULL ? 0 : KWS_ENOMEM;
}

static void free_watcher(struct kws_watcher *watcher)
{
	free(watcher->directory);
	free(watcher->path);
	free(watcher);
}

int kws_watcher_create(struct kws_watcher **out, uv_loop_t *loop, const char *path,
	kws_watcher_changed_fn *changed, void *user, struct kws_error *error)
{
	struct kws_watcher *watcher = calloc(1, sizeof(*watcher));
	if (watcher == NULL) {
		return kws_fail(error, KWS_ENOMEM, "out of memory");
	}
	watcher->changed = changed;
	watcher->user = user;
	int result = init_paths(watcher, path);
	if (result < 0) {
		free_watcher(watcher);
		return kws_fail(error, result, "out of memory");
	}
	/* Neither of the two can fail. */
	uv_fs_event_init(loop, &watcher->event);
	uv_timer_init(loop, &watcher->timer);
	watcher->event.data = watcher;
	watcher->timer.data = watcher;
	watcher->open_handles = HANDLES;
	result = arm(watcher, error);
	/* after arming: a write in between is seen by one or the other */
	if (result == 0 && read_fingerprint(watcher, &watcher->fingerprint) == KWS_ENOMEM) {
		result = kws_fail(error, KWS_ENOMEM, "out of memory");
	}
	if (result < 0) {
		kws_watcher_destroy(watcher);
		return result;
	}
	*out = watcher;
	return 0;
}

void kws_watcher_expect(struct kws_watcher *watcher)
{
	if (watcher == NULL) {
		return;
	}
	watcher->expecting = read_fingerprint(watcher, &watcher->expected) == 0;
	/* behind a symbolic link no event tells of it */
	uv_timer_start(&watcher->timer, on_timer, DEBOUNCE_MS, 0);
}

bool kws_watcher_sync(struct kws_watcher *watcher)
{
	if (watcher == NULL) {
		return false;
	}
	uint64_t content;
	if (read_fingerprint(watcher, &content) != 0) {
		return false; /* whoever reads it now will say why it cannot be read */
	}
	enum change change = take_change(watcher);
	watcher->expecting = false;
	return change == CHANGE_OF_OTHERS;
}

static void on_closed(uv_handle_t *handle)
{
	struct kws_watcher *watcher = handle->data;
	watcher->open_handles--;
	if (watcher->open_handles == 0) {
		free_watcher(watcher);
	}
}

void kws_watcher_destroy(struct kws_watcher *watcher)
{
	if (watcher == NULL) {
		return;
	}
	uv_close((uv_handle_t *)&watcher->event, on_closed);
	uv_close((uv_handle_t *)&watcher->timer, on_closed);
}
