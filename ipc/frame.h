/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KWS_IPC_FRAME_H
#define KWS_IPC_FRAME_H

#include <stddef.h>
#include <stdint.h>

/* Sends one frame without blocking; `flags` is 0 or ZMQ_SNDMORE. Returns 0, or -1 with errno as
 * zmq_send() leaves it. A signal never breaks a message in two. Thread: the socket's owner. */
int kws__frame_send(void *socket, const void *data, size_t size, int flags);

/* Sets an option whose value is an int; 0, or -1 with errno. Thread: the socket's owner. */
int kws__frame_set(void *socket, int option, int value);

/* The moment `timeout_ms` from now, on CLOCK_MONOTONIC in milliseconds. Thread: any. */
int64_t kws__frame_deadline(int timeout_ms);

/* Blocks until there is something to receive: 0, KWS_ETIMEOUT at the deadline (also when nothing
 * was there and the deadline has long passed), or KWS_EIO with errno. A signal does not end the
 * wait. Thread: the socket's owner. */
int kws__frame_wait(void *socket, int64_t deadline_ms);

#endif
