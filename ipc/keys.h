/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KWS_IPC_KEYS_H
#define KWS_IPC_KEYS_H

#include <stdbool.h>
#include <stddef.h>

#include "common/error.h"

/* CURVE keys and their files. A key is 32 bytes, written as 40 characters of Z85
 * (https://rfc.zeromq.org/spec/32). Files have the form of CZMQ's certificates, which pyzmq
 * (zmq.auth.load_certificate) reads too:
 *
 *     curve
 *         public-key = "..."
 *         secret-key = "..."
 *
 * Thread: any. */

#define KWS_KEY_CHARS 40
#define KWS_KEY_SIZE (KWS_KEY_CHARS + 1)

struct kws_key_pair {
	char public_key[KWS_KEY_SIZE];
	char secret_key[KWS_KEY_SIZE]; /* "" where only the public one is known */
};

/* Whether this libzmq can encrypt. Errors: KWS_EUNSUPPORTED. */
int kws_keys_supported(struct kws_error *error);

/* Checks the text of a public key: 40 characters of Z85 that stand for 32 bytes, and not one of the
 * test keys that zmq_curve(7) prints with their secrets. Errors: KWS_EFORMAT. */
int kws_keys_check_public(const char *text, struct kws_error *error);

/* A new pair. Its public key does not begin with '-', so that no command takes it for an option.
 * Errors: KWS_EUNSUPPORTED. */
int kws_keys_make(struct kws_key_pair *pair, struct kws_error *error);

/* Reads the text of a key file. A secret key must belong to the public one.
 * Errors: KWS_EFORMAT, KWS_EUNSUPPORTED. */
int kws_keys_parse(
	const char *text, size_t length, struct kws_key_pair *pair, struct kws_error *error);

/* Reads a key file. With `secret` it must hold a secret key and be closed to group and others.
 * `error` begins with the path. Errors: those of kws_keys_parse(), KWS_ENOENT, KWS_EIO, KWS_EPERM.
 */
int kws_keys_read(
	const char *path, bool secret, struct kws_key_pair *pair, struct kws_error *error);

/* A public key, given as such or as the path of a file, into `out`; a file of that name wins.
 * Errors: those of kws_keys_read(). */
int kws_keys_read_public(const char *given, char out[KWS_KEY_SIZE], struct kws_error *error);

/* Writes PATH.key with both keys, mode 0600, and PATH.pub with the public one, mode 0644. Made by
 * root they belong to the owner of their directory, so that the daemon's user can read its own.
 * Errors: KWS_EBUSY (one of the files exists: none is overwritten), KWS_EIO. */
int kws_keys_write(const char *path, const struct kws_key_pair *pair, struct kws_error *error);

/* Overwrites the memory in a way that is not optimized away. */
void kws_keys_wipe(struct kws_key_pair *pair);

#endif
