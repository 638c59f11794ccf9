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

/* Up to `size` bytes until the end of the file; the count or -1 with errno. */
static ssize_t read_all(int fd, char *data, size_t size)
{
	size_t used = 0;
	while (used < size) {
		ssize_t got = read(fd, data + used, size - used);
		if (got < 0 && errno == EINTR) {
			continue;
		}
		if (got < 0) {
			return -1;
		}
		if (got == 0) {
			break;
		}
		used += (size_t)got;
	}
	return (ssize_t)used;
}

static int read_open(int fd, size_t max_bytes, char **data, size_t *length, struct kws_error *error)
{
	struct stat info;
	if (fstat(fd, &info) != 0) {
		return fail_errno(error);
	}
	if (!S_ISREG(info.st_mode)) {
		return kws_fail(error, KWS_EFORMAT, "not a regular file");
	}
	if (info.st_size > (off_t)max_bytes) {
		return kws_fail(error, KWS_EFORMAT, "larger than %zu bytes", max_bytes);
	}
	/* what is written to its end meanwhile is not of this moment's file */
	size_t size = (size_t)info.st_size;
	char *bytes = malloc(size + 1); /* never malloc(0) */
	if (bytes == NULL) {
		return kws_fail(error, KWS_ENOMEM, "%s", kws_strerror(KWS_ENOMEM));
	}
	ssize_t got = read_all(fd, bytes, size);
	if (got < 0) {
		int result = fail_errno(error);
		free(bytes);
		return result;
	}
	*data = bytes;
	*length = (size_t)got;
	return 0;
}

int kws_file_read(
	const char *path, size_t max_bytes, char **data, size_t *length, struct kws_error *error)
{
	/* O_NONBLOCK: to open a FIFO must not wait for its writer. */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0) {
		return fail_errno(error);
	}
	int result = read_open(fd, max_bytes, data, length, error);
	close(fd);
	return result;
}
