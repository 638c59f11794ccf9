/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KWS_IPC_CONTROL_H
#define KWS_IPC_CONTROL_H

#include <stdint.h>
#include <uv.h>

#include "common/error.h"
#include "ipc/keyring.h"
#include "ipc/pump.h"
#include "ipc/rpc.h"

/* The control socket: a ROUTER in a libuv loop that hands each request to kws_rpc_handle() and
 * sends the answer back. Clients are DEALER (one frame) or REQ (an empty frame first).
 *
 * A request is at most KWS_RPC_REQUEST_BYTES; libzmq disconnects who sends much more. Answers never
 * block: those of a client that is gone or does not read are dropped. The loop is never held for
 * longer than KWS_CONTROL_TURN_FRAMES frames before its other handles get their turn. libzmq
 * collects all frames of a message before it shows the first, however many they are: an endless
 * message costs memory, and only the mode of the socket keeps its sender out.
 *
 * Thread: the loop's for everything, the methods included. RT-safe: no. */
struct kws_control;

#define KWS_CONTROL_TURN_FRAMES KWS__PUMP_TURN

struct kws_control_counts {
	uint64_t requests; /* handed to kws_rpc_handle() */
	uint64_t
		malformed; /* messages with too few or too many frames: dropped without an answer */
	uint64_t dropped;  /* answers that could not be sent */
	uint64_t refused;  /* requests of clients that have lost the right: dropped */
};

/* Binds `endpoint` (see kws_endpoint_bind()) and starts serving. `context` is a ZeroMQ context;
 * `context`, `methods` and `user` (given to the methods) outlive the object.
 * Errors: those of kws_endpoint_bind(), KWS_ENOMEM, KWS_EIO. */
int kws_control_create(struct kws_control **out, uv_loop_t *loop, void *context,
	const char *endpoint, const struct kws_rpc_method *methods, void *user,
	struct kws_error *error);

/* Serves a tcp:// endpoint as well, by CURVE with the server's `keys` (copied), to clients that
 * have KWS_RIGHT_CONTROL (ipc/zap.h). Each of their requests is checked against `ring`, which
 * outlives the object, and dropped when the right has been taken away: also one that was under way
 * then. Once. Errors: those of kws_endpoint_bind(), KWS_EUNSUPPORTED. */
int kws_control_open_remote(struct kws_control *control, const char *endpoint,
	const struct kws_key_pair *keys, const struct kws_keyring *ring, struct kws_error *error);

/* As kws_publisher_close_remote() and kws_publisher_reopen_remote(). */
void kws_control_close_remote(struct kws_control *control);
int kws_control_reopen_remote(struct kws_control *control, struct kws_error *error);

/* Stops serving at once; frees everything and then calls `closed` (may be NULL) with the `user` of
 * create, from a later turn of the loop, which therefore must go on until then. A method may call
 * it: its own answer is still sent. NULL is ignored, without a call of `closed`. */
void kws_control_close(struct kws_control *control, void (*closed)(void *user));

struct kws_control_counts kws_control_counts(const struct kws_control *control);

#endif
