/* SPDX-License-Identifier: Apache-2.0 */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "cli/kws.h"
#include "cli/models.h"
#include "cli/path.h"
#include "cli/settings.h"
#include "cli/tune-input.h"
#include "cli/tune-report.h"
#include "common/file.h"
#include "common/json.h"
#include "tune/fragment.h"
#include "tune/truth.h"

#define POLICIES_MAX 16
#define COMMENT_SIZE 1024

static const char help[] =
	"usage: kws tune [OPTION]... [BACKGROUND]...\n\n"
	"Finds the exit policy and the thresholds for a wanted rate of false alarms, on your "
	"audio.\n"
	"The network runs once; every setting is then tried on its kept answers by the daemon's "
	"own\n"
	"code. docs/tuning.md says what the figures mean.\n\n"
	"  BACKGROUND               recordings in which no keyword is spoken: the more hours the "
	"better\n"
	"  --clips LIST             clips: a table of file, label [, split] [, speaker]\n"
	"  --split NAME             of lists, only rows with this split\n"
	"  --stream FILE            a recording with a table of start, end, keyword beside it "
	"(.tsv)\n"
	"  --record MINUTES         background from the audio source of the configuration\n"
	"  --check                  what follows only checks, what precedes only is searched on;\n"
	"                           without it, each input is halved (clips by speaker)\n"
	"  --config FILE            the daemon's configuration to begin with\n"
	"  --set SECTION.KEY=VALUE  a setting of it, as often as wanted\n"
	"  --model FILE             short for --set model.path=FILE\n"
	"  --false-alarms-per-hour R  of all keywords together (default 0.5)\n"
	"  --guarantee              choose for the 95 % bound of that rate, not for the rate\n"
	"  --penalty P              percent of keywords found that a percent of the operations is\n"
	"                           worth (default 0.1)\n"
	"  --policy NAME            search this one, as often as wanted (default: all)\n"
	"  --write FILE             the new configuration, for kwsd --config; must not exist yet\n"
	"  --draw PREFIX            curves: PREFIX-keywords.svg and PREFIX-policies.svg\n"
	"  --json                   the report as one JSON object\n";

enum input_kind { INPUT_BACKGROUND, INPUT_CLIPS, INPUT_STREAM, INPUT_RECORD };

struct input {
	enum input_kind kind;
	const char *text;
	bool check;
};

struct tune {
	struct kws_cli_settings settings;
	struct input *inputs;
	size_t input_count;
	bool check; /* --check was seen */
	const char *split;
	struct kws_search_wish wish;
	enum kws_config_policy policies[POLICIES_MAX];
	size_t policy_count;
	const char *write_path;
	const char *draw_prefix;
	bool json;
	struct kws_config *config;
	struct kws_model *model;
	struct kws_corpus corpus;
	struct kws_search *search;
	struct kws_config *tuned; /* as it is written */
	struct kws_tune_report report;
};

static bool usage(const char *option, const char *value, const char *wanted)
{
	fprintf(stderr, "kws: %s '%s': %s\n", option, value, wanted);
	return false;
}

static bool parse_number(const char *option, const char *text, double *value)
{
	char *end;
	double number = strtod(text, &end);
	if (end == text || *end != '\0' || !(number >= 0.0 && number < 1e9)) {
		return usage(option, text, "not a number from 0");
	}
	*value = number;
	return true;
}

static bool add_policy(struct tune *tune, const char *name)
{
	for (int policy = 0; policy < KWS_CANDIDATE_POLICIES; policy++) {
		if (strcmp(kws_config_policy_name((enum kws_config_policy)policy), name) != 0) {
			continue;
		}
		if (tune->policy_count < POLICIES_MAX) {
			tune->policies[tune->policy_count++] = (enum kws_config_policy)policy;
		}
		return true;
	}
	return usage("--policy", name, "there is no such policy");
}

static bool add_input(struct tune *tune, enum input_kind kind, const char *text)
{
	double minutes;
	if (kind == INPUT_RECORD && !parse_number("--record", text, &minutes)) {
		return false;
	}
	tune->inputs[tune->input_count++] = (struct input){kind, text, tune->check};
	return true;
}

