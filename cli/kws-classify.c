/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <getopt.h>
#include <jansson.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bnn/net.h"
#include "cli/clip.h"
#include "cli/kws.h"
#include "cli/models.h"
#include "cli/path.h"
#include "cli/settings.h"
#include "cli/terminal.h"
#include "common/json.h"
#include "common/utf8.h"
#include "dsp/mel.h"
#include "exits/posterior.h"
#include "pipeline/pipeline.h"
#include "pipeline/resolve.h"

#define LABEL_WIDTH 12

static const char help[] =
	"usage: kws classify [OPTION]... [FILE]...\n\n"
	"Each file is one clip: its middle second is classified, a shorter one is zero-padded on "
	"both\n"
	"sides.\n\n"
	"  --model FILE             the model (default: the one that was installed)\n"
	"  --list FILE              further paths, one a line; '-' reads them from the standard "
	"input\n"
	"  --delta D                answer with the first exit whose entropy is below D nats,\n"
	"                           as the policy entropy does\n"
	"  --policy P               answer as this policy of [exits] does; each clip is a stream "
	"of its own\n"
	"  --config FILE            the daemon's configuration. What counts: [audio].channel,\n"
	"                           [dsp].resampler_quality, [model].path, [exits] and what "
	"keywords\n"
	"                           have of it. The rest of [dsp] needs a stream: `kws scan`\n"
	"  --set SECTION.KEY=VALUE  a setting of it, as often as wanted\n"
	"  --json                   one JSON object a line: file, label, score, exit, entropy, "
	"reason, and\n"
	"                           `exits` with label, score and entropy of each\n"
	"  --logits                 with --json: the logits of each exit, too\n\n"
	"Without --delta, --policy, --config and --set the last exit answers.\n";

struct answer {
	size_t label;
	float score;
	float entropy;
	const float *logits; /* of the net, until the next clip */
};

struct classify {
	struct kws_cli_settings settings;
	bool deciding;     /* something was set for the policy */
	bool delta;        /* --delta was given */
	bool policy_given; /* by --policy */
	const char *list_path;
	bool json;
	bool logits;
	struct kws_config *config;
	struct kws_model *model;
	struct kws_net *net;
	struct kws_mel *mel;
	struct kws_policy_settings policy_settings;
	struct kws_policy *policy;
};

/* The logits of every exit of a clip. */
struct exits {
	const float *logits[KWS_EXITS_MAX];
};

static const float *logits_of(void *user, size_t exit)
{
	const struct exits *exits = user;
	return exits->logits[exit];
}

static struct answer answer_of(const struct classify *classify, const float *logits, size_t exit)
{
	float posteriors[KWS_CLASSES_MAX];
	size_t classes = kws_model_graph(classify->model)->classes;
	kws_posterior_softmax(
		logits, classes, classify->policy_settings.temperature[exit], posteriors);
	size_t best = kws_posterior_best(posteriors, classes);
	return (struct answer){
		best, posteriors[best], kws_posterior_entropy(posteriors, classes), logits};
}

/* Runs every exit and lets the policy decide among them. */
static struct kws_decision run_exits(
	struct classify *classify, const float *window, struct answer *answers)
{
	struct exits exits;
	struct kws_decision decision;
	kws_net_begin(classify->net, window);
	for (size_t i = 0; i < kws_model_graph(classify->model)->exit_count; i++) {
		exits.logits[i] = kws_net_run_exit(classify->net, i);
		answers[i] = answer_of(classify, exits.logits[i], i);
	}
	kws_policy_reset(classify->policy);
	kws_policy_decide(classify->policy, 0, logits_of, &exits, &decision);
	return decision;
}

/* JSON has no NaN. */
static json_t *json_number(float value)
{
	return isfinite(value) ? json_real((double)value) : json_null();
}

static json_t *json_answer(const struct classify *classify, const struct answer *answer)
{
	json_t *object = json_pack("{s:s, s:o, s:o}", "label",
		kws_model_label(classify->model, answer->label), "score",
		json_number(answer->score), "entropy", json_number(answer->entropy));
	json_t *logits = classify->logits ? json_array() : NULL;
	for (size_t i = 0; logits != NULL && i < kws_model_label_count(classify->model); i++) {
		json_array_append_new(logits, json_number(answer->logits[i]));
	}
	if (logits != NULL) {
		json_object_set_new(object, "logits", logits);
	}
	return object;
}

