/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/remote.h"

#include <stdio.h>
#include <stdlib.h>

#include "config/watcher.h"
#include "daemon/files.h"
#include "daemon/log.h"
#include "ipc/endpoint.h"
#include "ipc/zap.h"

/* A flood of connections takes libzmq a moment to close. */
#define PATIENCE_TICKS 20

#define PATH_BYTES (KWS_CONFIG_VALUE_SIZE + 32)

struct kws_remote {
	uv_loop_t *loop;
	char keys_dir[KWS_CONFIG_VALUE_SIZE];
	struct kws_keyring ring;
	struct kws_zap *zap;
	struct kws_watcher *watcher;
	struct kws_publisher *publisher;
	struct kws_control *control;
	unsigned closed_ticks; /* since the endpoints were closed; 0: they are open */
	json_int_t accepted;
	json_int_t refused;
};

static bool is_wanted(const struct kws_config *config)
{
	return config->ipc.remote_events[0] != '\0' || config->ipc.remote_control[0] != '\0';
}

static int read_server_key(
	const struct kws_config *config, struct kws_key_pair *pair, struct kws_error *error)
{
	char path[PATH_BYTES];
	snprintf(path, sizeof(path), "%s/server.key", config->ipc.keys);
	return kws_keys_read(path, true, pair, error);
}

int kws_remote_check(const struct kws_config *config, struct kws_error *error)
{
	struct kws_key_pair pair;
	struct kws_keyring ring;
	if (!is_wanted(config)) {
		return 0;
	}
	int result = kws_keys_supported(error);
	if (result == 0) {
		result = kws_endpoint_check_setting(config->ipc.remote_events, true, error);
	}
	if (result == 0) {
		result = kws_endpoint_check_setting(config->ipc.remote_control, true, error);
	}
	if (result == 0) {
		result = read_server_key(config, &pair, error);
		kws_keys_wipe(&pair);
	}
	if (result == 0) {
		result = kws_keyring_load(&ring, config->ipc.keys, error);
	}
	return result;
}

static const char *right_text(enum kws_right right)
{
	return right == KWS_RIGHT_CONTROL ? "control" : "events";
}

static void log_refusal(const struct kws_zap_decision *decision)
{
	const char *name = decision->name[0] != '\0' ? decision->name : "an unknown client";
	kws_log_warning("%s refused to %s, key %s, from %s: %s", right_text(decision->wanted), name,
		decision->public_key, decision->address, decision->reason);
}

static void on_decided(void *user, const struct kws_zap_decision *decision)
{
	struct kws_remote *remote = user;
	if (!decision->accepted) {
		remote->refused++;
		log_refusal(decision);
		return;
	}
	remote->accepted++;
	kws_log_debug("%s connected from %s for %s", decision->name, decision->address,
		right_text(decision->wanted));
}

/* Not while files are scarce: libzmq does not survive a bind without a free one. */
static void reopen(struct kws_remote *remote)
{
	struct kws_error error = {"too many open files"};
	bool open = !kws_files_are_crowded() &&
		    kws_publisher_reopen_remote(remote->publisher, &error) == 0 &&
		    kws_control_reopen_remote(remote->control, &error) == 0;
	remote->closed_ticks = open ? 0 : remote->closed_ticks + 1;
	if (remote->closed_ticks == PATIENCE_TICKS) {
		kws_log_error("no other machine can connect: %s; trying again", error.text);
	}
}

static void cut(struct kws_remote *remote)
{
	kws_publisher_close_remote(remote->publisher);
	kws_control_close_remote(remote->control);
	reopen(remote);
}

int kws_remote_reload(struct kws_remote *remote, struct kws_error *error)
{
	struct kws_keyring fresh;
	struct kws_error reason;
	if (remote == NULL) {
		return 0;
	}
	int result = kws_keyring_load(&fresh, remote->keys_dir, &reason);
	if (result != 0) {
		kws_fail(error, result, "the list of authorized clients stays as it was: %.200s",
			reason.text);
		kws_log_answer("%s", error->text);
		return result;
	}
	bool taken_away = kws_keyring_takes_away(&remote->ring, &fresh);
	remote->ring = fresh;
	kws_log_info("authorized clients: %zu", fresh.count);
	if (taken_away) {
		cut(remote);
	}
	return 0;
}

