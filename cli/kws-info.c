/* SPDX-License-Identifier: Apache-2.0 */
#include <getopt.h>
#include <jansson.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include "bnn/kernels.h"
#include "bnn/model.h"
#include "cli/kws.h"
#include "cli/models.h"
#include "cli/path.h"
#include "cli/terminal.h"
#include "common/json.h"
#include "dsp/mel.h"

#define MIB (1024.0 * 1024.0)

static const char help[] =
	"usage: kws info [--json] MODEL...\n\n"
	"What a model file holds: labels, features, exits, the kernels that this machine runs it "
	"with,\n"
	"and what a whole window costs up to each exit, in binary and float "
	"multiply-accumulates.\n\n"
	"  --json   one JSON object a line: file, name, labels, card, kernels, parameters and "
	"size, "
	"and\n"
	"           `exits` with the cost up to each, and `thresholds`\n";

static void print_exits(const struct kws_graph *graph)
{
	printf("  exit   binary MAC   without padding    float MAC   binary weights   float "
	       "weights\n");
	for (size_t i = 0; i < graph->exit_count; i++) {
		struct kws_op_cost cost = kws_graph_cost(graph, i);
		printf("  %4zu %12llu %17llu %12llu %16llu %15llu\n", i + 1,
			(unsigned long long)cost.binary_macs, (unsigned long long)cost.valid_macs,
			(unsigned long long)cost.float_macs,
			(unsigned long long)cost.binary_weights,
			(unsigned long long)cost.float_weights);
	}
}

static void print_parameters(const struct kws_op_cost *cost)
{
	unsigned long long bits = cost->binary_weights;
	unsigned long long floats = cost->float_weights;
	printf("  parameters %llu: %llu binary, %llu float\n", bits + floats, bits, floats);
	printf("  size       %.2f MiB: %.2f of bits, %.2f of floats; all as float %.2f MiB\n",
		(double)(bits / 8 + floats * 4) / MIB, (double)(bits / 8) / MIB,
		(double)(floats * 4) / MIB, (double)(bits + floats) * 4 / MIB);
}

/* What the file knows of its exits beside their weights. */
static void print_exit_defaults(const struct kws_model *model)
{
	const struct kws_exit_defaults *defaults = kws_model_exit_defaults(model);
	printf("  exits      temperature");
	for (size_t i = 0; i < kws_model_graph(model)->exit_count; i++) {
		printf(" %g", (double)defaults->temperature[i]);
	}
	const char *before = "; thresholds of";
	for (size_t k = 0; k < KWS_THRESHOLD_KEYS; k++) {
		if (kws_exit_defaults_thresholds(defaults, kws_threshold_keys[k]) != NULL) {
			printf("%s %s", before, kws_threshold_keys[k]);
			before = ",";
		}
	}
	putchar('\n');
}

static void print_keyword_defaults(const struct kws_model *model)
{
	const struct kws_keyword_defaults *defaults = kws_model_keyword_defaults(model);
	const char *before = "  thresholds";
	const char *end = "";
	for (size_t i = 0; i < kws_model_label_count(model); i++) {
		if (!isnan(defaults->threshold[i])) {
			printf("%s ", before);
			kws_terminal_text(stdout, kws_model_label(model, i));
			printf(" %g", defaults->threshold[i]);
			before = ",";
			end = "\n";
		}
	}
	fputs(end, stdout);
}

static void print_text(const char *path, const struct kws_model *model)
{
	const struct kws_graph *graph = kws_model_graph(model);
	struct kws_op_cost cost = kws_graph_cost(graph, graph->exit_count - 1);
	printf("%s: ", path);
	kws_terminal_text(stdout, kws_model_name(model));
	printf("\n  labels    ");
	for (size_t i = 0; i < kws_model_label_count(model); i++) {
		putchar(' ');
		kws_terminal_text(stdout, kws_model_label(model, i));
	}
	printf("\n  input      %zu frames x %zu bands\n", graph->maps[0].rows,
		graph->maps[0].bands);
	char kernels[128];
	kws_kernels_describe(kernels, sizeof(kernels));
	printf("  kernels    %s\n", kernels);
	printf("  features   ");
	kws_terminal_text(stdout, kws_model_metadata(model, "kws.features"));
	putchar('\n');
	print_exit_defaults(model);
	print_keyword_defaults(model);
	print_parameters(&cost);
	print_exits(graph);
	printf("  card       ");
	kws_terminal_lines(stdout, kws_model_metadata(model, "kws.card"));
	putchar('\n');
}