static bool print_json(const struct classify *classify, const char *path,
	const struct answer *answers, const struct kws_decision *decision)
{
	size_t exits = kws_model_graph(classify->model)->exit_count;
	size_t lacks = kws_json_lacks();
	json_t *list = json_array();
	for (size_t i = 0; i < exits; i++) {
		json_array_append_new(list, json_answer(classify, &answers[i]));
	}
	json_t *object = json_pack("{s:s%, s:s, s:f, s:i, s:o, s:s, s:o}", "file", path,
		strlen(path), "label", kws_model_label(classify->model, decision->label), "score",
		(double)decision->posteriors[decision->label], "exit", (int)decision->exit + 1,
		"entropy", json_number(decision->entropy), "reason",
		kws_reason_name(decision->reason), "exits", list);
	char *line = object != NULL ? kws_json_dump(object, JSON_COMPACT | JSON_REAL_PRECISION(6))
				    : NULL;
	bool good = line != NULL && kws_json_lacks() == lacks;
	if (good) {
		puts(line);
	} else {
		fprintf(stderr, "kws: %s: out of memory\n", path);
	}
	free(line);
	json_decref(object);
	return good;
}

static int classify_file(struct classify *classify, const char *path)
{
	struct kws_error error = {""};
	struct kws_clip clip;
	if (classify->json && !kws_cli_path_is_text(path)) {
		return KWS_EXIT_FAILED;
	}
	if (kws_clip_read(&clip, path, classify->config, &error) != 0) {
		fprintf(stderr, "kws: %s: %s\n", path, error.text);
		return KWS_EXIT_FAILED;
	}
	float window[KWS_WINDOW_FRAMES * KWS_MEL_BANDS];
	struct answer answers[KWS_EXITS_MAX];
	kws_mel_clip(classify->mel, clip.samples, clip.count, window);
	kws_clip_finish(&clip);
	struct kws_decision decision = run_exits(classify, window, answers);
	if (classify->json) {
		bool printed = print_json(classify, path, answers, &decision);
		return printed ? KWS_EXIT_OK : KWS_EXIT_FAILED;
	}
	printf("%s: ", path);
	kws_terminal_column(stdout, kws_model_label(classify->model, decision.label), LABEL_WIDTH);
	printf(" score %.3f  exit %zu/%zu  entropy %.3f  %s\n",
		(double)decision.posteriors[decision.label], decision.exit + 1,
		kws_model_graph(classify->model)->exit_count, (double)decision.entropy,
		kws_reason_name(decision.reason));
	return KWS_EXIT_OK;
}

static int complain_of_list(const struct classify *classify)
{
	fprintf(stderr, "kws: %s: %s\n", classify->list_path, strerror(errno));
	return KWS_EXIT_FAILED;
}

/* Windows ends a line with two bytes, and some editors put a mark before the first one. */
static const char *path_of_line(char *line, size_t length, bool first)
{
	if (length > 0 && line[length - 1] == '\n') {
		line[--length] = '\0';
		if (length > 0 && line[length - 1] == '\r') {
			line[--length] = '\0';
		}
	}
	return first ? line + kws_utf8_mark_bytes(line, length) : line;
}

static int classify_list(struct classify *classify)
{
	bool standard = strcmp(classify->list_path, "-") == 0;
	FILE *list = standard ? stdin : fopen(classify->list_path, "r");
	if (list == NULL) {
		return complain_of_list(classify);
	}
	int status = KWS_EXIT_OK;
	char *line = NULL;
	size_t size = 0;
	ssize_t length;
	for (bool first = true; (length = getline(&line, &size, list)) >= 0; first = false) {
		const char *path = path_of_line(line, (size_t)length, first);
		if (path[0] != '\0' && classify_file(classify, path) != KWS_EXIT_OK) {
			status = KWS_EXIT_FAILED;
		}
	}
	if (!feof(list)) { /* a directory can be opened, but not read */
		status = complain_of_list(classify);
	}
	free(line);
	if (!standard) {
		fclose(list);
	}
	return status;
}

/* An option that stands for settings of the policy; false after a complaint. */
static bool take_policy_option(struct classify *classify, int option)
{
	struct kws_cli_settings *settings = &classify->settings;
	classify->deciding = true;
	switch (option) {
	case 'd':
		classify->delta = true;
		return (classify->policy_given ||
			       kws_cli_settings_set(settings, "exits.policy", "entropy")) &&
		       kws_cli_settings_set(settings, "exits.delta", optarg);
	case 'p':
		classify->policy_given = true;
		return kws_cli_settings_set(settings, "exits.policy", optarg);
	case 's':
		return kws_cli_settings_add(settings, optarg);
	default:
		settings->config_path = optarg;
		return true;
	}
}