/* False after a complaint. */
static bool take_option(struct tune *tune, int option)
{
	switch (option) {
	case 1: /* no option */
		return add_input(tune, INPUT_BACKGROUND, optarg);
	case 'C':
		return add_input(tune, INPUT_CLIPS, optarg);
	case 'S':
		return add_input(tune, INPUT_STREAM, optarg);
	case 'R':
		return add_input(tune, INPUT_RECORD, optarg);
	case 'k':
		tune->check = true;
		return true;
	case 'l':
		tune->split = optarg;
		return true;
	case 'c':
		tune->settings.config_path = optarg;
		return true;
	case 's':
		return kws_cli_settings_add(&tune->settings, optarg);
	case 'm':
		return kws_cli_settings_add_model(&tune->settings, optarg);
	case 'f':
		return parse_number(
			"--false-alarms-per-hour", optarg, &tune->wish.false_alarms_per_hour);
	case 'g':
		tune->wish.guarantee = true;
		return true;
	case 'p':
		return parse_number("--penalty", optarg, &tune->wish.penalty);
	case 'P':
		return add_policy(tune, optarg);
	case 'w':
		tune->write_path = optarg;
		return true;
	case 'd':
		tune->draw_prefix = optarg;
		return true;
	case 'j':
		tune->json = true;
		return true;
	default:
		return false;
	}
}

/* Returns -1 to go on. */
static int parse_options(struct tune *tune, int argc, char **argv)
{
	static const struct option options[] = {
		{"clips", required_argument, NULL, 'C'},
		{"split", required_argument, NULL, 'l'},
		{"stream", required_argument, NULL, 'S'},
		{"record", required_argument, NULL, 'R'},
		{"check", no_argument, NULL, 'k'},
		{"config", required_argument, NULL, 'c'},
		{"set", required_argument, NULL, 's'},
		{"model", required_argument, NULL, 'm'},
		{"false-alarms-per-hour", required_argument, NULL, 'f'},
		{"guarantee", no_argument, NULL, 'g'},
		{"penalty", required_argument, NULL, 'p'},
		{"policy", required_argument, NULL, 'P'},
		{"write", required_argument, NULL, 'w'},
		{"draw", required_argument, NULL, 'd'},
		{"json", no_argument, NULL, 'j'},
		{"help", no_argument, NULL, 'h'},
		{NULL, 0, NULL, 0},
	};
	int option;
	/* '-': inputs keep their place among the options */
	while ((option = getopt_long(argc, argv, "-h", options, NULL)) != -1) {
		if (option == 'h') {
			fputs(help, stdout);
			return KWS_EXIT_OK;
		}
		if (!take_option(tune, option)) {
			return KWS_EXIT_USAGE;
		}
	}
	for (; optind < argc; optind++) {
		add_input(tune, INPUT_BACKGROUND, argv[optind]);
	}
	if (tune->input_count == 0) {
		fputs(help, stderr);
		return KWS_EXIT_USAGE;
	}
	if (tune->wish.false_alarms_per_hour <= 0.0) {
		usage("--false-alarms-per-hour", "0",
			"no audio can show that there is never one; give a rate above 0");
		return KWS_EXIT_USAGE;
	}
	return -1;
}

/* Whoever takes the new configuration may be started in another folder. */
static bool settle_path(char path[KWS_CONFIG_VALUE_SIZE])
{
	if (!kws_cli_path_make_absolute(path, KWS_CONFIG_VALUE_SIZE)) {
		return false;
	}
	if (strchr(path, ',') != NULL) {
		fprintf(stderr,
			"kws: %s: a comma stands between two models, so none can have one in "
			"its path\n",
			path);
		return false;
	}
	return true;
}

