/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KWS_IPC_RUNTIME_H
#define KWS_IPC_RUNTIME_H

#include <stdbool.h>
#include <stddef.h>

#include "common/error.h"

/* What lies in the runtime directory beside the sockets: the lock of kws_runtime_lock(), and the
 * file that is there as long as the daemon is muted. */
#define KWS_RUNTIME_LOCK "kwsd.lock"
#define KWS_RUNTIME_MUTED "muted"

/* The longest mute that ends by itself. */
#define KWS_MUTE_SECONDS_MAX (7 * 24 * 3600)

/* Long enough for every directory whose sockets still have a legal address. */
#define KWS_RUNTIME_PATH_BYTES 128

/* The runtime directory of a daemon, written to `out`: $KWSD_RUNTIME_DIR, else the first of
 * $RUNTIME_DIRECTORY (systemd), else $XDG_RUNTIME_DIR/kwsd, else /run/kwsd. Relative paths are
 * refused, for a daemon that changes its directory would lose its sockets. Creates nothing.
 * Errors: KWS_EINVAL (too long or relative). Thread: any that may read the environment. */
int kws_runtime_dir(char *out, size_t size, struct kws_error *error);

/* Where a client looks: the first directory of the same list in which somebody listens on the
 * socket named `name`, so that a user's kwsctl finds the system's daemon when the user runs none;
 * what one that was killed left is passed over, one that lets others in only is not.
 * $KWSD_RUNTIME_DIR is taken as it is. Where nobody listens anywhere the answer is that of
 * kws_runtime_dir(). */
int kws_runtime_find(const char *name, char *out, size_t size, struct kws_error *error);

/* Creates `dir` with mode 0750 if it is missing; an existing directory stays as it is.
 * Errors: KWS_EIO. Thread: any. */
int kws_runtime_create(const char *dir, struct kws_error *error);

/* Whether `path` is that of the lock or of the mute, which need not exist, in the directory of
 * kws_runtime_dir(), by whatever name that directory has in it. Thread: any that may read the
 * environment. */
bool kws_runtime_owns(const char *path);

/* Takes `dir`/kwsd.lock for this process and writes the process id into it. zmq_bind() silently
 * takes over the socket of a running daemon, so the lock comes before every bind. The lock ends
 * with the process or with kws_runtime_unlock(); the file stays, for removing it would let a third
 * process lock a new file beside a second one that holds the old. `*fd` is for unlock only.
 * Errors: KWS_EBUSY (another instance runs there), KWS_EIO. Thread: any. */
int kws_runtime_lock(const char *dir, int *fd, struct kws_error *error);

/* Gives the lock back. A negative `fd` is ignored. */
void kws_runtime_unlock(int fd);

#endif
