/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KWS_DAEMON_STATE_H
#define KWS_DAEMON_STATE_H

#include <stdbool.h>

#include "ipc/publisher.h"

/* What the daemon does and why, as kws.state, the status and the service manager are told. A mute
 * covers the source's state, which comes to light with its end. Thread: loop, for all. */
struct kws_state {
	struct kws_publisher *publisher;
	const char *source; /* a static name, such as "listening" */
	char source_reason[256];
	bool muted;
	char mute_reason[256];
	char text[320];
};

/* It begins as "opening", which nobody is told; `publisher` outlives it. */
void kws_state_init(struct kws_state *state, struct kws_publisher *publisher);

/* What the source is now until the next call; `name` is static. While muted the mute is told again
 * after it, so that who kept only the last event knows of it. */
void kws_state_enter(struct kws_state *state, const char *name, const char *reason);

/* What happened and is over: the state stays. */
void kws_state_pass(struct kws_state *state, const char *name, const char *reason);

void kws_state_mute(struct kws_state *state, const char *reason);

/* Tells the source's state, as it is by now. */
void kws_state_unmute(struct kws_state *state);

/* The state and its reason. Valid until the next call that changes it. */
const char *kws_state_name(const struct kws_state *state);
const char *kws_state_reason(const struct kws_state *state);

/* Both: "listening: USB microphone". Likewise. */
const char *kws_state_text(const struct kws_state *state);

#endif
