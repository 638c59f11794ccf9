/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KWS_CONFIG_WATCHER_H
#define KWS_CONFIG_WATCHER_H

#include <stdbool.h>
#include <uv.h>

#include "common/error.h"

/* Tells when the content of one file has changed: written in place, renamed over, or deleted and
 * made again, also when its directory is. It watches the directory, because a watch of the file
 * stays with the inode that a rename takes away. What it cannot see is another's change behind a
 * symbolic link and a replaced parent of the directory: a reload by signal serves these. */
struct kws_watcher;

/* On the loop's thread, some 200 ms after the last event. A missing file is no change, one that can
 * no longer be read is: reading it gives the reason. `own`: see kws_watcher_expect(). */
typedef void kws_watcher_changed_fn(void *user, bool own);

/* Watches from now on; the content of this moment is the one that a change is measured against. A
 * relative `path` is resolved again when the directory was replaced.
 * Errors: KWS_ENOMEM, KWS_ENOENT when the directory does not exist, KWS_EIO when the system has no
 * watch left, with a sentence that names the file. After an error, too, the loop has closing
 * handles, so run it before uv_loop_close(). Thread: the loop's. */
int kws_watcher_create(struct kws_watcher **out, uv_loop_t *loop, const char *path,
	kws_watcher_changed_fn *changed, void *user, struct kws_error *error);

/* Says that the caller has just changed the file: the content of this moment is told as its own
 * change, also behind a symbolic link, and any other as somebody else's. Reads the file. Accepts
 * NULL. Thread: the loop's. */
void kws_watcher_expect(struct kws_watcher *watcher);

/* Says that the caller is about to read the file: the content of this moment is no change any more.
 * Returns whether it was somebody else's that has not been told yet; false where it cannot be read.
 * Reads the file, too. Accepts NULL. Thread: the loop's. */
bool kws_watcher_sync(struct kws_watcher *watcher);

/* Starts closing: `changed` is not called again, the memory is freed by the loop once the handles
 * have closed. May be called from `changed`. Accepts NULL. Thread: the loop's. */
void kws_watcher_destroy(struct kws_watcher *watcher);

#endif
