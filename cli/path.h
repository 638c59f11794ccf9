/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KWS_CLI_PATH_H
#define KWS_CLI_PATH_H

#include <stdbool.h>

/* Whether JSON can hold the path: false, after a complaint on the standard error, when it is not
 * UTF-8. Thread: any. */
bool kws_cli_path_is_text(const char *path);

/* Whether a file of this path could be written now, which neither makes nor changes one: false
 * after a complaint on the standard error, when its folder is missing, say. Thread: any. */
bool kws_cli_path_is_writable(const char *path);

#endif
