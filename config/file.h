/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KWS_CONFIG_FILE_H
#define KWS_CONFIG_FILE_H

#include <stddef.h>

#include "common/error.h"

/* Reads a whole regular file of at most `max_bytes`. The caller frees *data, set only on success.
 * `error` gets what is wrong, without the path. Internal to config/. Blocks on the file system.
 * Errors: KWS_ENOENT, KWS_EIO, KWS_EFORMAT when it is too large or no regular file, KWS_ENOMEM,
 * KWS_EPERM (root is asked to read what others may write). Thread: any. */
int kws__file_read(
	const char *path, size_t max_bytes, char **data, size_t *length, struct kws_error *error);

#endif
