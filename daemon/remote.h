/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KWS_DAEMON_REMOTE_H
#define KWS_DAEMON_REMOTE_H

#include <jansson.h>
#include <uv.h>

#include "common/error.h"
#include "config/config.h"
#include "ipc/control.h"
#include "ipc/publisher.h"

/* Clients from other machines: the keys, the list of those who may connect, which is watched, and
 * the encrypted endpoints of publisher and control. All functions accept NULL, which is a daemon
 * without such endpoints. Thread: loop. */
struct kws_remote;

/* Says whether the endpoints, the keys and the list of `config` can be used; passes when there are
 * no such endpoints. Errors: those of endpoint, keys and list, with a sentence. Thread: any. */
int kws_remote_check(const struct kws_config *config, struct kws_error *error);

/* Opens what `config` asks for, on the sockets of `publisher` and `control`, which both outlive it;
 * *out is NULL when that is nothing; set after an error, too, it must be closed and destroyed.
 * Errors: those of the check, KWS_EBUSY (port taken), KWS_EIO, KWS_ENOMEM. */
int kws_remote_create(struct kws_remote **out, uv_loop_t *loop, void *context,
	const struct kws_config *config, struct kws_publisher *publisher,
	struct kws_control *control, struct kws_error *error);

/* Reads the list again. Who is no longer on it, or has a lesser right, is cut off. A list with an
 * error changes nothing and is logged. Errors: those of kws_keyring_load(), with a sentence. */
int kws_remote_reload(struct kws_remote *remote, struct kws_error *error);

/* Some times a second: opens what could not be opened again at once, and closes all connections of
 * other machines before a flood of them takes the last open file. */
void kws_remote_tick(struct kws_remote *remote);

/* How many clients are authorized, and connections accepted and refused; JSON null for none. New
 * reference. */
json_t *kws_remote_status(const struct kws_remote *remote);

/* Nobody new gets in from now on; the handles close in later turns of the loop. */
void kws_remote_close(struct kws_remote *remote);

/* After the close, and when the loop has run out. */
void kws_remote_destroy(struct kws_remote *remote);

#endif
