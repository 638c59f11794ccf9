/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/daemon.h"

#include <malloc.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>
#include <uv.h>
#include <zmq.h>

#include "bnn/kernels.h"
#include "common/json.h"
#include "config/watcher.h"
#include "daemon/files.h"
#include "daemon/log.h"
#include "daemon/methods.h"
#include "daemon/metrics.h"
#include "daemon/models.h"
#include "daemon/recorder.h"
#include "daemon/remote.h"
#include "daemon/settings.h"
#include "daemon/stream.h"
#include "daemon/values.h"
#include "ipc/control.h"
#include "ipc/runtime.h"
#include "ipc/text.h"
#include "systemd/notify.h"

#define TICK_MS 100
#define METRICS_MS 15000

struct daemon {
	const struct kws_options *options;
	struct kws_config *config;
	json_t *changes; /* made by `set`, until the file is read again */
	json_t *before;  /* they without the last ones, for take_back() */
	char reload_error[256];
	uint64_t started_ms;
	uint64_t reloads;
	uint64_t refused_reloads;
	enum kws_daemon_status status;
	bool stopping;

	uv_loop_t loop;
	uv_signal_t signals[3];
	size_t signal_count;
	uv_timer_t tick;
	struct kws_watchdog watchdog;
	uint64_t metrics_due_ms;
	struct kws_metrics_file metrics;

	int lock;
	void *zmq;
	struct kws_publisher *publisher;
	struct kws_control *control;
	struct kws_remote *remote;
	struct kws_watcher *watcher;
	struct kws_stream *stream;
	struct kws_methods methods;
};

/* What is said of a configuration, and what is said from then on. */
static void go_by(const struct kws_config *config)
{
	/* the schema's levels are in the order of the log's */
	kws_log_set_level((enum kws_log_level)config->log.level);
	kws_recorder_warn(config);
}

/* Starts the end: every handle is closed, and the loop runs out. */
static void stop(struct daemon *daemon)
{
	if (daemon->stopping) {
		return;
	}
	daemon->stopping = true;
	kws_notify("STOPPING=1");
	kws_stream_destroy(daemon->stream);
	daemon->stream = NULL;
	kws_control_close(daemon->control, NULL);
	daemon->control = NULL;
	kws_remote_close(daemon->remote);
	kws_watcher_destroy(daemon->watcher);
	daemon->watcher = NULL;
	for (size_t i = 0; i < daemon->signal_count; i++) {
		uv_close((uv_handle_t *)&daemon->signals[i], NULL);
	}
	uv_close((uv_handle_t *)&daemon->tick, NULL);
}

static void fail(struct daemon *daemon, enum kws_daemon_status status)
{
	daemon->status = status;
	stop(daemon);
}

static void on_stream_ended(void *user, enum kws_stream_end how)
{
	struct daemon *daemon = user;
	fail(daemon, how == KWS_STREAM_ENDED ? KWS_DAEMON_OK : KWS_DAEMON_FAILED);
}

static int take_config(struct daemon *daemon, struct kws_config *config, struct kws_error *error)
{
	int result = kws_stream_apply(daemon->stream, config, error);
	if (result != 0) {
		kws_config_destroy(config);
		return result;
	}
	kws_config_destroy(daemon->config);
	daemon->config = config;
	go_by(config);
	return 0;
}

/* A folder for clips or a file for metrics that cannot be written is a fault, not an error, for it
 * may come back: but who sets one is told. */
static int check_values(
	const struct kws_config *config, const json_t *values, struct kws_error *error)
{
	int result = 0;
	if (json_object_get(values, "clips.folder") != NULL) {
		result = kws_recorder_check(config, error);
	}
	if (result == 0 && json_object_get(values, "ipc.metrics_path") != NULL) {
		result = kws_metrics_file_check(config->ipc.metrics_path, error);
	}
	return result;
}

