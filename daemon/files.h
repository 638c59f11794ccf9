/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KWS_DAEMON_FILES_H
#define KWS_DAEMON_FILES_H

#include <stdbool.h>

#include "common/error.h"

/* The limit of open files. Each connection is one, also that of a stranger who never proves who
 * they are, and libzmq 4.3 does not survive the limit: it aborts when it cannot accept one more ipc
 * connection (src/ipc_listener.cpp). Thread: any, one at a time. */

/* What the soft limit is raised to where the hard one allows it. */
#define KWS_FILES_WANTED 16384

/* Raises the soft limit. Errors: KWS_EUNSUPPORTED (it stays below KWS_FILES_WANTED), with a
 * sentence: the daemon can run all the same. */
int kws_files_raise(struct kws_error *error);

/* Whether more than a quarter of the limit is in use. Two system calls. */
bool kws_files_are_crowded(void);

#endif
