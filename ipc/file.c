/* SPDX-License-Identifier: Apache-2.0 */
#include "ipc/file.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/file.h"
#include "common/trust.h"

static int read_open(int fd, const struct stat *info, bool secret, char *text, size_t size,
	size_t *length, struct kws_error *error)
{
	if (secret && (info->st_mode & (S_IRWXG | S_IRWXO))) {
		return kws_fail(error, KWS_EPERM,
			"a secret key must be its owner's alone (mode %04o): chmod 600",
			(unsigned)info->st_mode & 07777);
	}
	int rc = kws_file_fill(fd, text, size, length, error);
	return rc == 0 && *length == size
		       ? kws_fail(error, KWS_EFORMAT, "larger than %zu bytes", size - 1)
		       : rc;
}

int kws__file_load(const char *path, bool secret, char *text, size_t size, size_t *length,
	struct kws_error *error)
{
	struct stat info;
	int rc = kws_trust_check(path, error);
	if (rc < 0) {
		return rc;
	}
	int fd = kws_file_open(path, &info, error);
	if (fd < 0) {
		return fd;
	}
	rc = read_open(fd, &info, secret, text, size, length, error);
	close(fd);
	return rc;
}

/* The daemon's user owns the directory of its keys and must be able to read what root puts there:
 * `*owner` gets that owner, for root. */
static int find_owner(const char *path, struct stat *info, const struct stat **owner)
{
	char dir[PATH_MAX];
	const char *slash = strrchr(path, '/');
	*owner = NULL;
	if (geteuid() != 0) {
		return 0;
	}
	int length = slash == NULL ? 1 : (int)(slash - path);
	snprintf(dir, sizeof(dir), "%.*s", length > 0 ? length : 1, slash != NULL ? path : ".");
	*owner = info;
	return stat(dir, info);
}

typedef int write_fn(const char *path, const struct kws_file_new *how, const char *data,
	size_t length, struct kws_error *error);

static int write_with(write_fn *write, const char *path, mode_t mode, const char *text,
	size_t length, struct kws_error *error)
{
	struct stat info;
	struct kws_file_new how = {.mode = mode, .lasting = true};
	if (find_owner(path, &info, &how.owner) != 0) {
		return kws_fail(error, KWS_EIO, "%s", strerror(errno));
	}
	return write(path, &how, text, length, error);
}

int kws__file_create(
	const char *path, mode_t mode, const char *text, size_t length, struct kws_error *error)
{
	return write_with(kws_file_create, path, mode, text, length, error);
}

int kws__file_replace(
	const char *path, mode_t mode, const char *text, size_t length, struct kws_error *error)
{
	return write_with(kws_file_replace, path, mode, text, length, error);
}