static int load_and_take(
	struct daemon *daemon, const json_t *changes, const json_t *values, struct kws_error *error)
{
	struct kws_config *config;
	struct kws_config_errors errors;
	if (changes == NULL) {
		return kws_fail(error, KWS_ENOMEM, "out of memory");
	}
	int result = kws_settings_load(daemon->options, changes, daemon->config, &config, &errors);
	if (result == 0 && (result = check_values(config, values, error)) != 0) {
		kws_config_destroy(config);
		return result;
	}
	if (result == 0) {
		return take_config(daemon, config, error);
	}
	for (size_t i = 0; i < errors.count; i++) {
		kws_log_answer("%s", errors.text[i]);
	}
	kws_fail(error, result, "%.200s%s", errors.text[0],
		errors.total > 1 ? " (and more, see the log)" : "");
	return result == KWS_ENOMEM ? result : KWS_EINVAL;
}

/* The one way to another configuration; on any error the old one stays as it is. `changes` (NULL:
 * there was no memory for them) become the daemon's or end here; `values` are those of them that
 * are being set, or NULL. */
static int take_changes(
	struct daemon *daemon, json_t *changes, const json_t *values, struct kws_error *error)
{
	int result = load_and_take(daemon, changes, values, error);
	if (result == 0) {
		json_decref(daemon->changes);
		daemon->changes = changes;
		daemon->reload_error[0] = '\0';
		daemon->reloads++;
		kws_log_info("configuration taken over");
	} else {
		json_decref(changes);
		daemon->refused_reloads++;
		memcpy(daemon->reload_error, error->text, sizeof(daemon->reload_error));
		kws_log_answer("the configuration stays as it was: %s", error->text);
	}
	return result;
}

/* What was set `before` as far as it suits the models that come with `values`: a keyword that they
 * do not know would be refused, and nothing but a whole reload would end its settings. */
static json_t *fit_models(struct daemon *daemon, json_t *before, const json_t *values)
{
	struct kws_config *config;
	struct kws_config_errors errors;
	json_t *kept = NULL;
	json_t *all = kws_values_combine(before, values);
	if (all != NULL && json_object_get(values, "model.path") != NULL &&
		kws_settings_load(daemon->options, all, daemon->config, &config, &errors) == 0) {
		kept = kws_models_fit(&config->model.path, before);
		kws_config_destroy(config);
	}
	json_decref(all);
	return kept != NULL ? kept : json_incref(before);
}

static void log_ended(json_t *before, const json_t *kept)
{
	const char *key;
	json_t *value;
	json_object_foreach (before, key, value) {
		if (json_object_get(kept, key) == NULL) {
			kws_log_info(
				"%s, which was set, ends: the models do not know the keyword", key);
		}
	}
}

static int change(
	struct daemon *daemon, json_t *before, const json_t *values, struct kws_error *error)
{
	json_t *kept = fit_models(daemon, before, values);
	int result = take_changes(daemon, kws_values_combine(kept, values), values, error);
	if (result == 0) {
		log_ended(before, kept);
		json_decref(daemon->before);
		daemon->before = json_incref(before);
	}
	json_decref(kept);
	return result;
}

static int reload(void *user, const json_t *values, struct kws_error *error)
{
	struct daemon *daemon = user;
	/* An edit that the watcher has not told yet comes with what is read now, and ends what was
	 * set before it; told later it would end `values`. */
	bool edited = kws_watcher_sync(daemon->watcher);
	bool anew = values == NULL || edited;
	kws_notify_reloading();
	json_t *before = anew ? json_object() : json_incref(daemon->changes);
	int result = change(daemon, before, values, error);
	json_decref(before);
	/* also when it was refused: who is no longer on the list has to go */
	struct kws_error reason;
	int listed = anew ? kws_remote_reload(daemon->remote, &reason) : 0;
	/* also when it was refused: systemd waits for it */
	kws_notify("READY=1");
	kws_notify_status("%s%s", kws_stream_state(daemon->stream),
		result == 0 ? "" : "; the last reload was refused");
	if (values != NULL && edited && result != 0) {
		reload(daemon, NULL, &reason); /* the edit without `values` may be good */
	}
	return values == NULL && result == 0 && listed != 0
		       ? kws_fail(error, listed, "%s", reason.text)
		       : result;
}

