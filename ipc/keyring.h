/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KWS_IPC_KEYRING_H
#define KWS_IPC_KEYRING_H

#include <stdbool.h>
#include <stddef.h>

#include "common/error.h"
#include "ipc/keys.h"

/* The list of clients that may connect from other machines: one line each, a name, a public key and
 * a right, in the file KWS_KEYRING_FILE of the directory of keys. '#' begins a line of comment.
 *
 *     kitchen-tablet  Yk6...40 characters...  events
 *     workbench       Bq!...40 characters...  control
 *
 * Thread: any, one at a time. */

#define KWS_KEYRING_FILE "authorized"
#define KWS_KEYRING_MAX 256
#define KWS_KEYRING_NAME_SIZE 64

enum kws_right {
	KWS_RIGHT_NONE = 0,
	KWS_RIGHT_EVENTS,  /* may read the events */
	KWS_RIGHT_CONTROL, /* may use the control protocol too */
};

struct kws_authorized {
	char name[KWS_KEYRING_NAME_SIZE];
	char public_key[KWS_KEY_SIZE];
	enum kws_right right;
};

/* Plain data of some 28 KiB; all zero is an empty list. */
struct kws_keyring {
	struct kws_authorized clients[KWS_KEYRING_MAX];
	size_t count;
};

/* Reads the text of the file. On an error `ring` is undefined and `error` says "line N: why".
 * Errors: KWS_EFORMAT (no name, right or key; a name or a key that stands there twice). */
int kws_keyring_parse(
	struct kws_keyring *ring, const char *text, size_t length, struct kws_error *error);

/* Reads the file of the directory `keys_dir`; one that is missing is an empty list. Refused when
 * group or others may write it. `error` begins with the path.
 * Errors: those of the parser, KWS_EIO, KWS_EPERM. */
int kws_keyring_load(struct kws_keyring *ring, const char *keys_dir, struct kws_error *error);

/* Adds a client; the same name with the same key changes its right.
 * Errors: KWS_EFORMAT (name or key), KWS_EBUSY (name or key is another's, or no room). */
int kws_keyring_add(struct kws_keyring *ring, const char *name, const char *public_key,
	enum kws_right right, struct kws_error *error);

/* Errors: KWS_ENOENT. */
int kws_keyring_remove(struct kws_keyring *ring, const char *name, struct kws_error *error);

/* Adds a client to the file of `keys_dir`, or with KWS_RIGHT_NONE (`public_key` may be NULL)
 * removes it. All other lines, comments among them, stay; the file is replaced in one step, mode
 * 0644. Waits for other processes that change it, by a lock on the directory.
 * Errors: those of add, remove and load; KWS_EIO also without the lock. Blocks on the file system.
 */
int kws_keyring_change(const char *keys_dir, const char *name, const char *public_key,
	enum kws_right right, struct kws_error *error);

/* The client with this key, or NULL. Valid until the list changes. */
const struct kws_authorized *kws_keyring_find(
	const struct kws_keyring *ring, const char *public_key);

/* Whether somebody in `before` has lost a right in `after`: is missing there, has another key or
 * reads only. */
bool kws_keyring_takes_away(const struct kws_keyring *before, const struct kws_keyring *after);

#endif