static json_t *json_labels(const struct kws_model *model)
{
	json_t *labels = json_array();
	for (size_t i = 0; i < kws_model_label_count(model); i++) {
		json_array_append_new(labels, json_string(kws_model_label(model, i)));
	}
	return labels;
}

static json_t *json_exits(const struct kws_graph *graph)
{
	json_t *exits = json_array();
	for (size_t i = 0; i < graph->exit_count; i++) {
		struct kws_op_cost cost = kws_graph_cost(graph, i);
		json_array_append_new(
			exits, json_pack("{s:I, s:I, s:I, s:I, s:I}", "binary_macs",
				       (json_int_t)cost.binary_macs, "binary_macs_without_padding",
				       (json_int_t)cost.valid_macs, "float_macs",
				       (json_int_t)cost.float_macs, "binary_weights",
				       (json_int_t)cost.binary_weights, "float_weights",
				       (json_int_t)cost.float_weights));
	}
	return exits;
}

static json_t *json_thresholds(const struct kws_model *model)
{
	const struct kws_keyword_defaults *defaults = kws_model_keyword_defaults(model);
	json_t *thresholds = json_object();
	for (size_t i = 0; i < kws_model_label_count(model); i++) {
		if (!isnan(defaults->threshold[i])) {
			json_object_set_new(thresholds, kws_model_label(model, i),
				json_real(defaults->threshold[i]));
		}
	}
	return thresholds;
}

static int print_json(const char *path, const struct kws_model *model)
{
	const struct kws_graph *graph = kws_model_graph(model);
	struct kws_op_cost cost = kws_graph_cost(graph, graph->exit_count - 1);
	char kernels[128];
	kws_kernels_describe(kernels, sizeof(kernels));
	if (!kws_cli_path_is_text(path)) {
		return KWS_EXIT_FAILED;
	}
	size_t lacks = kws_json_lacks();
	json_t *object = json_pack("{s:s, s:s, s:o, s:s, s:s, s:I, s:I, s:I, s:o, s:o}", "file",
		path, "name", kws_model_name(model), "labels", json_labels(model), "card",
		kws_model_metadata(model, "kws.card"), "kernels", kernels, "parameters",
		(json_int_t)(cost.binary_weights + cost.float_weights), "bytes",
		(json_int_t)(cost.binary_weights / 8 + cost.float_weights * 4), "bytes_as_float",
		(json_int_t)((cost.binary_weights + cost.float_weights) * 4), "exits",
		json_exits(graph), "thresholds", json_thresholds(model));
	char *line = object != NULL ? kws_json_dump(object, JSON_COMPACT) : NULL;
	json_decref(object);
	bool whole = line != NULL && kws_json_lacks() == lacks;
	if (whole) {
		puts(line);
	} else {
		fprintf(stderr, "kws: %s: out of memory\n", path);
	}
	free(line);
	return whole ? KWS_EXIT_OK : KWS_EXIT_FAILED;
}

static int print_model(const char *path, bool json)
{
	struct kws_model *model;
	struct kws_error error = {""};
	if (kws_model_load(&model, path, NULL, &error) != 0) {
		kws_cli_models_complain(path, &error);
		return KWS_EXIT_FAILED;
	}
	int status = KWS_EXIT_OK;
	if (json) {
		status = print_json(path, model);
	} else {
		print_text(path, model);
	}
	kws_model_destroy(model);
	return status;
}

int kws_info_main(int argc, char **argv)
{
	static const struct option options[] = {
		{"json", no_argument, NULL, 'j'},
		{"help", no_argument, NULL, 'h'},
		{NULL, 0, NULL, 0},
	};
	bool json = false;
	int option;
	while ((option = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		if (option == 'j') {
			json = true;
			continue;
		}
		fputs(help, option == 'h' ? stdout : stderr);
		return option == 'h' ? KWS_EXIT_OK : KWS_EXIT_USAGE;
	}
	if (optind == argc) {
		fputs(help, stderr);
		return KWS_EXIT_USAGE;
	}
	int status = KWS_EXIT_OK;
	for (int i = optind; i < argc; i++) {
		status = print_model(argv[i], json) != KWS_EXIT_OK ? KWS_EXIT_FAILED : status;
	}
	return status;
}