/* What needs a restart would be nowhere if it is not in the file: then nothing of it stays. */
static int take_back(
	struct daemon *daemon, const char *futile, const char *reason, struct kws_error *error)
{
	struct kws_error refusal;
	bool taken = take_changes(daemon, json_incref(daemon->before), NULL, &refusal) == 0;
	return kws_fail(error, KWS_EUNSUPPORTED,
		"%s: %.64s comes about with a restart of kwsd only and is not in the file: %.120s",
		taken ? "nothing is changed" : "it cannot be taken back, see the log", futile,
		reason);
}

static int persist(void *user, const json_t *values, struct kws_error *error)
{
	struct daemon *daemon = user;
	struct kws_error reason;
	int result = kws_values_write(daemon->options, values, &reason);
	if (result == 0) {
		kws_watcher_expect(daemon->watcher);
		return 0;
	}
	const char *futile = kws_values_futile(values);
	if (futile != NULL) {
		return take_back(daemon, futile, reason.text, error);
	}
	return kws_fail(error, result,
		"the change is in effect until %s, but not in the file: %.160s",
		daemon->options->config_path != NULL ? "the file is read again" : "kwsd ends",
		reason.text);
}

/* What was set and is not in the file ends with a change of the file, unless it was kwsd's own. */
static void on_file_changed(void *user, bool own)
{
	struct kws_error error = {""};
	json_t *nothing = own ? json_object() : NULL;
	reload(user, nothing, &error);
	json_decref(nothing);
}

static void on_signal(uv_signal_t *handle, int number)
{
	if (number == SIGHUP) {
		on_file_changed(handle->data, false);
		return;
	}
	kws_log_info("ending on signal %d", number);
	stop(handle->data);
}

static json_t *control_status(const struct kws_control *control)
{
	struct kws_control_counts counts = kws_control_counts(control);
	return json_pack("{s:I, s:I, s:I, s:I}", "requests", (json_int_t)counts.requests, "refused",
		(json_int_t)counts.refused, "malformed", (json_int_t)counts.malformed, "dropped",
		(json_int_t)counts.dropped);
}

static json_t *status_of(void *user)
{
	struct daemon *daemon = user;
	struct kws_publisher_counts events = kws_publisher_counts(daemon->publisher);
	const char *path = daemon->options->config_path;
	uint64_t up_ms = uv_now(&daemon->loop) - daemon->started_ms;
	size_t lacks = kws_json_lacks();
	json_t *status = json_pack("{s:s, s:s, s:I, s:f, s:{s:o, s:I, s:I, s:o}, s:{s:I, s:I}}",
		"version", KWS_VERSION, "boot", kws_publisher_boot(daemon->publisher), "pid",
		(json_int_t)getpid(), "uptime_s", (double)up_ms / 1000.0, "config", "path",
		kws_text_json(path != NULL ? path : ""), "reloads", (json_int_t)daemon->reloads,
		"refused", (json_int_t)daemon->refused_reloads, "last_error",
		kws_text_json(daemon->reload_error), "events", "sent", (json_int_t)events.sent,
		"failed", (json_int_t)events.failed);
	json_t *stream = kws_stream_status(daemon->stream);
	if (status == NULL || stream == NULL || json_object_update(status, stream) != 0 ||
		json_object_set_new(status, "control", control_status(daemon->control)) != 0 ||
		json_object_set_new(status, "remote", kws_remote_status(daemon->remote)) != 0 ||
		kws_json_lacks() != lacks) {
		json_decref(status);
		status = NULL;
	}
	json_decref(stream);
	return status;
}

static void on_metrics_failed(const char *reason)
{
	kws_log_warning("no metrics: %s", reason);
}

