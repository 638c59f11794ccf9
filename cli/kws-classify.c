/* SPDX-License-Identifier: Apache-2.0 */
#include <getopt.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bnn/net.h"
#include "cli/clip.h"
#include "cli/kws.h"
#include "config/schema.h"
#include "dsp/mel.h"
#include "exits/policy.h"
#include "exits/posterior.h"
#include "pipeline/pipeline.h"

static const char help[] =
	"usage: kws classify [OPTION]... [FILE]...\n\n"
	"Each file is one clip: its middle second is classified, a shorter one is zero-padded on "
	"both\n"
	"sides.\n\n"
	"  --model FILE  the model (default: the one that was installed)\n"
	"  --list FILE   further paths, one a line; '-' reads them from the standard input\n"
	"  --delta D     answer with the first exit whose entropy is below D nats; without it the "
	"last\n"
	"                exit answers\n"
	"  --json        one JSON object a line: file, label, score, exit, entropy, and `exits` "
	"with\n"
	"                label, score and entropy of each\n";

struct answer {
	size_t label;
	float score;
	float entropy;
};

struct classify {
	const char *model_path;
	const char *list_path;
	bool json;
	float delta; /* 0: never leave early */
	struct kws_model *model;
	struct kws_net *net;
	struct kws_mel *mel;
};

static struct answer answer_of(const float *logits, size_t classes)
{
	float posteriors[KWS_CLASSES_MAX];
	kws_posterior_softmax(logits, classes, posteriors);
	size_t best = kws_posterior_best(posteriors, classes);
	return (struct answer){best, posteriors[best], kws_posterior_entropy(posteriors, classes)};
}

/* Runs every exit and returns the index of the one that answers. */
static size_t run_exits(struct classify *classify, const float *window, struct answer *answers)
{
	const struct kws_graph *graph = kws_model_graph(classify->model);
	struct kws_policy_config policy = {.delta = classify->delta};
	size_t chosen = graph->exit_count;
	kws_net_begin(classify->net, window);
	for (size_t i = 0; i < graph->exit_count; i++) {
		answers[i] = answer_of(kws_net_run_exit(classify->net, i), graph->classes);
		struct kws_exit_output output = {
			.exit = i, .exits = graph->exit_count, .entropy = answers[i].entropy};
		if (chosen == graph->exit_count &&
			kws_policy_stop(&kws_policy_entropy, &policy, &output)) {
			chosen = i;
		}
	}
	return chosen;
}

static json_t *json_answer(const struct classify *classify, const struct answer *answer)
{
	return json_pack("{s:s, s:f, s:f}", "label",
		kws_model_label(classify->model, answer->label), "score", (double)answer->score,
		"entropy", (double)answer->entropy);
}

static void print_json(const struct classify *classify, const char *path,
	const struct answer *answers, size_t chosen)
{
	size_t exits = kws_model_graph(classify->model)->exit_count;
	json_t *list = json_array();
	for (size_t i = 0; i < exits; i++) {
		json_array_append_new(list, json_answer(classify, &answers[i]));
	}
	json_t *object = json_pack("{s:s%, s:s, s:f, s:i, s:f, s:o}", "file", path, strlen(path),
		"label", kws_model_label(classify->model, answers[chosen].label), "score",
		(double)answers[chosen].score, "exit", (int)chosen + 1, "entropy",
		(double)answers[chosen].entropy, "exits", list);
	char *line =
		object != NULL ? json_dumps(object, JSON_COMPACT | JSON_REAL_PRECISION(6)) : NULL;
	if (line != NULL) {
		puts(line);
	} else {
		fprintf(stderr, "kws: %s: the path is not UTF-8\n", path);
	}
	free(line);
	json_decref(object);
}

