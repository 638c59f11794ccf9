/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/kwsctl-monitor.h"

#include <jansson.h>
#include <limits.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/kwsctl-keys.h"
#include "cli/kwsctl-options.h"
#include "cli/kwsctl-print.h"
#include "cli/kwsctl-scores.h"
#include "cli/terminal.h"
#include "common/clock.h"
#include "ipc/endpoint.h"
#include "ipc/event.h"
#include "ipc/subscriber.h"

/* How long one wait lasts: a signal that comes just before it is seen after it. */
#define SLICE_MS 200

/* How long a connection may take before it is told that there is none. */
#define PATIENCE_MS 3000

struct monitor {
	const struct kwsctl_options *options;
	int name_count;
	char *const *names;
	struct kws_subscriber *subscriber;
	json_t *last_seq; /* topic -> seq */
	char boot[64];
	const char *endpoint;
	int for_seconds;        /* 0: no limit */
	int64_t alone_since_ms; /* when it was last connected, or the start */
	bool alone_told;
	int printed; /* without states */
	bool headed; /* the heading of the scores is printed */
};

static volatile sig_atomic_t stop_requested;

static void on_signal(int number)
{
	(void)number;
	stop_requested = 1;
}

static int64_t now_ms(void)
{
	return (int64_t)kws_clock_ms(CLOCK_MONOTONIC);
}

/* `seq` counts per topic, so a jump is a loss whatever else the publisher sends. */
static void watch_losses(struct monitor *monitor, const char *topic, const json_t *event)
{
	const char *boot = json_string_value(json_object_get(event, "boot"));
	json_int_t seq = json_integer_value(json_object_get(event, "seq"));
	if (boot != NULL && strcmp(boot, monitor->boot) != 0) {
		if (monitor->boot[0] != '\0') {
			kwsctl_complain("kwsd was restarted (new boot id)");
		}
		snprintf(monitor->boot, sizeof(monitor->boot), "%s", boot);
		json_object_clear(monitor->last_seq);
	}
	json_int_t last = json_integer_value(json_object_get(monitor->last_seq, topic));
	if (last > 0 && seq > last + 1) {
		char sentence[256];
		snprintf(sentence, sizeof(sentence),
			"%" JSON_INTEGER_FORMAT " messages on %.128s were lost", seq - last - 1,
			topic);
		kwsctl_complain(sentence);
	}
	json_object_set_new(monitor->last_seq, topic, json_integer(seq));
}

static void print_number(
	const char *before, const json_t *event, const char *key, int decimals, const char *after)
{
	const json_t *value = json_object_get(event, key);
	if (json_is_number(value)) {
		printf("%s%.*f%s", before, decimals, json_number_value(value), after);
	} else {
		printf("%s-%s", before, after);
	}
}

static void print_string(
	const char *before, const json_t *event, const char *key, const char *after)
{
	const char *text = json_string_value(json_object_get(event, key));
	fputs(before, stdout);
	kws_terminal_text(stdout, text != NULL ? text : "-");
	fputs(after, stdout);
}

static void print_depth(const json_t *event)
{
	print_number("  exit ", event, "exit", 0, "/");
	print_number("", event, "exits", 0, "");
	print_number("  entropy ", event, "entropy", 3, "");
	print_string("  ", event, "reason", "");
}

static bool has_prefix(const char *text, const char *prefix)
{
	return strncmp(text, prefix, strlen(prefix)) == 0;
}

static void print_score(struct monitor *monitor, const json_t *event)
{
	if (!monitor->headed) {
		kwsctl_print_score_heading(stdout);
		monitor->headed = true;
	}
	kwsctl_print_score(stdout, event);
}

static void print_event(struct monitor *monitor, const char *topic, const json_t *event)
{
	if (strcmp(topic, KWS_TOPIC_STATE) == 0) {
		print_string("", event, "time", "");
		print_string("  state ", event, "state", "");
		print_string("  (", event, "reason", ")\n");
	} else if (strcmp(topic, KWS_TOPIC_SCORE) == 0) {
		print_score(monitor, event);
	} else {
		print_string("", event, "time",
			has_prefix(topic, KWS_TOPIC_CANDIDATE) ? "  candidate " : "  ");
		print_string("", event, "name", "");
		print_number("  score ", event, "score", 3, "");
		print_depth(event);
		print_number("  latency ", event, "latency_ms", 0, " ms\n");
	}
}

static int print_raw(const char *topic, json_t *event)
{
	json_t *line = json_pack("{s:s}", "topic", topic);
	int rc = json_object_update(line, event);
	rc = rc == 0 ? kwsctl_print_json(stdout, line) : KWS_ENOMEM;
	json_decref(line);
	return rc;
}

/* A subscription is a prefix: "on" would bring "one" as well. */
static bool is_wanted(const struct monitor *monitor, const char *topic)
{
	size_t prefix = 0;
	if (has_prefix(topic, KWS_TOPIC_DETECTION)) {
		prefix = strlen(KWS_TOPIC_DETECTION);
	} else if (has_prefix(topic, KWS_TOPIC_CANDIDATE)) {
		prefix = strlen(KWS_TOPIC_CANDIDATE);
	}
	bool wanted = prefix == 0 || monitor->name_count == 0;
	for (int i = 0; i < monitor->name_count && !wanted; i++) {
		wanted = strcmp(topic + prefix, monitor->names[i]) == 0;
	}
	return wanted;
}

