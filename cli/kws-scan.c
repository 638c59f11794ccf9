/* SPDX-License-Identifier: Apache-2.0 */
#include <getopt.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "cli/audio-file.h"
#include "cli/kws.h"
#include "cli/models.h"
#include "cli/path.h"
#include "cli/settings.h"
#include "cli/sweep.h"
#include "cli/terminal.h"
#include "dsp/mel.h"
#include "pipeline/report.h"

#define LABEL_WIDTH 12

static const char help[] =
	"usage: kws scan [OPTION]... FILE...\n\n"
	"Runs the daemon's pipeline over audio files (all that libsndfile reads) as fast as it "
	"goes and\n"
	"prints one line for each detection and, if detector.candidate_threshold is above 0, each\n"
	"near miss. A running kwsd that hears the same samples gives the same events at the same\n"
	"positions.\n\n"
	"  --json                   one JSON object a line: the event of docs/events.md with its\n"
	"                           `topic`, which tells a detection from a near miss, and "
	"`file`;\n"
	"                           seq counts from 0 in each file, boot and the clocks are null\n"
	"  --scores                 also each hop's decision\n"
	"  --thresholds T,T,...     what each of these thresholds detects, the same for every "
	"keyword,\n"
	"                           in one run; the events tell which. Exits are as configured\n"
	"  --config FILE            the daemon's configuration\n"
	"  --set SECTION.KEY=VALUE  a setting, as often as wanted\n"
	"  --model FILE             short for --set model.path=FILE; more than once: side by "
	"side\n";

struct scan {
	const char *file;
	bool json;
	bool scores;
	struct kws_cli_settings settings;
	struct kws_config *config;
	struct kws_model_set models;
	struct kws_pipeline *pipeline;
	const char *thresholds; /* NULL: as configured */
	struct kws_sweep
		*sweeps[KWS_CONFIG_MODELS_MAX]; /* of each model, if thresholds are given */
	uint64_t seq;
	bool lost; /* an event, for lack of memory */
};

static const struct kws_report_clock no_clock = {-1, -1, -1.0};

/* As kwsctl monitor --json prints it, and the file; NULL without memory. */
static json_t *make_line(struct scan *scan, const char *prefix, const char *name, json_t *event)
{
	json_t *stamped = NULL;
	json_t *line = json_pack("{s:o}", "topic", json_sprintf("%s%s", prefix, name));
	if (kws_event_stamp(event, scan->seq++, NULL, scan->config->ipc.site, &stamped) != 0 ||
		json_object_update(line, stamped) != 0 ||
		json_object_set_new(line, "file", json_string(scan->file)) != 0) {
		json_decref(line);
		line = NULL;
	}
	json_decref(stamped);
	return line;
}

/* Takes the reference to `event`; NULL: there was no memory for it. Its topic is in two parts. */
static void print_json(struct scan *scan, const char *prefix, const char *name, json_t *event)
{
	json_t *line = make_line(scan, prefix, name, event);
	char *text = line != NULL ? kws_event_dump(line) : NULL;
	if (text != NULL) {
		puts(text);
	}
	scan->lost |= text == NULL;
	free(text);
	json_decref(line);
	json_decref(event);
}

/* Where there is more than one. */
static void print_model(const struct scan *scan, const struct kws_model *model)
{
	if (scan->models.count > 1) {
		printf("  model ");
		kws_terminal_text(stdout, kws_model_name(model));
	}
	putchar('\n');
}

static void print_hop(
	const struct scan *scan, const struct kws_model *model, const struct kws_hop *hop)
{
	printf("%s: %9.3f s  hop %-7llu ", scan->file, (double)hop->sample / KWS_SAMPLE_RATE_HZ,
		(unsigned long long)hop->hop);
	const char *label = kws_hop_label(hop, model);
	kws_terminal_column(stdout, label != NULL ? label : "-", LABEL_WIDTH);
	printf(" score %.3f  exit %zu/%zu  entropy %5.3f  %-12s", (double)kws_hop_score(hop),
		hop->exit, hop->exits, (double)hop->entropy, kws_reason_name(hop->reason));
	if (!isnan(hop->change)) {
		printf("  change %.3f", (double)hop->change);
	}
	printf("  disagreement %zu", hop->disagreement);
	print_model(scan, model);
}

