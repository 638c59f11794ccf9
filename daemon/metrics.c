/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/metrics.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/file.h"
#include "ipc/runtime.h"

/* One metric: a number in the status, by the names of the objects on the way to it. */
struct metric {
	const char *name;
	const char *type;
	const char *help;
	const char *path[2]; /* the second may be NULL */
};

static const struct metric metrics[] = {
	{"kwsd_uptime_seconds", "gauge", "Time since the start.", {"uptime_s", NULL}},
	{"kwsd_config_reloads_total", "counter", "Configurations taken over.",
		{"config", "reloads"}},
	{"kwsd_config_refused_total", "counter", "Configurations and changes refused.",
		{"config", "refused"}},
	{"kwsd_events_sent_total", "counter", "Events published.", {"events", "sent"}},
	{"kwsd_events_failed_total", "counter", "Events that could not be published.",
		{"events", "failed"}},
	{"kwsd_audio_frames_total", "counter", "Frames taken from the source.",
		{"audio", "frames"}},
	{"kwsd_audio_overrun_frames_total", "counter",
		"Frames dropped because the daemon was late.", {"audio", "overrun_frames"}},
	{"kwsd_audio_gaps_total", "counter", "Gaps in the audio.", {"audio", "gaps"}},
	{"kwsd_audio_xruns_total", "counter", "Overflows that the device reported.",
		{"audio", "xruns"}},
	{"kwsd_audio_reopens_total", "counter", "Times that a lost source was opened again.",
		{"audio", "reopens"}},
	{"kwsd_audio_zero_periods_total", "counter", "Times that only zeros came.",
		{"audio", "zero_periods"}},
	{"kwsd_audio_suspends_total", "counter", "Times that the system slept.",
		{"audio", "suspends"}},
	{"kwsd_hops_total", "counter", "Windows decided.", {"network", "hops"}},
	{"kwsd_hop_p50_microseconds", "gauge", "Median time of all networks for a window.",
		{"network", "hop_us_p50"}},
	{"kwsd_hop_p99_microseconds", "gauge", "99th percentile of that time.",
		{"network", "hop_us_p99"}},
	{"kwsd_clips_saved_total", "counter", "Clips saved.", {"clips", "saved"}},
	{"kwsd_clips_failed_total", "counter", "Clips that could not be saved.",
		{"clips", "failed"}},
	{"kwsd_control_requests_total", "counter",
		"Requests to the control socket that were handled.", {"control", "requests"}},
	{"kwsd_control_refused_total", "counter", "Requests of clients that have lost the right.",
		{"control", "refused"}},
	{"kwsd_control_malformed_total", "counter",
		"Messages to the control socket with a wrong number of frames.",
		{"control", "malformed"}},
	{"kwsd_control_dropped_total", "counter", "Answers that could not be sent.",
		{"control", "dropped"}},
	{"kwsd_remote_accepted_total", "counter", "Connections of other machines accepted.",
		{"remote", "accepted"}},
	{"kwsd_remote_refused_total", "counter", "Connections of other machines refused.",
		{"remote", "refused"}},
	{"kwsd_level_rms_dbfs", "gauge", "Audio level.", {"level", "rms_dbfs"}},
	{"kwsd_muted", "gauge", "1 while the audio is thrown away.", {"mute", "on"}},
};

/* What each model has. */
static const struct metric model_metrics[] = {
	{"kwsd_rows_total", "counter", "Rows of the network's maps computed.", {"rows", NULL}},
	{"kwsd_mean_exit", "gauge", "Mean exit of the windows decided.", {"mean_exit", NULL}},
	{"kwsd_binary_macs_per_hop", "gauge", "Binary multiply-accumulates of a window, mean.",
		{"binary_macs_per_hop", NULL}},
	{"kwsd_model_hop_p50_microseconds", "gauge", "Median time of the network for a window.",
		{"hop_us_p50", NULL}},
	{"kwsd_model_hop_p99_microseconds", "gauge", "99th percentile of that time.",
		{"hop_us_p99", NULL}},
};

