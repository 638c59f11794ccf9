/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KWS_CONFIG_FILE_H
#define KWS_CONFIG_FILE_H

#include <stddef.h>

#include "common/error.h"

/* Reads a whole configuration file, of at most KWS_CONFIG_FILE_MAX_BYTES. The caller frees *data,
 * set only on success. `error` gets what is wrong, without the path. Internal to config/. Errors:
 * those of kws_file_read(), KWS_EPERM (root is asked to read what others may write). Thread: any.
 */
int kws__file_read(const char *path, char **data, size_t *length, struct kws_error *error);

#endif