/* Returns the exit status. */
static int load(struct tune *tune)
{
	struct kws_error error = {""};
	int status = kws_cli_settings_load(&tune->config, &tune->settings);
	if (status == KWS_EXIT_OK) {
		status = kws_cli_model_load(&tune->model, tune->config);
	}
	if (status != KWS_EXIT_OK) {
		return status;
	}
	const struct kws_model_set alone = {1, {tune->model}};
	char *path = tune->config->model.path.items[0];
	if (kws_model_set_check(&alone, tune->config, &error) != 0 ||
		kws_search_check(tune->model, tune->config, &error) != 0) {
		kws_cli_models_complain(path, &error);
		return KWS_EXIT_USAGE;
	}
	return tune->write_path == NULL || settle_path(path) ? KWS_EXIT_OK : KWS_EXIT_FAILED;
}

/* Before hours of work, not after them. Detections are told of streams only. */
static bool check_output(const struct tune *tune)
{
	struct stat status;
	for (size_t i = 0; tune->json && i < tune->input_count; i++) {
		const struct input *input = &tune->inputs[i];
		bool stream = input->kind == INPUT_BACKGROUND || input->kind == INPUT_STREAM;
		if (stream && !kws_cli_path_is_text(input->text)) {
			return false;
		}
	}
	if (tune->write_path != NULL && lstat(tune->write_path, &status) == 0) {
		fprintf(stderr, "kws: %s: exists already and is not written over\n",
			tune->write_path);
		return false;
	}
	return (tune->write_path == NULL || kws_cli_path_is_writable(tune->write_path)) &&
	       (tune->draw_prefix == NULL || kws_tune_report_can_draw(tune->draw_prefix));
}

/* The same for what would stand in the new configuration. */
static bool check_text(const struct tune *tune)
{
	struct kws_error error;
	if (tune->write_path == NULL ||
		kws_fragment_check(tune->config, tune->model, &error) == 0) {
		return true;
	}
	fprintf(stderr, "kws: %s: cannot be written: %s\n", tune->write_path, error.text);
	return false;
}

static bool read_input(struct tune *tune, const struct input *input)
{
	const struct kws_tune_input reader = {
		.model = tune->model,
		.config = tune->config,
		.corpus = &tune->corpus,
		.split = tune->split,
		.halved = !tune->check,
		.half = input->check ? KWS_HALF_CHECK : KWS_HALF_SEARCH,
	};
	fprintf(stderr, "reading %s\n",
		input->kind == INPUT_RECORD ? "the audio source" : input->text);
	switch (input->kind) {
	case INPUT_CLIPS:
		return kws_tune_input_clips(&reader, input->text);
	case INPUT_STREAM:
		return kws_tune_input_stream(&reader, input->text);
	case INPUT_RECORD:
		return kws_tune_input_record(&reader, strtod(input->text, NULL));
	case INPUT_BACKGROUND:
		break;
	}
	return kws_tune_input_background(&reader, input->text);
}

static bool no_keyword(void)
{
	fprintf(stderr, "kws: no input to search on has a keyword of the model in it that is "
			"enabled: give --clips or --stream\n");
	return false;
}

/* Whether an input to search on has labels at all. */
static bool has_labels(const struct tune *tune)
{
	for (size_t i = 0; i < tune->input_count; i++) {
		const struct input *input = &tune->inputs[i];
		if ((input->kind == INPUT_CLIPS || input->kind == INPUT_STREAM) && !input->check) {
			return true;
		}
	}
	return false;
}

static bool has_keyword(const struct tune *tune)
{
	for (size_t i = 0; i < tune->corpus.count; i++) {
		const struct kws_recording *recording = &tune->corpus.recordings[i];
		for (size_t k = 0; k < recording->spoken_count; k++) {
			if (recording->spoken[k].label != KWS_SPOKEN_OTHER &&
				kws_truth_half(recording, k) == KWS_HALF_SEARCH) {
				return true;
			}
		}
	}
	return false;
}

/* Files, or else what is recorded. */
static bool read_some(struct tune *tune, bool files)
{
	for (size_t i = 0; i < tune->input_count; i++) {
		const struct input *input = &tune->inputs[i];
		if ((input->kind != INPUT_RECORD) == files && !read_input(tune, input)) {
			return false;
		}
	}
	return true;
}

