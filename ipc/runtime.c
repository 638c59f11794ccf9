/* SPDX-License-Identifier: Apache-2.0 */
#include "ipc/runtime.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ipc/probe.h"

/* The places in their order. `list`: the variable holds paths separated by ':', the first counts.
 * `only`: if it is set no other place is looked at. */
static const struct place {
	const char *variable;
	const char *suffix;
	bool list;
	bool only;
} places[] = {
	{"KWSD_RUNTIME_DIR", "", false, true},
	{"RUNTIME_DIRECTORY", "", true, false},
	{"XDG_RUNTIME_DIR", "/kwsd", false, false},
	{NULL, "/run/kwsd", false, false},
};

#define PLACES (sizeof(places) / sizeof(places[0]))

static bool place_is_set(const struct place *place)
{
	if (place->variable == NULL) {
		return true;
	}
	const char *value = getenv(place->variable);
	return value != NULL && value[0] != '\0';
}

static int place_path(const struct place *place, char *out, size_t size, struct kws_error *error)
{
	const char *base = place->variable != NULL ? getenv(place->variable) : "";
	size_t length = place->list ? strcspn(base, ":") : strlen(base);
	if (length + strlen(place->suffix) >= size) {
		return kws_fail(error, KWS_EINVAL,
			"%.60s...: the runtime directory's path is too long", base);
	}
	snprintf(out, size, "%.*s%s", (int)length, base, place->suffix);
	if (out[0] != '/') {
		return kws_fail(
			error, KWS_EINVAL, "%s: the runtime directory is no absolute path", out);
	}
	return 0;
}

int kws_runtime_dir(char *out, size_t size, struct kws_error *error)
{
	size_t i = 0;
	while (!place_is_set(&places[i])) {
		i++; /* the last place is always set */
	}
	return place_path(&places[i], out, size, error);
}

/* Also by a daemon that does not let this user in: who asks is told so. */
static bool is_served(const char *dir, const char *name)
{
	char path[2 * KWS_RUNTIME_PATH_BYTES];
	snprintf(path, sizeof(path), "%s/%s", dir, name);
	int reason = kws__probe_socket(path);
	return reason == 0 || reason == EACCES;
}

int kws_runtime_find(const char *name, char *out, size_t size, struct kws_error *error)
{
	for (size_t i = 0; i < PLACES; i++) {
		if (!place_is_set(&places[i])) {
			continue;
		}
		int rc = place_path(&places[i], out, size, error);
		if (rc < 0 || places[i].only || is_served(out, name)) {
			return rc;
		}
	}
	return kws_runtime_dir(out, size, error);
}

int kws_runtime_create(const char *dir, struct kws_error *error)
{
	struct stat info;
	if (mkdir(dir, 0750) == 0) {
		if (chmod(dir, 0750) != 0) { /* mkdir's mode was cut by the umask */
			return kws_fail(error, KWS_EIO, "%s: %s", dir, strerror(errno));
		}
		return 0;
	}
	if (errno != EEXIST) {
		return kws_fail(error, KWS_EIO, "cannot create the runtime directory %s: %s", dir,
			strerror(errno));
	}
	if (stat(dir, &info) != 0 || !S_ISDIR(info.st_mode)) {
		return kws_fail(error, KWS_EIO, "%s is not a directory", dir);
	}
	return 0;
}

static bool is_same_directory(const char *one, const char *other)
{
	struct stat first;
	struct stat second;
	return strcmp(one, other) == 0 ||
	       (stat(one, &first) == 0 && stat(other, &second) == 0 &&
		       first.st_dev == second.st_dev && first.st_ino == second.st_ino);
}

bool kws_runtime_owns(const char *path)
{
	char dir[KWS_RUNTIME_PATH_BYTES];
	char parent[PATH_MAX];
	const char *slash = strrchr(path, '/');
	if (slash == NULL || (strcmp(slash + 1, KWS_RUNTIME_LOCK) != 0 &&
				     strcmp(slash + 1, KWS_RUNTIME_MUTED) != 0)) {
		return false;
	}
	snprintf(parent, sizeof(parent), "%.*s", (int)(slash - path), path);
	return kws_runtime_dir(dir, sizeof(dir), NULL) == 0 && is_same_directory(parent, dir);
}

/* Who holds the lock, for the sentence only: an unreadable number reads as 0. */
static long lock_owner(int fd)
{
	char text[32] = "";
	ssize_t got = pread(fd, text, sizeof(text) - 1, 0);
	return got > 0 ? strtol(text, NULL, 10) : 0;
}

static int lock_file(int fd, const char *dir, struct kws_error *error)
{
	if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
		if (errno == EWOULDBLOCK) {
			return kws_fail(error, KWS_EBUSY,
				"another kwsd (process %ld) already runs in %s", lock_owner(fd),
				dir);
		}
		return kws_fail(
			error, KWS_EIO, "%s/" KWS_RUNTIME_LOCK ": %s", dir, strerror(errno));
	}
	if (ftruncate(fd, 0) != 0 || dprintf(fd, "%ld\n", (long)getpid()) < 0) {
		return kws_fail(
			error, KWS_EIO, "%s/" KWS_RUNTIME_LOCK ": %s", dir, strerror(errno));
	}
	return 0;
}

int kws_runtime_lock(const char *dir, int *fd, struct kws_error *error)
{
	char path[2 * KWS_RUNTIME_PATH_BYTES];
	*fd = -1;
	if ((size_t)snprintf(path, sizeof(path), "%s/" KWS_RUNTIME_LOCK, dir) >= sizeof(path)) {
		return kws_fail(error, KWS_EIO, "%s: the path is too long", dir);
	}
	int opened = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0640);
	if (opened < 0) {
		return kws_fail(
			error, KWS_EIO, "cannot open the lock file %s: %s", path, strerror(errno));
	}
	int rc = lock_file(opened, dir, error);
	if (rc < 0) {
		close(opened);
		return rc;
	}
	*fd = opened;
	return 0;
}

void kws_runtime_unlock(int fd)
{
	if (fd >= 0) {
		close(fd);
	}
}