static enum kwsctl_status show_event(struct monitor *monitor, const char *topic, json_t *event)
{
	watch_losses(monitor, topic, event);
	if (!is_wanted(monitor, topic)) {
		return KWSCTL_OK;
	}
	int rc = 0;
	if (monitor->options->json) {
		rc = print_raw(topic, event);
	} else {
		print_event(monitor, topic, event);
	}
	if (rc < 0) {
		kwsctl_complain("cannot write the output");
		return KWSCTL_REFUSED;
	}
	monitor->printed += strcmp(topic, KWS_TOPIC_STATE) != 0;
	return kwsctl_finish_output();
}

static enum kwsctl_status receive_one(struct monitor *monitor, int timeout_ms)
{
	char *topic;
	json_t *event;
	int rc = kws_subscriber_receive(monitor->subscriber, timeout_ms, &topic, &event);
	if (rc == KWS_ETIMEOUT) {
		return KWSCTL_OK;
	}
	if (rc == KWS_EFORMAT) {
		kwsctl_complain("skipped a message that is no event");
		return KWSCTL_OK;
	}
	if (rc < 0) {
		kwsctl_complain(rc == KWS_EPERM ? "kwsd refuses this key" : kws_strerror(rc));
		return KWSCTL_UNREACHABLE;
	}
	enum kwsctl_status status = show_event(monitor, topic, event);
	free(topic);
	json_decref(event);
	return status;
}

/* The socket of an ipc:// endpoint is there from the start, and needs no keys. */
static void watch_connection(struct monitor *monitor)
{
	if (kws_subscriber_is_connected(monitor->subscriber)) {
		monitor->alone_since_ms = now_ms();
		monitor->alone_told = false;
	} else if (!monitor->alone_told && kws_endpoint_is_tcp(monitor->endpoint) &&
		   now_ms() - monitor->alone_since_ms >= PATIENCE_MS) {
		char sentence[256];
		snprintf(sentence, sizeof(sentence),
			"no answer from %.128s yet: nobody listens there, or the keys do not fit",
			monitor->endpoint);
		kwsctl_complain(sentence);
		monitor->alone_told = true;
	}
}

static enum kwsctl_status end_status(const struct monitor *monitor)
{
	return monitor->printed < monitor->options->count ? KWSCTL_TOO_FEW : KWSCTL_OK;
}

static enum kwsctl_status receive_all(struct monitor *monitor)
{
	const struct kwsctl_options *options = monitor->options;
	int64_t end_ms = now_ms() + (int64_t)monitor->for_seconds * 1000;
	monitor->alone_since_ms = now_ms();
	while (!stop_requested) {
		int64_t left_ms = monitor->for_seconds > 0 ? end_ms - now_ms() : SLICE_MS;
		if (left_ms <= 0) {
			return end_status(monitor);
		}
		enum kwsctl_status status =
			receive_one(monitor, left_ms < SLICE_MS ? (int)left_ms : SLICE_MS);
		if (status != KWSCTL_OK) {
			return status;
		}
		if (options->count > 0 && monitor->printed >= options->count) {
			return KWSCTL_OK;
		}
		watch_connection(monitor);
	}
	return end_status(monitor);
}

static int subscribe_names(struct monitor *monitor, const char *prefix)
{
	char topic[256];
	int rc = monitor->name_count == 0 ? kws_subscriber_add(monitor->subscriber, prefix) : 0;
	for (int i = 0; i < monitor->name_count && rc == 0; i++) {
		snprintf(topic, sizeof(topic), "%s%s", prefix, monitor->names[i]);
		rc = kws_subscriber_add(monitor->subscriber, topic);
	}
	return rc;
}

static int subscribe_all(struct monitor *monitor)
{
	int rc = subscribe_names(monitor, KWS_TOPIC_DETECTION);
	if (rc == 0) {
		rc = kws_subscriber_add(monitor->subscriber, KWS_TOPIC_STATE);
	}
	if (rc == 0 && monitor->options->scores) {
		rc = subscribe_names(monitor, KWS_TOPIC_CANDIDATE);
	}
	if (rc == 0 && monitor->options->scores) {
		rc = kws_subscriber_add(monitor->subscriber, KWS_TOPIC_SCORE);
	}
	return rc;
}

static void catch_signals(void)
{
	struct sigaction action = {.sa_handler = on_signal};
	sigemptyset(&action.sa_mask);
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
}

enum kwsctl_status kwsctl_monitor(
	const struct kwsctl_options *options, int count, char *const *names)
{
	char buffer[KWS_ENDPOINT_BYTES];
	struct kws_error error;
	struct kws_curve_client own;
	const struct kws_curve_client *keys;
	struct monitor monitor = {.options = options, .name_count = count, .names = names};
	enum kwsctl_status status = kwsctl_options_number(
		"--for", options->for_text, "seconds", INT_MAX, &monitor.for_seconds);
	if (status != KWSCTL_OK) {
		return status;
	}
	const char *endpoint = kwsctl_endpoint(options->events, KWS_ENDPOINT_EVENTS, buffer);
	if (endpoint == NULL) {
		return KWSCTL_USAGE;
	}
	monitor.endpoint = endpoint;
	status = kwsctl_client_keys(options, endpoint, &own, &keys);
	if (status != KWSCTL_OK) {
		return status;
	}
	int rc = kws_subscriber_create(&monitor.subscriber, endpoint, keys, &error);
	kws_keys_wipe(&own.own);
	if (rc < 0) {
		kwsctl_complain(error.text);
		return kwsctl_connect_status(rc);
	}
	status = KWSCTL_REFUSED;
	monitor.last_seq = json_object();
	if (monitor.last_seq == NULL || subscribe_all(&monitor) < 0) {
		kwsctl_complain("cannot subscribe");
	} else {
		catch_signals();
		status = receive_all(&monitor);
	}
	json_decref(monitor.last_seq);
	kws_subscriber_destroy(monitor.subscriber);
	return status;
}
