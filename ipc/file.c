/* SPDX-License-Identifier: Apache-2.0 */
#include "ipc/file.h"

#include <errno.h>
#include <fcntl.h>
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

/* The daemon's user owns the directory of its keys and must be able to read what root puts there.
 */
static int give_to_owner_of_directory(int fd, const char *path)
{
	char dir[PATH_MAX];
	struct stat info;
	const char *slash = strrchr(path, '/');
	if (geteuid() != 0) {
		return 0;
	}
	int length = slash == NULL ? 1 : (int)(slash - path);
	snprintf(dir, sizeof(dir), "%.*s", length > 0 ? length : 1, slash != NULL ? path : ".");
	return stat(dir, &info) == 0 ? fchown(fd, info.st_uid, info.st_gid) : -1;
}

static int write_all(int fd, const char *text, size_t length)
{
	while (length > 0) {
		ssize_t done = write(fd, text, length);
		if (done < 0 && errno != EINTR) {
			return -1;
		}
		if (done > 0) {
			text += done;
			length -= (size_t)done;
		}
	}
	return 0;
}

int kws__file_create(
	const char *path, mode_t mode, const char *text, size_t length, struct kws_error *error)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode);
	if (fd < 0) {
		return kws_fail(
			error, errno == EEXIST ? KWS_EBUSY : KWS_EIO, "%s", strerror(errno));
	}
	/* fchmod: the umask may have cut the mode */
	int rc = write_all(fd, text, length) != 0 || fchmod(fd, mode) != 0 ||
				 give_to_owner_of_directory(fd, path) != 0 || fsync(fd) != 0
			 ? kws_fail(error, KWS_EIO, "%s", strerror(errno))
			 : 0;
	close(fd);
	if (rc < 0) {
		unlink(path);
	}
	return rc;
}

int kws__file_replace(
	const char *path, mode_t mode, const char *text, size_t length, struct kws_error *error)
{
	char draft[PATH_MAX];
	if (snprintf(draft, sizeof(draft), "%s.new.%ld", path, (long)getpid()) >=
		(int)sizeof(draft)) {
		return kws_fail(error, KWS_EIO, "the path is too long");
	}
	int rc = kws__file_create(draft, mode, text, length, error);
	if (rc == 0 && rename(draft, path) != 0) {
		rc = kws_fail(error, KWS_EIO, "%s", strerror(errno));
		unlink(draft);
	}
	return rc;
}