static void write_metrics(struct daemon *daemon)
{
	const char *path = daemon->config->ipc.metrics_path;
	uint64_t now_ms = uv_now(&daemon->loop);
	if (path[0] == '\0' || now_ms < daemon->metrics_due_ms) {
		return;
	}
	daemon->metrics_due_ms = now_ms + METRICS_MS;
	if (kws_metrics_file_is_busy(&daemon->metrics)) {
		on_metrics_failed("the last ones are still being written");
		return;
	}
	json_t *status = status_of(daemon);
	char *text = status != NULL ? kws_metrics_text(status) : NULL;
	json_decref(status);
	if (text == NULL) {
		on_metrics_failed("out of memory");
		return;
	}
	kws_metrics_file_write(&daemon->metrics, &daemon->loop, path, text);
}

static void on_tick(uv_timer_t *timer)
{
	struct daemon *daemon = timer->data;
	write_metrics(daemon);
	struct kws_progress progress = kws_stream_progress(daemon->stream);
	if (!kws_watchdog_tick(&daemon->watchdog, uv_now(&daemon->loop), &progress)) {
		kws_log_error("no audio was taken or decided upon for half the watchdog's time");
	}
	kws_stream_tick(daemon->stream);
	kws_publisher_tick(daemon->publisher);
	kws_remote_tick(daemon->remote);
}

static const struct kws_config *current_config(void *user)
{
	struct daemon *daemon = user;
	return daemon->config;
}

static json_t *devices_of(void *user)
{
	struct daemon *daemon = user;
	return kws_stream_devices(daemon->stream);
}

static json_t *level_of(void *user)
{
	struct daemon *daemon = user;
	return kws_stream_level(daemon->stream);
}

static void mute(void *user, uint64_t for_ms)
{
	struct daemon *daemon = user;
	kws_stream_mute(daemon->stream, for_ms);
}

static void unmute(void *user)
{
	struct daemon *daemon = user;
	kws_stream_unmute(daemon->stream);
}

static int start_handles(struct daemon *daemon)
{
	static const int numbers[] = {SIGINT, SIGTERM, SIGHUP};
	uv_timer_init(&daemon->loop, &daemon->tick);
	daemon->tick.data = daemon;
	uv_timer_start(&daemon->tick, on_tick, TICK_MS, TICK_MS);
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		if (uv_signal_init(&daemon->loop, &daemon->signals[i]) != 0) {
			return KWS_ENOMEM;
		}
		daemon->signal_count++;
		daemon->signals[i].data = daemon;
		if (uv_signal_start(&daemon->signals[i], on_signal, numbers[i]) != 0) {
			return KWS_EIO;
		}
	}
	return 0;
}

static int start_ipc(struct daemon *daemon, struct kws_error *error)
{
	char dir[KWS_RUNTIME_PATH_BYTES];
	char events[KWS_ENDPOINT_BYTES];
	char control[KWS_ENDPOINT_BYTES];
	int result = kws_runtime_dir(dir, sizeof(dir), error);
	if (result == 0) {
		result = kws_runtime_create(dir, error);
	}
	if (result == 0) {
		result = kws_runtime_lock(dir, &daemon->lock, error);
	}
	if (result == 0) {
		result = kws_settings_endpoints(daemon->config, events, control, error);
	}
	if (result == 0) {
		result = kws_publisher_create(&daemon->publisher, daemon->zmq, events,
			kws_recorder_audio_bytes(daemon->config), error);
	}
	if (result == 0) {
		result = kws_control_create(&daemon->control, &daemon->loop, daemon->zmq, control,
			kws_method_table, &daemon->methods, error);
	}
	if (result == 0) {
		kws_log_debug("events on %s, control on %s", events, control);
		result = kws_remote_create(&daemon->remote, &daemon->loop, daemon->zmq,
			daemon->config, daemon->publisher, daemon->control, error);
	}
	return result;
}

/* Without a watch kwsd does what else it is for. */
static void start_watcher(struct daemon *daemon)
{
	const char *path = daemon->options->config_path;
	struct kws_error error;
	if (path != NULL && kws_watcher_create(&daemon->watcher, &daemon->loop, path,
				    on_file_changed, daemon, &error) != 0) {
		kws_log_warning("%s; SIGHUP and kwsctl reload still read it", error.text);
	}
}

