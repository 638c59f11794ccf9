/* SPDX-License-Identifier: Apache-2.0 */
#include "common/file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int fail_errno(struct kws_error *error)
{
	int code = errno == ENOENT || errno == ENOTDIR ? KWS_ENOENT : KWS_EIO;
	return kws_fail(error, code, "%s", strerror(errno));
}

int kws_file_open(const char *path, struct stat *info, struct kws_error *error)
{
	/* O_NONBLOCK: to open a FIFO must not wait for its writer. */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0) {
		return fail_errno(error);
	}
	int result = fstat(fd, info) != 0 ? fail_errno(error) : 0;
	if (result == 0 && !S_ISREG(info->st_mode)) {
		result = kws_fail(error, KWS_EFORMAT, "not a regular file");
	}
	if (result != 0) {
		close(fd);
		return result;
	}
	return fd;
}

int kws_file_fill(int fd, char *data, size_t size, size_t *length, struct kws_error *error)
{
	*length = 0;
	while (*length < size) {
		ssize_t got = read(fd, data + *length, size - *length);
		if (got < 0 && errno == EINTR) {
			continue;
		}
		if (got < 0) {
			return fail_errno(error);
		}
		if (got == 0) {
			break;
		}
		*length += (size_t)got;
	}
	return 0;
}

static int read_open(int fd, size_t size, char **data, size_t *length, struct kws_error *error)
{
	char *bytes = malloc(size + 1); /* never malloc(0) */
	if (bytes == NULL) {
		return kws_fail(error, KWS_ENOMEM, "%s", kws_strerror(KWS_ENOMEM));
	}
	int result = kws_file_fill(fd, bytes, size, length, error);
	if (result != 0) {
		free(bytes);
		return result;
	}
	*data = bytes;
	return 0;
}

int kws_file_read(
	const char *path, size_t max_bytes, char **data, size_t *length, struct kws_error *error)
{
	struct stat info;
	int fd = kws_file_open(path, &info, error);
	if (fd < 0) {
		return fd;
	}
	/* what is written to its end meanwhile is not of this moment's file */
	int result = info.st_size > (off_t)max_bytes
			     ? kws_fail(error, KWS_EFORMAT, "larger than %zu bytes", max_bytes)
			     : read_open(fd, (size_t)info.st_size, data, length, error);
	close(fd);
	return result;
}

/* Under the service's filter of system calls fchown() fails even where it would change nothing. */
static int take_owner(int fd, const struct stat *wanted)
{
	struct stat info;
	if (fstat(fd, &info) != 0) {
		return -1;
	}
	bool same = info.st_uid == wanted->st_uid && info.st_gid == wanted->st_gid;
	return same ? 0 : fchown(fd, wanted->st_uid, wanted->st_gid);
}

static int write_all(int fd, const char *data, size_t length)
{
	while (length > 0) {
		ssize_t done = write(fd, data, length);
		if (done < 0 && errno != EINTR) {
			return -1;
		}
		if (done > 0) {
			data += done;
			length -= (size_t)done;
		}
	}
	return 0;
}

static int write_open(int fd, const struct kws_file_new *how, const char *data, size_t length)
{
	if (how->owner != NULL && take_owner(fd, how->owner) != 0) {
		return -1;
	}
	/* after the owner, whose change takes bits away */
	if (how->mode != KWS_FILE_USUAL_MODE && fchmod(fd, how->mode) != 0) {
		return -1;
	}
	return write_all(fd, data, length) != 0 || (how->lasting && fsync(fd) != 0) ? -1 : 0;
}

/* Fills a file that was just made, and closes it; removes it where that fails. */
static int finish_new(const char *path, int fd, const struct kws_file_new *how, const char *data,
	size_t length, struct kws_error *error)
{
	bool written = write_open(fd, how, data, length) == 0;
	int reason = errno;
	if (close(fd) != 0 && written) {
		written = false;
		reason = errno;
	}
	if (written) {
		return 0;
	}
	unlink(path);
	return kws_fail(error, KWS_EIO, "%s", strerror(reason));
}

int kws_file_create(const char *path, const struct kws_file_new *how, const char *data,
	size_t length, struct kws_error *error)
{
	/* nobody else may have it open when what they must not read comes in */
	mode_t mode = how->mode == KWS_FILE_USUAL_MODE ? 0644 : 0600;
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);
	if (fd < 0) {
		return kws_fail(
			error, errno == EEXIST ? KWS_EBUSY : KWS_EIO, "%s", strerror(errno));
	}
	return finish_new(path, fd, how, data, length, error);
}

int kws_file_replace(const char *path, const struct kws_file_new *how, const char *data,
	size_t length, struct kws_error *error)
{
	char draft[PATH_MAX];
	struct kws_error reason;
	if (snprintf(draft, sizeof(draft), "%s.XXXXXX", path) >= (int)sizeof(draft)) {
		return kws_fail(error, KWS_EIO, "the path is too long");
	}
	int fd = mkstemp(draft); /* mode 0600, and through no link */
	if (fd < 0) {
		return kws_fail(error, KWS_EIO, "a new file beside it: %s", strerror(errno));
	}
	if (finish_new(draft, fd, how, data, length, &reason) != 0) {
		return kws_fail(error, KWS_EIO, "a new file beside it: %.200s", reason.text);
	}
	if (rename(draft, path) != 0) {
		kws_fail(error, KWS_EIO, "%s", strerror(errno));
		unlink(draft);
		return KWS_EIO;
	}
	return 0;
}

void kws_file_hold_standard(void)
{
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
		if (fcntl(fd, F_GETFD) < 0) {
			/* gets the lowest number that is free, which is `fd`, and nobody closes
			 * it; not to write, so that an output that gets lost is told */
			(void)!open("/dev/null", O_RDONLY);
		}
	}
}

int kws_file_flush(FILE *stream, struct kws_error *error)
{
	return fflush(stream) == 0 && !ferror(stream)
		       ? 0
		       : kws_fail(error, KWS_EIO, "cannot write the output");
}