/* What is wrong with a file is told before hours of recording, not after them. */
static bool read_inputs(struct tune *tune)
{
	if (!has_labels(tune)) {
		return no_keyword();
	}
	if (!read_some(tune, true)) {
		return false;
	}
	return has_keyword(tune) ? read_some(tune, false) : no_keyword();
}

static bool out_of_memory(void)
{
	fprintf(stderr, "kws: out of memory\n");
	return false;
}

static bool search_policy(struct tune *tune, enum kws_config_policy policy, bool wanted)
{
	struct kws_tune_report *report = &tune->report;
	struct kws_policy_outcomes *found = &report->policies[report->policy_count];
	const char *name = kws_config_policy_name(policy);
	fprintf(stderr, "searching %s\n", name);
	int result = kws_search_policy(tune->search, policy, found);
	if (result == KWS_EUNSUPPORTED && !wanted) {
		return true; /* always-5 of a model with three exits */
	}
	if (result != 0) {
		fprintf(stderr, "kws: %s: %s\n", name,
			result == KWS_EUNSUPPORTED ? "the model has not the exits for it"
						   : kws_strerror(result));
		return false;
	}
	report->policy_count++;
	const struct kws_outcome *best = &found->outcomes[found->best];
	if (best->score > report->best->score) {
		report->best = best;
	}
	return true;
}

static bool search_policies(struct tune *tune)
{
	struct kws_error error = {""};
	struct kws_tune_report *report = &tune->report;
	bool all = tune->policy_count == 0;
	if (kws_search_create(&tune->search, tune->model, &tune->corpus, tune->config, &tune->wish,
		    &error) != 0) {
		fprintf(stderr, "kws: %s\n", error.text);
		return false;
	}
	if (kws_search_given(tune->search, &report->given_tuned) != 0) {
		return out_of_memory();
	}
	report->best = &report->given_tuned;
	size_t count = all ? KWS_CANDIDATE_POLICIES : tune->policy_count;
	report->policies = calloc(count, sizeof(*report->policies));
	for (size_t i = 0; report->policies != NULL && i < count; i++) {
		enum kws_config_policy policy = all ? (enum kws_config_policy)i : tune->policies[i];
		if (!search_policy(tune, policy, !all)) {
			return false;
		}
	}
	for (int half = 0; half < KWS_HALVES; half++) {
		report->full_operations[half] =
			kws_search_full_operations(tune->search, (enum kws_half)half);
	}
	kws_search_as_given(tune->search, report->as_given);
	return report->policies != NULL ? true : out_of_memory();
}

static void take_detection(
	void *user, const struct kws_recording *recording, const struct kws_detector_event *event)
{
	struct tune *tune = user;
	if (!recording->stream) {
		return;
	}
	json_array_append_new(tune->report.detections,
		json_pack("{s:s%, s:s, s:I, s:f}", "file", recording->name, strlen(recording->name),
			"name", kws_model_label(tune->model, event->label), "sample",
			(json_int_t)event->at.sample, "score", (double)event->score));
}

/* Of the text that is written, read back: the figures that are promised are its own. */
static bool take_tuned(struct tune *tune, const char *text)
{
	struct kws_config_errors errors;
	if (text == NULL) {
		tune->tuned = kws_search_config(tune->search, tune->report.best);
		return tune->tuned != NULL ? true : out_of_memory();
	}
	if (kws_config_parse(&tune->tuned, "the new configuration", text, strlen(text), NULL, 0,
		    &errors) != 0) {
		fprintf(stderr, "kws: %s\n", errors.text[0]);
		return false;
	}
	return true;
}

static bool replay_tuned(struct tune *tune)
{
	struct kws_error error = {""};
	struct kws_replay *replay;
	struct kws_tune_report *report = &tune->report;
	if (kws_replay_create(&replay, tune->model, &tune->corpus, tune->tuned, &error) != 0) {
		fprintf(stderr, "kws: %s\n", error.text);
		return false;
	}
	size_t lacks = kws_json_lacks();
	report->detections = json_array();
	kws_replay_decide(replay, false, report->tuned);
	kws_replay_detect(replay, report->tuned, take_detection, tune);
	kws_replay_destroy(replay);
	report->curves = kws_search_curves(tune->search, report->best);
	return report->curves != NULL && kws_json_lacks() == lacks ? true : out_of_memory();
}