static void tell_hop(struct scan *scan, const struct kws_model *model, const struct kws_hop *hop)
{
	json_t *event;
	if (!scan->json) {
		print_hop(scan, model, hop);
	} else {
		int result = kws_report_score(model, hop, &event);
		print_json(scan, KWS_TOPIC_SCORE, "", result == 0 ? event : NULL);
	}
}

static void print_event(const struct scan *scan, const struct kws_model *model,
	const struct kws_detector_event *found)
{
	printf("%s: %9.3f s  %s", scan->file, (double)found->at.sample / KWS_SAMPLE_RATE_HZ,
		found->type == KWS_DETECTOR_DETECTION ? "" : "(near miss) ");
	kws_terminal_column(stdout, kws_model_label(model, found->label), LABEL_WIDTH);
	printf(" score %.3f  exit %zu/%zu  entropy %.3f  %s", (double)found->score, found->at.exit,
		kws_model_graph(model)->exit_count, (double)found->at.entropy, found->at.reason);
	if (scan->thresholds != NULL) {
		printf("  threshold %g", (double)found->threshold);
	}
	print_model(scan, model);
}

static void on_event(
	void *user, const struct kws_model *model, const struct kws_detector_event *found)
{
	struct scan *scan = user;
	json_t *event;
	if (!scan->json) {
		print_event(scan, model, found);
		return;
	}
	bool detection = found->type == KWS_DETECTOR_DETECTION;
	int result = kws_report_detection(model, scan->config, found, &no_clock, &event);
	print_json(scan, detection ? KWS_TOPIC_DETECTION : KWS_TOPIC_CANDIDATE,
		kws_model_label(model, found->label), result == 0 ? event : NULL);
}

static struct kws_sweep *sweep_of(const struct scan *scan, const struct kws_model *model)
{
	size_t i = 0;
	while (scan->models.models[i] != model) {
		i++;
	}
	return scan->sweeps[i];
}

static void on_hop(void *user, const struct kws_model *model, const struct kws_hop *hop)
{
	struct scan *scan = user;
	if (scan->scores) {
		tell_hop(scan, model, hop);
	}
	if (scan->thresholds != NULL) {
		const struct kws_pipeline_sink sink = {NULL, on_event, scan};
		kws_sweep_push(
			sweep_of(scan, model), hop, kws_pipeline_level(scan->pipeline), &sink);
	}
}

static int open_stream(void *user, const struct kws_audio_format *format, struct kws_error *error)
{
	struct scan *scan = user;
	return kws_pipeline_open(scan->pipeline, format->rate_hz, format->channels,
		(unsigned)scan->config->audio.channel, error);
}

static int push_frames(void *user, const int16_t *frames, size_t count, struct kws_error *error)
{
	struct scan *scan = user;
	(void)error;
	kws_pipeline_push(scan->pipeline, frames, count);
	return 0;
}

static int scan_file(struct scan *scan, const char *path)
{
	struct kws_pipeline_sink sink = {on_hop, scan->thresholds != NULL ? NULL : on_event, scan};
	struct kws_audio_file_taker taker = {open_stream, push_frames, NULL, scan};
	struct kws_error error = {""};
	if (scan->json && !kws_cli_path_is_text(path)) {
		return KWS_EXIT_FAILED;
	}
	scan->file = path;
	scan->seq = 0;
	scan->lost = false;
	for (size_t i = 0; scan->thresholds != NULL && i < scan->models.count; i++) {
		kws_sweep_restart(scan->sweeps[i]);
	}
	int result =
		kws_pipeline_create(&scan->pipeline, &scan->models, scan->config, &sink, &error);
	if (result == 0) {
		result = kws_audio_file_read(path, &taker, &error);
	}
	kws_pipeline_destroy(scan->pipeline);
	scan->pipeline = NULL;
	if (result == 0 && scan->lost) {
		result = kws_fail(&error, KWS_ENOMEM, "out of memory");
	}
	if (result != 0) {
		fprintf(stderr, "kws: %s: %s\n", path, error.text);
		return KWS_EXIT_FAILED;
	}
	return KWS_EXIT_OK;
}

