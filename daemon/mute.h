/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KWS_DAEMON_MUTE_H
#define KWS_DAEMON_MUTE_H

#include <stdbool.h>
#include <stdint.h>

#include "common/error.h"
#include "ipc/runtime.h"

#define KWS_MUTE_TEXT_BYTES 64

/* Whether the daemon listens: what comes in while it is muted is counted and thrown away. Times are
 * CLOCK_BOOTTIME's, so that the system's sleep counts.
 *
 * A file, KWS_RUNTIME_MUTED, holds a mute as long as it is on, for a daemon that dies must not
 * listen again when it is started anew: its end in milliseconds and a line feed, or nothing if it
 * has none. Thread: one at a time, for all functions; those that return an error write to the file
 * system. */
struct kws_mute {
	bool on;
	uint64_t until_ms; /* 0: until it is told otherwise */
	uint64_t frames; /* of the open stream thrown away, which the pipeline does not know yet */
	char path[KWS_RUNTIME_PATH_BYTES + sizeof(KWS_RUNTIME_MUTED)];
};

/* Not muted. The file will be in the runtime directory: see kws_runtime_dir(). Errors: its. */
int kws_mute_init(struct kws_mute *mute, struct kws_error *error);

/* `for_ms` 0: for ever. It is on in any case; errors: KWS_EIO, the file cannot be written, with a
 * sentence. */
int kws_mute_begin(
	struct kws_mute *mute, uint64_t now_ms, uint64_t for_ms, struct kws_error *error);

/* It is off in any case; errors: KWS_EIO, the file cannot be removed, with a sentence. */
int kws_mute_end(struct kws_mute *mute, struct kws_error *error);

/* As one that died left it; without a file nothing happens, and a mute whose time has come ends. A
 * file that cannot be read or means nothing could have been any mute: it is on until it is told
 * otherwise. Errors, with a sentence: KWS_EFORMAT in that case, KWS_EIO as kws_mute_end(). */
int kws_mute_restore(struct kws_mute *mute, uint64_t now_ms, struct kws_error *error);

/* Whether its time has come to an end. */
bool kws_mute_is_over(const struct kws_mute *mute, uint64_t now_ms);

/* What is left of it, 0 if it is off or has no end. */
uint64_t kws_mute_left_ms(const struct kws_mute *mute, uint64_t now_ms);

/* How long it lasts, for people: "for 60.0 s". */
void kws_mute_describe(
	const struct kws_mute *mute, uint64_t now_ms, char text[KWS_MUTE_TEXT_BYTES]);

#endif
