/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/state.h"

#include <stdio.h>
#include <string.h>

#include "common/clock.h"
#include "daemon/news.h"
#include "ipc/event.h"
#include "systemd/notify.h"

void kws_state_pass(struct kws_state *state, const char *name, const char *reason)
{
	struct kws_state_event event = {
		.state = name,
		.reason = reason,
		.time_ms = kws_clock_ns(CLOCK_REALTIME) / 1000000,
		.monotonic_ns = kws_clock_ns(CLOCK_MONOTONIC),
	};
	json_t *json = NULL;
	kws_event_state(&event, &json);
	kws_news_send(state->publisher, KWS_TOPIC_STATE, json);
}

const char *kws_state_name(const struct kws_state *state)
{
	return state->muted ? "muted" : state->source;
}

const char *kws_state_reason(const struct kws_state *state)
{
	return state->muted ? state->mute_reason : state->source_reason;
}

const char *kws_state_text(const struct kws_state *state)
{
	return state->text;
}

static void set_source(struct kws_state *state, const char *name, const char *reason)
{
	state->source = name;
	snprintf(state->source_reason, sizeof(state->source_reason), "%s", reason);
}

static void write_text(struct kws_state *state)
{
	snprintf(state->text, sizeof(state->text), "%s: %s", kws_state_name(state),
		kws_state_reason(state));
}

static void tell(struct kws_state *state)
{
	write_text(state);
	kws_notify_status("%s", state->text);
	kws_state_pass(state, kws_state_name(state), kws_state_reason(state));
}

void kws_state_init(struct kws_state *state, struct kws_publisher *publisher)
{
	*state = (struct kws_state){.publisher = publisher};
	set_source(state, "opening", "the source is not open yet");
	write_text(state);
}

void kws_state_enter(struct kws_state *state, const char *name, const char *reason)
{
	set_source(state, name, reason);
	if (state->muted) {
		kws_state_pass(state, name, reason);
	}
	tell(state);
}

void kws_state_mute(struct kws_state *state, const char *reason)
{
	state->muted = true;
	snprintf(state->mute_reason, sizeof(state->mute_reason), "%s", reason);
	tell(state);
}

void kws_state_unmute(struct kws_state *state)
{
	state->muted = false;
	if (strcmp(state->source, "listening") == 0) {
		set_source(state, "listening", "not muted any more");
	}
	tell(state);
}