static int load_thresholds(struct scan *scan)
{
	struct kws_error error = {""};
	int result = 0;
	for (size_t i = 0; scan->thresholds != NULL && i < scan->models.count && result == 0; i++) {
		result = kws_sweep_create(&scan->sweeps[i], scan->thresholds,
			scan->models.models[i], scan->config, &error);
	}
	if (result != 0) {
		fprintf(stderr, "kws: --thresholds: %s\n", error.text);
		return result == KWS_EINVAL ? KWS_EXIT_USAGE : KWS_EXIT_FAILED;
	}
	return KWS_EXIT_OK;
}

static int load(struct scan *scan)
{
	int status = kws_cli_settings_load(&scan->config, &scan->settings);
	if (status == KWS_EXIT_OK) {
		status = kws_cli_models_load(&scan->models, scan->config);
	}
	return status == KWS_EXIT_OK ? load_thresholds(scan) : status;
}

/* Returns -1 to go on. */
static int parse_options(struct scan *scan, int argc, char **argv)
{
	static const struct option options[] = {
		{"json", no_argument, NULL, 'j'},
		{"scores", no_argument, NULL, 'S'},
		{"thresholds", required_argument, NULL, 't'},
		{"config", required_argument, NULL, 'c'},
		{"set", required_argument, NULL, 's'},
		{"model", required_argument, NULL, 'm'},
		{"help", no_argument, NULL, 'h'},
		{NULL, 0, NULL, 0},
	};
	int option;
	while ((option = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		switch (option) {
		case 'j':
			scan->json = true;
			break;
		case 'S':
			scan->scores = true;
			break;
		case 't':
			scan->thresholds = optarg;
			break;
		case 'c':
			scan->settings.config_path = optarg;
			break;
		case 'm':
			if (!kws_cli_settings_add_model(&scan->settings, optarg)) {
				return KWS_EXIT_USAGE;
			}
			break;
		case 's':
			if (!kws_cli_settings_add(&scan->settings, optarg)) {
				return KWS_EXIT_USAGE;
			}
			break;
		default:
			fputs(help, option == 'h' ? stdout : stderr);
			return option == 'h' ? KWS_EXIT_OK : KWS_EXIT_USAGE;
		}
	}
	if (optind == argc) {
		fputs(help, stderr);
		return KWS_EXIT_USAGE;
	}
	return -1;
}

/* One that cannot be read keeps no other from being scanned. */
static int scan_all(struct scan *scan, int count, char **paths)
{
	int status = KWS_EXIT_OK;
	for (int i = 0; i < count; i++) {
		status = scan_file(scan, paths[i]) != KWS_EXIT_OK ? KWS_EXIT_FAILED : status;
	}
	return status;
}

int kws_scan_main(int argc, char **argv)
{
	struct scan scan = {0};
	int status = parse_options(&scan, argc, argv);
	if (status < 0) {
		status = load(&scan);
		if (status == KWS_EXIT_OK) {
			status = scan_all(&scan, argc - optind, argv + optind);
		}
	}
	for (size_t i = 0; i < scan.models.count; i++) {
		kws_sweep_destroy(scan.sweeps[i]);
	}
	kws_model_set_finish(&scan.models);
	kws_config_destroy(scan.config);
	kws_cli_settings_finish(&scan.settings);
	return status;
}