static int classify_file(struct classify *classify, const char *path)
{
	struct kws_error error = {""};
	struct kws_clip clip;
	if (kws_clip_read(&clip, path, &error) != 0) {
		fprintf(stderr, "kws: %s: %s\n", path, error.text);
		return KWS_EXIT_FAILED;
	}
	float window[KWS_WINDOW_FRAMES * KWS_MEL_BANDS];
	struct answer answers[KWS_EXITS_MAX];
	kws_mel_clip(classify->mel, clip.samples, clip.count, window);
	kws_clip_finish(&clip);
	size_t chosen = run_exits(classify, window, answers);
	if (classify->json) {
		print_json(classify, path, answers, chosen);
	} else {
		printf("%s: %-12s score %.3f  exit %zu/%zu  entropy %.3f\n", path,
			kws_model_label(classify->model, answers[chosen].label),
			(double)answers[chosen].score, chosen + 1,
			kws_model_graph(classify->model)->exit_count,
			(double)answers[chosen].entropy);
	}
	return KWS_EXIT_OK;
}

static int classify_list(struct classify *classify)
{
	bool standard = strcmp(classify->list_path, "-") == 0;
	FILE *list = standard ? stdin : fopen(classify->list_path, "r");
	if (list == NULL) {
		perror(classify->list_path);
		return KWS_EXIT_FAILED;
	}
	int status = KWS_EXIT_OK;
	char *line = NULL;
	size_t size = 0;
	ssize_t length;
	while ((length = getline(&line, &size, list)) >= 0) {
		if (length > 0 && line[length - 1] == '\n') {
			line[length - 1] = '\0';
		}
		if (line[0] != '\0' && classify_file(classify, line) != KWS_EXIT_OK) {
			status = KWS_EXIT_FAILED;
		}
	}
	free(line);
	if (!standard) {
		fclose(list);
	}
	return status;
}

/* Returns -1 to go on. */
static int parse_options(struct classify *classify, int argc, char **argv)
{
	static const struct option options[] = {
		{"model", required_argument, NULL, 'm'},
		{"list", required_argument, NULL, 'l'},
		{"delta", required_argument, NULL, 'd'},
		{"json", no_argument, NULL, 'j'},
		{"help", no_argument, NULL, 'h'},
		{NULL, 0, NULL, 0},
	};
	int option;
	char *end;
	while ((option = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		switch (option) {
		case 'm':
			classify->model_path = optarg;
			break;
		case 'l':
			classify->list_path = optarg;
			break;
		case 'd':
			classify->delta = strtof(optarg, &end);
			if (end == optarg || *end != '\0' || !(classify->delta >= 0.0f)) {
				fprintf(stderr, "kws: --delta '%s': not a number from 0\n", optarg);
				return KWS_EXIT_USAGE;
			}
			break;
		case 'j':
			classify->json = true;
			break;
		default:
			fputs(help, option == 'h' ? stdout : stderr);
			return option == 'h' ? KWS_EXIT_OK : KWS_EXIT_USAGE;
		}
	}
	if (optind == argc && classify->list_path == NULL) {
		fputs(help, stderr);
		return KWS_EXIT_USAGE;
	}
	return -1;
}

static int load(struct classify *classify)
{
	struct kws_error error = {""};
	int result =
		kws_model_load(&classify->model, classify->model_path, kws_mel_describe(), &error);
	if (result == 0) {
		result = kws_pipeline_check_input(classify->model, &error);
	}
	if (result != 0) {
		fprintf(stderr, "kws: %s: %s\n", classify->model_path, error.text);
		return KWS_EXIT_FAILED;
	}
	if (kws_net_create(&classify->net, classify->model, 1) != 0 ||
		kws_mel_create(&classify->mel) != 0) {
		fprintf(stderr, "kws: out of memory\n");
		return KWS_EXIT_FAILED;
	}
	return KWS_EXIT_OK;
}

int kws_classify_main(int argc, char **argv)
{
	struct classify classify = {.model_path = kws_schema_find("model", "path")->default_text};
	int status = parse_options(&classify, argc, argv);
	if (status >= 0) {
		return status;
	}
	status = load(&classify);
	if (status == KWS_EXIT_OK) {
		for (int i = optind; i < argc; i++) {
			if (classify_file(&classify, argv[i]) != KWS_EXIT_OK) {
				status = KWS_EXIT_FAILED;
			}
		}
		if (classify.list_path != NULL && classify_list(&classify) != KWS_EXIT_OK) {
			status = KWS_EXIT_FAILED;
		}
	}
	kws_mel_destroy(classify.mel);
	kws_net_destroy(classify.net);
	kws_model_destroy(classify.model);
	return status;
}