/* NULL: none is wanted, or after a complaint. */
static char *render(struct tune *tune)
{
	char comment[COMMENT_SIZE];
	char *text = NULL;
	struct kws_error error = {""};
	if (tune->write_path == NULL) {
		return NULL;
	}
	struct kws_config *config = kws_search_config(tune->search, tune->report.best);
	if (config == NULL) {
		out_of_memory();
		return NULL;
	}
	snprintf(comment, sizeof(comment),
		"# Made by kws tune %s for at most %g false alarms per hour, penalty %g.\n"
		"# What is not here is as by default; kwsd --config takes this file as it is.\n",
		KWS_VERSION, tune->wish.false_alarms_per_hour, tune->wish.penalty);
	if (kws_fragment_render(&text, config, comment, &error) != 0) {
		fprintf(stderr, "kws: %s\n", error.text);
	}
	kws_config_destroy(config);
	return text;
}

static bool write_text(const char *path, const char *text)
{
	struct kws_error error;
	const struct kws_file_new how = {.mode = KWS_FILE_USUAL_MODE, .lasting = true};
	int result = kws_file_create(path, &how, text, strlen(text), &error);
	if (result != 0) {
		fprintf(stderr, "kws: %s: %s\n", path, error.text);
	}
	return result == 0;
}

static bool tell(struct tune *tune)
{
	if (tune->json) {
		return kws_tune_report_print_json(&tune->report) || out_of_memory();
	}
	kws_tune_report_print(&tune->report);
	return true;
}

/* The configuration first, and the rest whatever becomes of it: it took the work. */
static bool put_out(struct tune *tune, const char *text)
{
	bool written =
		tune->write_path == NULL || (text != NULL && write_text(tune->write_path, text));
	bool told = tell(tune);
	bool drawn =
		tune->draw_prefix == NULL || kws_tune_report_draw(&tune->report, tune->draw_prefix);
	return written && told && drawn;
}

static bool finish_report(struct tune *tune)
{
	struct kws_tune_report *report = &tune->report;
	report->model = tune->model;
	report->config = tune->config;
	report->corpus = &tune->corpus;
	report->wish = tune->wish;
	char *text = render(tune);
	bool good = take_tuned(tune, text) && replay_tuned(tune) && put_out(tune, text);
	free(text);
	return good;
}

static void finish(struct tune *tune)
{
	for (size_t i = 0; i < tune->report.policy_count; i++) {
		kws_policy_outcomes_finish(&tune->report.policies[i]);
	}
	free(tune->report.policies);
	free(tune->report.curves);
	json_decref(tune->report.detections);
	kws_search_destroy(tune->search);
	kws_corpus_finish(&tune->corpus);
	kws_config_destroy(tune->tuned);
	kws_config_destroy(tune->config);
	kws_model_destroy(tune->model);
	kws_cli_settings_finish(&tune->settings);
	free(tune->inputs);
	free(tune);
}

static int run(struct tune *tune)
{
	int status = load(tune);
	if (status != KWS_EXIT_OK) {
		return status;
	}
	bool good = check_output(tune) && check_text(tune) && read_inputs(tune) &&
		    search_policies(tune) && finish_report(tune);
	return good ? KWS_EXIT_OK : KWS_EXIT_FAILED;
}

int kws_tune_main(int argc, char **argv)
{
	struct tune *tune = calloc(1, sizeof(*tune));
	if (tune != NULL) {
		tune->inputs = calloc((size_t)argc, sizeof(*tune->inputs));
	}
	if (tune == NULL || tune->inputs == NULL) {
		out_of_memory();
		free(tune);
		return KWS_EXIT_FAILED;
	}
	tune->wish = (struct kws_search_wish){.false_alarms_per_hour = 0.5, .penalty = 0.1};
	int status = parse_options(tune, argc, argv);
	if (status < 0) {
		status = run(tune);
	}
	finish(tune);
	return status;
}