static void on_list_changed(void *user, bool own)
{
	struct kws_error error;
	(void)own; /* kwsctl changes the list */
	kws_remote_reload(user, &error);
}

void kws_remote_tick(struct kws_remote *remote)
{
	if (remote == NULL) {
		return;
	}
	if (remote->closed_ticks > 0) {
		reopen(remote);
	} else if (kws_files_are_crowded()) {
		kws_log_warning("too many connections: closing those of other machines");
		cut(remote);
	}
}

static int open_endpoints(
	struct kws_remote *remote, const struct kws_config *config, struct kws_error *error)
{
	const char *events = config->ipc.remote_events;
	const char *control = config->ipc.remote_control;
	struct kws_key_pair pair;
	int result = read_server_key(config, &pair, error);
	if (result == 0 && events[0] != '\0') {
		result = kws_publisher_open_remote(remote->publisher, events, &pair, error);
	}
	if (result == 0 && control[0] != '\0') {
		result = kws_control_open_remote(
			remote->control, control, &pair, &remote->ring, error);
	}
	if (result == 0) {
		kws_log_info(
			"other machines: events on %s, control on %s, server key %s, authorized: "
			"%zu",
			events[0] != '\0' ? events : "none", control[0] != '\0' ? control : "none",
			pair.public_key, remote->ring.count);
	}
	kws_keys_wipe(&pair);
	return result;
}

static void watch_list(struct kws_remote *remote)
{
	char path[PATH_BYTES];
	struct kws_error error;
	snprintf(path, sizeof(path), "%s/" KWS_KEYRING_FILE, remote->keys_dir);
	if (kws_watcher_create(
		    &remote->watcher, remote->loop, path, on_list_changed, remote, &error) != 0) {
		kws_log_warning("%s; SIGHUP and kwsctl reload still read it", error.text);
	}
}

static int start(struct kws_remote *remote, void *context, const struct kws_config *config,
	struct kws_error *error)
{
	int result = kws_remote_check(config, error);
	if (result == 0) {
		watch_list(remote);
		result = kws_keyring_load(&remote->ring, remote->keys_dir, error);
	}
	if (result == 0) {
		/* before the endpoints: libzmq must find it at the first handshake */
		result = kws_zap_create(&remote->zap, remote->loop, context, &remote->ring,
			on_decided, remote, error);
	}
	return result == 0 ? open_endpoints(remote, config, error) : result;
}

int kws_remote_create(struct kws_remote **out, uv_loop_t *loop, void *context,
	const struct kws_config *config, struct kws_publisher *publisher,
	struct kws_control *control, struct kws_error *error)
{
	*out = NULL;
	if (!is_wanted(config)) {
		return 0;
	}
	struct kws_remote *remote = calloc(1, sizeof(*remote));
	if (remote == NULL) {
		return kws_fail(error, KWS_ENOMEM, "out of memory");
	}
	remote->loop = loop;
	remote->publisher = publisher;
	remote->control = control;
	snprintf(remote->keys_dir, sizeof(remote->keys_dir), "%s", config->ipc.keys);
	*out = remote; /* also half open: the caller closes it */
	return start(remote, context, config, error);
}

json_t *kws_remote_status(const struct kws_remote *remote)
{
	if (remote == NULL) {
		return json_null();
	}
	return json_pack("{s:I, s:I, s:I}", "clients", (json_int_t)remote->ring.count, "accepted",
		remote->accepted, "refused", remote->refused);
}

void kws_remote_close(struct kws_remote *remote)
{
	if (remote == NULL) {
		return;
	}
	kws_watcher_destroy(remote->watcher);
	remote->watcher = NULL;
	kws_zap_close(remote->zap);
	remote->zap = NULL;
}

void kws_remote_destroy(struct kws_remote *remote)
{
	free(remote);
}
