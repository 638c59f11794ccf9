/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KWS_IPC_FILE_H
#define KWS_IPC_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "common/error.h"

/* Small files of keys. Sentences come without the path. Block on the file system. Thread: any. */

/* Reads a whole regular file of less than `size` bytes into `text`. With `secret` it must be closed
 * to group and others, else it must not be theirs to write (common/trust.h).
 * Errors: KWS_ENOENT, KWS_EIO, KWS_EFORMAT (too large, no regular file), KWS_EPERM. */
int kws__file_load(const char *path, bool secret, char *text, size_t size, size_t *length,
	struct kws_error *error);

/* Writes a file that must not exist yet. Made by root it belongs to the owner of its directory. A
 * file that could not be written whole is removed. Errors: KWS_EBUSY (it exists), KWS_EIO. */
int kws__file_create(
	const char *path, mode_t mode, const char *text, size_t length, struct kws_error *error);

/* Puts new content in a file's place in one step, as kws__file_create() writes it. */
int kws__file_replace(
	const char *path, mode_t mode, const char *text, size_t length, struct kws_error *error);

#endif
