/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KWS_COMMON_FILE_H
#define KWS_COMMON_FILE_H

#include <stddef.h>

#include "common/error.h"

struct stat;

/* Opens a regular file to read; *info gets its fstat(). Returns the descriptor, which the caller
 * closes. Errors: KWS_ENOENT, KWS_EIO, KWS_EFORMAT when it is no regular file. Thread: any. */
int kws_file_open(const char *path, struct stat *info, struct kws_error *error);

/* Reads up to `size` bytes until the end of the file; *length gets their number. Errors: KWS_EIO.
 * Thread: any. */
int kws_file_fill(int fd, char *data, size_t size, size_t *length, struct kws_error *error);

/* Reads a whole regular file of at most `max_bytes`. The caller frees *data, set only on success.
 * `error` gets what is wrong, without the path. Blocks on the file system. Errors: KWS_ENOENT,
 * KWS_EIO, KWS_EFORMAT when it is too large or no regular file, KWS_ENOMEM. Thread: any. */
int kws_file_read(
	const char *path, size_t max_bytes, char **data, size_t *length, struct kws_error *error);

#endif
