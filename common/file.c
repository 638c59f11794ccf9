/* SPDX-License-Identifier: Apache-2.0 */
#include "common/file.h"

#include <errno.h>
#include <fcntl.h>
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
