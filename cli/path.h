/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KWS_CLI_PATH_H
#define KWS_CLI_PATH_H

#include <stdbool.h>
#include <stddef.h>

/* Whether JSON can hold the path: false, after a complaint on the standard error, when it is not
 * UTF-8. Thread: any. */
bool kws_cli_path_is_text(const char *path);

/* Whether a file of this path could be written now, which neither makes nor changes one: false
 * after a complaint on the standard error, when its folder is missing, say. Thread: any. */
bool kws_cli_path_is_writable(const char *path);

/* Puts the current folder before a relative path in a buffer of `size` bytes; symbolic links stay.
 * False after a complaint on the standard error, where there is no room. Thread: any. */
bool kws_cli_path_make_absolute(char *path, size_t size);

#endif
