/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KWS_IPC_ENDPOINT_H
#define KWS_IPC_ENDPOINT_H

#include <stdbool.h>
#include <stddef.h>

#include "common/error.h"

/* The default endpoints are ipc://<runtime directory>/<one of these>. */
#define KWS_ENDPOINT_EVENTS "events"
#define KWS_ENDPOINT_CONTROL "control"

/* Enough for every legal endpoint: "ipc://", 107 bytes of path, and the NUL. */
#define KWS_ENDPOINT_BYTES 128

/* A connection that has not finished its handshake by then is closed. libzmq's own limit of 30 s
 * would give a flood of silent connections thirty times the room that it has now. */
#define KWS_ENDPOINT_HANDSHAKE_MS 3000

/* Connections that wait to be accepted. With libzmq's 100 a burst makes the kernel drop others, who
 * try again after a second. */
#define KWS_ENDPOINT_BACKLOG 1024

/* Writes "ipc://<dir>/<name>" to `out`. `dir` comes from kws_runtime_dir() (a daemon) or
 * kws_runtime_find() (a client). Errors: KWS_EINVAL (does not fit). Thread: any. */
int kws_endpoint_default(
	const char *dir, const char *name, char *out, size_t size, struct kws_error *error);

/* Whether it begins with tcp://. Thread: any. */
bool kws_endpoint_is_tcp(const char *endpoint);

/* Says whether kwsd may speak on `endpoint`. Accepted: ipc:// with an absolute path of at most 107
 * bytes, tcp:// on loopback (127.0.0.0/8, [::1], localhost) with a port, and inproc://. Refused
 * with the reason: abstract sockets, which have no file permissions; tcp:// that other machines
 * reach, for there is no encryption and no authentication; every other transport.
 * `curve`: the socket has CURVE (ipc/curve.h), and accepted is tcp:// with any address and a port.
 * Errors: KWS_EINVAL, KWS_EUNSUPPORTED. Thread: any. */
int kws_endpoint_check(const char *endpoint, bool curve, struct kws_error *error);

/* The same for a setting, where "" is none, and where inproc://, which no other process reaches, is
 * refused. */
int kws_endpoint_check_setting(const char *endpoint, bool curve, struct kws_error *error);

/* Refuses an ipc:// endpoint whose bind would delete something: whatever lies at its path, a socket
 * excepted, or a file that kwsd has in its runtime directory at times (kws_runtime_owns()). Every
 * other endpoint passes, also one whose path cannot be looked at. Errors: KWS_EINVAL. Thread: any
 * that may read the environment. */
int kws_endpoint_check_place(const char *endpoint, struct kws_error *error);

/* Whether two endpoints that the check accepts cannot both be bound, as far as their text tells: a
 * path has more names than one, and an interface has addresses. Thread: any. */
bool kws_endpoint_collide(const char *one, const char *other);

/* Checks the endpoint and its place, and binds a ZeroMQ socket to it, with the limits above. An ipc
 * socket gets mode 0660 from the first moment on: the umask, which belongs to the whole process, is
 * 0117 during its bind. So bind those before starting threads that create files. A socket file on
 * which nobody listens is taken over; two who bind at the same moment would take it from each
 * other, so hold the lock of kws_runtime_lock(). Errors: those of the checks, KWS_EBUSY (somebody
 * listens there), KWS_EUNSUPPORTED also where the process may not ask for the network interfaces
 * that tcp needs, KWS_EIO. Thread: the socket's owner. */
int kws_endpoint_bind(void *socket, const char *endpoint, bool curve, struct kws_error *error);

/* Checks the endpoint and connects a ZeroMQ socket to it. Whether somebody listens is asked at
 * once for ipc://, because zmq_connect() succeeds without a server and then only waits.
 * Errors: those of the check, KWS_ENOENT (nobody listens, or no permission), KWS_EIO.
 * Thread: the socket's owner. */
int kws_endpoint_connect(void *socket, const char *endpoint, bool curve, struct kws_error *error);

#endif