/* What each keyword of each model has. */
static const struct metric keyword_metrics[] = {
	{"kwsd_detections_total", "counter", "Times that the keyword was detected.",
		{"keyword_detections", NULL}},
	{"kwsd_near_misses_total", "counter",
		"Times that it nearly was; only counted with detector.candidate_threshold.",
		{"keyword_near_misses", NULL}},
};

static void print_head(FILE *out, const char *name, const char *type, const char *help)
{
	fprintf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static void print_metric(FILE *out, const struct metric *metric, const json_t *status)
{
	const json_t *value = json_object_get(status, metric->path[0]);
	if (metric->path[1] != NULL) {
		value = json_object_get(value, metric->path[1]);
	}
	if (json_is_number(value) || json_is_boolean(value)) {
		print_head(out, metric->name, metric->type, metric->help);
		double number = json_is_true(value) ? 1.0 : json_number_value(value);
		fprintf(out, "%s %.17g\n", metric->name, number);
	}
}

/* A label's value: backslash, quote and line feed are escaped. */
static void print_label(FILE *out, const char *name, const char *text)
{
	fprintf(out, "%s=\"", name);
	for (; text != NULL && *text != '\0'; text++) {
		if (*text == '\n') {
			fputs("\\n", out);
			continue;
		}
		fprintf(out, "%s%c", *text == '"' || *text == '\\' ? "\\" : "", *text);
	}
	fputc('"', out);
}

static void print_model_label(FILE *out, const json_t *model)
{
	print_label(out, "model", json_string_value(json_object_get(model, "model")));
}

static const json_t *models_of(const json_t *status)
{
	return json_object_get(json_object_get(status, "network"), "models");
}

static void print_model_metric(FILE *out, const struct metric *metric, const json_t *models)
{
	size_t i;
	json_t *model;
	print_head(out, metric->name, metric->type, metric->help);
	json_array_foreach (models, i, model) {
		fprintf(out, "%s{", metric->name);
		print_model_label(out, model);
		fprintf(out, "} %.17g\n",
			json_number_value(json_object_get(model, metric->path[0])));
	}
}

static void print_exits_of(FILE *out, const json_t *model)
{
	size_t exit;
	json_t *count;
	json_array_foreach (json_object_get(model, "hops_at_exit"), exit, count) {
		fputs("kwsd_hops_at_exit_total{", out);
		print_model_label(out, model);
		fprintf(out, ",exit=\"%zu\"} %" JSON_INTEGER_FORMAT "\n", exit,
			json_integer_value(count));
	}
}

static void print_exits(FILE *out, const json_t *models)
{
	size_t i;
	json_t *model;
	print_head(out, "kwsd_hops_at_exit_total", "counter",
		"Windows decided at each exit; exit 0: no speech, no exit was asked.");
	json_array_foreach (models, i, model) {
		print_exits_of(out, model);
	}
}

static void print_keywords_of(FILE *out, const struct metric *metric, const json_t *model)
{
	const char *keyword;
	json_t *count;
	json_object_foreach (json_object_get(model, metric->path[0]), keyword, count) {
		fprintf(out, "%s{", metric->name);
		print_model_label(out, model);
		fputc(',', out);
		print_label(out, "keyword", keyword);
		fprintf(out, "} %" JSON_INTEGER_FORMAT "\n", json_integer_value(count));
	}
}

static void print_keywords(FILE *out, const struct metric *metric, const json_t *models)
{
	size_t i;
	json_t *model;
	print_head(out, metric->name, metric->type, metric->help);
	json_array_foreach (models, i, model) {
		print_keywords_of(out, metric, model);
	}
}

static void print_models(FILE *out, const json_t *models)
{
	for (size_t i = 0; i < sizeof(keyword_metrics) / sizeof(keyword_metrics[0]); i++) {
		print_keywords(out, &keyword_metrics[i], models);
	}
	for (size_t i = 0; i < sizeof(model_metrics) / sizeof(model_metrics[0]); i++) {
		print_model_metric(out, &model_metrics[i], models);
	}
	print_exits(out, models);
}

static void print_info(FILE *out, const json_t *status)
{
	size_t i;
	json_t *model;
	print_head(out, "kwsd_info", "gauge", "What runs.");
	json_array_foreach (models_of(status), i, model) {
		fputs("kwsd_info{", out);
		print_label(out, "version", json_string_value(json_object_get(status, "version")));
		fputc(',', out);
		print_model_label(out, model);
		fputs("} 1\n", out);
	}
	print_head(out, "kwsd_audio_running", "gauge", "1 while the source delivers.");
	const char *state =
		json_string_value(json_object_get(json_object_get(status, "audio"), "state"));
	fprintf(out, "kwsd_audio_running %d\n", state != NULL && strcmp(state, "running") == 0);
}

char *kws_metrics_text(const json_t *status)
{
	char *text;
	size_t size;
	FILE *out = open_memstream(&text, &size);
	if (out == NULL) {
		return NULL;
	}
	print_info(out, status);
	for (size_t i = 0; i < sizeof(metrics) / sizeof(metrics[0]); i++) {
		print_metric(out, &metrics[i], status);
	}
	print_models(out, models_of(status));
	return fclose(out) == 0 ? text : NULL;
}

/* Whoever may set the path could have any file replaced that the daemon's user may write. */
static bool is_of_metrics(const char *path)
{
	static const char begin[] = "# HELP kwsd_";
	char text[sizeof(begin) - 1];
	struct stat info;
	size_t length = 0;
	int fd = kws_file_open(path, &info, NULL);
	if (fd < 0) {
		return false;
	}
	int result = kws_file_fill(fd, text, sizeof(text), &length, NULL);
	close(fd);
	return result == 0 &&
	       (length == 0 || (length == sizeof(text) && memcmp(text, begin, sizeof(text)) == 0));
}

int kws_metrics_file_check(const char *path, struct kws_error *error)
{
	struct stat info;
	if (kws_runtime_owns(path)) {
		return kws_fail(error, KWS_EINVAL,
			"cannot write %.120s: kwsd keeps another file there", path);
	}
	if (path[0] != '\0' && lstat(path, &info) == 0 &&
		!(S_ISREG(info.st_mode) && is_of_metrics(path))) {
		return kws_fail(error, KWS_EINVAL,
			"cannot write %.120s: what lies there is no file of kwsd's metrics", path);
	}
	return 0;
}

/* The draft beside it does not end in .prom: the collector does not read it. */
static int write_file(const char *path, const char *text, struct kws_error *error)
{
	struct kws_error reason;
	struct kws_file_new how = {.mode = 0644};
	int result = kws_metrics_file_check(path, error);
	if (result != 0) {
		return result;
	}
	result = kws_file_replace(path, &how, text, strlen(text), &reason);
	return result == 0
		       ? 0
		       : kws_fail(error, result, "cannot write %.120s: %.120s", path, reason.text);
}

/* The worker thread. */
static void work(uv_work_t *request)
{
	struct kws_metrics_file *file = request->data;
	file->result = write_file(file->path, file->text, &file->error);
}

static void on_done(uv_work_t *request, int status)
{
	struct kws_metrics_file *file = request->data;
	(void)status;
	free(file->text);
	file->text = NULL;
	if (file->result != 0) {
		file->failed(file->error.text);
	}
}

bool kws_metrics_file_is_busy(const struct kws_metrics_file *file)
{
	return file->text != NULL;
}

void kws_metrics_file_write(
	struct kws_metrics_file *file, uv_loop_t *loop, const char *path, char *text)
{
	file->work.data = file;
	file->text = text;
	snprintf(file->path, sizeof(file->path), "%s", path);
	uv_queue_work(loop, &file->work, work, on_done);
}