/* Returns -1 to go on. */
static int parse_options(struct classify *classify, int argc, char **argv)
{
	static const struct option options[] = {
		{"model", required_argument, NULL, 'm'},
		{"list", required_argument, NULL, 'l'},
		{"delta", required_argument, NULL, 'd'},
		{"policy", required_argument, NULL, 'p'},
		{"config", required_argument, NULL, 'c'},
		{"set", required_argument, NULL, 's'},
		{"json", no_argument, NULL, 'j'},
		{"logits", no_argument, NULL, 'L'},
		{"help", no_argument, NULL, 'h'},
		{NULL, 0, NULL, 0},
	};
	int option;
	while ((option = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		bool taken = true;
		switch (option) {
		case 'm':
			taken = kws_cli_settings_add_model(&classify->settings, optarg);
			break;
		case 'l':
			classify->list_path = optarg;
			break;
		case 'd':
		case 'p':
		case 'c':
		case 's':
			taken = take_policy_option(classify, option);
			break;
		case 'j':
			classify->json = true;
			break;
		case 'L':
			classify->logits = true;
			break;
		default:
			fputs(help, option == 'h' ? stdout : stderr);
			return option == 'h' ? KWS_EXIT_OK : KWS_EXIT_USAGE;
		}
		if (!taken) {
			return KWS_EXIT_USAGE;
		}
	}
	if (optind == argc && classify->list_path == NULL) {
		fputs(help, stderr);
		return KWS_EXIT_USAGE;
	}
	return -1;
}

static int load_model(struct classify *classify)
{
	struct kws_error error = {""};
	int status = kws_cli_model_load(&classify->model, classify->config);
	if (status != KWS_EXIT_OK) {
		return status;
	}
	if (kws_resolve_policy(
		    &classify->policy_settings, classify->model, classify->config, &error) != 0) {
		kws_cli_models_complain(classify->config->model.path.items[0], &error);
		return KWS_EXIT_USAGE;
	}
	return KWS_EXIT_OK;
}

/* Another policy would leave --delta out without a word. */
static bool check_delta(const struct classify *classify)
{
	enum kws_config_policy policy = classify->config->exits.policy;
	bool agree = !classify->delta || policy == KWS_CONFIG_POLICY_ENTROPY;
	if (!agree) {
		fprintf(stderr, "kws: --delta is of the policy entropy, not of %s\n",
			kws_config_policy_name(policy));
	}
	return agree;
}

static int load(struct classify *classify)
{
	if (!classify->deciding && !kws_cli_settings_set(&classify->settings, "exits.delta", "0")) {
		return KWS_EXIT_FAILED;
	}
	int status = kws_cli_settings_load(&classify->config, &classify->settings);
	if (status == KWS_EXIT_OK && !check_delta(classify)) {
		status = KWS_EXIT_USAGE;
	}
	if (status == KWS_EXIT_OK) {
		status = load_model(classify);
	}
	if (status != KWS_EXIT_OK) {
		return status;
	}
	const struct kws_graph *graph = kws_model_graph(classify->model);
	if (kws_net_create(&classify->net, classify->model, 1) != 0 ||
		kws_mel_create(&classify->mel) != 0 ||
		kws_policy_create(&classify->policy, graph->exit_count, graph->classes) != 0) {
		fprintf(stderr, "kws: out of memory\n");
		return KWS_EXIT_FAILED;
	}
	kws_policy_configure(classify->policy, &classify->policy_settings);
	return KWS_EXIT_OK;
}

static int classify_all(struct classify *classify, int count, char **paths)
{
	int status = KWS_EXIT_OK;
	for (int i = 0; i < count; i++) {
		if (classify_file(classify, paths[i]) != KWS_EXIT_OK) {
			status = KWS_EXIT_FAILED;
		}
	}
	if (classify->list_path != NULL && classify_list(classify) != KWS_EXIT_OK) {
		status = KWS_EXIT_FAILED;
	}
	return status;
}

int kws_classify_main(int argc, char **argv)
{
	struct classify classify = {0};
	int status = parse_options(&classify, argc, argv);
	if (status < 0) {
		status = load(&classify);
		if (status == KWS_EXIT_OK) {
			status = classify_all(&classify, argc - optind, argv + optind);
		}
	}
	kws_policy_destroy(classify.policy);
	kws_mel_destroy(classify.mel);
	kws_net_destroy(classify.net);
	kws_model_destroy(classify.model);
	kws_config_destroy(classify.config);
	kws_cli_settings_finish(&classify.settings);
	return status;
}