/* Takes over what was written between main's reading of the file and the watcher's. */
static void catch_up(struct daemon *daemon)
{
	struct kws_config *config;
	struct kws_config_errors errors;
	struct kws_error error;
	bool same = false;
	if (daemon->watcher == NULL) {
		return;
	}
	if (kws_settings_load(daemon->options, NULL, daemon->config, &config, &errors) == 0) {
		same = kws_config_diff(daemon->config, config, NULL, NULL) == KWS_APPLY_NONE;
		kws_config_destroy(config);
	}
	if (!same) {
		reload(daemon, NULL, &error);
	}
}

static int start(struct daemon *daemon, struct kws_error *error)
{
	int result = start_handles(daemon);
	if (result != 0) {
		return kws_fail(error, result, "cannot handle signals: %s", kws_strerror(result));
	}
	result = start_ipc(daemon, error);
	if (result == 0) {
		start_watcher(daemon);
		result = kws_stream_create(&daemon->stream, &daemon->loop, daemon->config,
			daemon->publisher, on_stream_ended, daemon, error);
	}
	return result;
}

/* What --check-config would have refused is wrong however often the service tries it. */
static enum kws_daemon_status status_of_start(const struct daemon *daemon, int result)
{
	struct kws_error error;
	/* a port that is taken is busy too, but there is the lock */
	if (result == KWS_EBUSY && daemon->lock < 0) {
		return KWS_DAEMON_BUSY;
	}
	return kws_stream_check(daemon->config, &error) == 0 ? KWS_DAEMON_FAILED : KWS_DAEMON_USAGE;
}

static void finish(struct daemon *daemon)
{
	uv_loop_close(&daemon->loop);
	kws_publisher_destroy(daemon->publisher);
	kws_remote_destroy(daemon->remote);
	zmq_ctx_term(daemon->zmq);
	kws_runtime_unlock(daemon->lock);
	json_decref(daemon->changes);
	json_decref(daemon->before);
	kws_config_destroy(daemon->config);
}

/* One heap for all threads. glibc would give each its own, and those of threads that come and go
 * with the devices keep pieces for ever: 2 MiB in a day of disturbances. No thread allocates often
 * enough to wait for another. */
static void share_heap(void)
{
#ifdef M_ARENA_MAX
	mallopt(M_ARENA_MAX, 1);
#endif
}

enum kws_daemon_status kws_daemon_run(const struct kws_options *options, struct kws_config *config)
{
	struct daemon daemon = {.options = options,
		.config = config,
		.lock = -1,
		.metrics = {.failed = on_metrics_failed}};
	struct kws_error error = {""};
	daemon.methods = (struct kws_methods){&daemon, current_config, reload, persist, status_of,
		devices_of, level_of, mute, unmute};
	share_heap();
	signal(SIGPIPE, SIG_IGN); /* whoever reads the log may end before the daemon does */
	go_by(config);
	if (uv_loop_init(&daemon.loop) != 0) {
		kws_log_error("cannot make an event loop");
		kws_config_destroy(config);
		return KWS_DAEMON_FAILED;
	}
	daemon.changes = json_object();
	daemon.zmq = zmq_ctx_new();
	if (daemon.changes == NULL || daemon.zmq == NULL) {
		kws_log_error("out of memory");
		finish(&daemon);
		return KWS_DAEMON_FAILED;
	}
	daemon.started_ms = uv_now(&daemon.loop);
	kws_watchdog_init(&daemon.watchdog, daemon.started_ms);
	if (kws_files_raise(&error) != 0) {
		kws_log_warning("%s", error.text);
	}
	int result = start(&daemon, &error);
	if (result != 0) {
		kws_log_error("%s", error.text);
		fail(&daemon, status_of_start(&daemon, result));
	} else {
		char kernels[128];
		kws_kernels_describe(kernels, sizeof(kernels));
		kws_log_info("kwsd %s is ready, kernels: %s", KWS_VERSION, kernels);
		kws_notify("READY=1");
		catch_up(&daemon);
	}
	uv_run(&daemon.loop, UV_RUN_DEFAULT);
	finish(&daemon);
	return daemon.status;
}
