/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KWS_COMMON_FILE_H
#define KWS_COMMON_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/types.h>

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

/* 0644 as the umask has it. */
#define KWS_FILE_USUAL_MODE ((mode_t)-1)

/* What a new file is to be. */
struct kws_file_new {
	mode_t mode;              /* whatever the umask, or KWS_FILE_USUAL_MODE, of which
				     kws_file_replace() knows nothing */
	const struct stat *owner; /* whose user and group it gets; NULL: those of the process */
	bool lasting;             /* its content is on the disk before it has its name */
};

/* Writes a file that must not exist yet; a symbolic link, wherever it leads, is one. A file that
 * could not be written whole is removed. `error` gets what is wrong, without the path. Blocks on
 * the file system. Errors: KWS_EBUSY (it exists), KWS_EIO. Thread: any. */
int kws_file_create(const char *path, const struct kws_file_new *how, const char *data,
	size_t length, struct kws_error *error);

/* Puts new content in a file's place in one step, so that no reader sees half of it: writes a draft
 * beside it, PATH.XXXXXX with other letters each time, which is left there by who dies over it.
 * Errors: KWS_EIO. Thread: any. */
int kws_file_replace(const char *path, const struct kws_file_new *how, const char *data,
	size_t length, struct kws_error *error);

/* For the first line of main(): a program that was started without a standard stream would get its
 * number for the next file or socket that it opens, and read or write that. Of the descriptors 0 to
 * 2 a closed one becomes one on which the input is at its end (0), and on which writing goes on to
 * fail (1, 2). Where that is not possible it stays closed. Thread: before there are others. */
void kws_file_hold_standard(void);

/* Writes what is buffered: a full disk shows then, and otherwise after main(). Errors: KWS_EIO,
 * with a sentence, where something that was ever printed did not arrive. Thread: any. */
int kws_file_flush(FILE *stream, struct kws_error *error);

#endif
