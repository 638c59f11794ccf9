/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KWS_COMMON_TRUST_H
#define KWS_COMMON_TRUST_H

#include "common/error.h"

/* Refuses a file that group or others may write, or replace because they may write its directory: a
 * sticky directory such as /tmp lets them not. Where `path` is a symbolic link both its own
 * directory and that of its target count. Access lists (setfacl) show as the group's bits. `error`
 * gets a sentence without the path of the file. A file that does not exist passes: opening it says
 * so. Errors: KWS_EPERM. Thread: any. */
int kws_trust_check(const char *path, struct kws_error *error);

/* The same for a process with effective user id 0, which such a file would make the tool of others;
 * any other process passes. */
int kws_trust_check_privileged(const char *path, struct kws_error *error);

#endif
