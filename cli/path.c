/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/path.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ipc/text.h"

bool kws_cli_path_is_text(const char *path)
{
	bool is_text = kws_text_is_utf8(path);
	if (!is_text) {
		fprintf(stderr, "kws: %s: the path is not UTF-8\n", path);
	}
	return is_text;
}

/* Why no file can be made at a path where there is none, as an errno; 0: one can. */
static int why_not_made(const char *path)
{
	char folder[PATH_MAX] = ".";
	const char *slash = strrchr(path, '/');
	if (path[0] == '\0') {
		return ENOENT;
	}
	if (slash != NULL) {
		snprintf(folder, sizeof(folder), "%.*s", (int)(slash - path) + 1, path);
	}
	return access(folder, W_OK | X_OK) == 0 ? 0 : errno;
}

static int why_not_written(const char *path)
{
	struct stat status;
	if (stat(path, &status) != 0) {
		return errno == ENOENT ? why_not_made(path) : errno;
	}
	if (S_ISDIR(status.st_mode)) {
		return EISDIR;
	}
	return access(path, W_OK) == 0 ? 0 : errno;
}

bool kws_cli_path_is_writable(const char *path)
{
	int reason = why_not_written(path);
	if (reason != 0) {
		fprintf(stderr, "kws: %s: %s\n", path, strerror(reason));
	}
	return reason == 0;
}

bool kws_cli_path_make_absolute(char *path, size_t size)
{
	char folder[PATH_MAX];
	if (path[0] == '/') {
		return true;
	}
	const char *reason = getcwd(folder, sizeof(folder)) == NULL ? strerror(errno) : NULL;
	if (reason == NULL && strlen(folder) + 1 + strlen(path) >= size) {
		reason = "the absolute path is too long";
	}
	if (reason != NULL) {
		fprintf(stderr, "kws: %s: %s\n", path, reason);
		return false;
	}
	size_t length = strlen(folder);
	memmove(path + length + 1, path, strlen(path) + 1);
	memcpy(path, folder, length);
	path[length] = '/';
	return true;
}
