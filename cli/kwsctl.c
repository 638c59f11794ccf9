/* SPDX-License-Identifier: Apache-2.0 */
/* kwsctl: talks to a running kwsd. */
#include "cli/kwsctl.h"

#include <errno.h>
#include <getopt.h>
#include <jansson.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/kwsctl-keys.h"
#include "cli/kwsctl-monitor.h"
#include "cli/kwsctl-print.h"
#include "cli/terminal.h"
#include "common/file.h"
#include "ipc/client.h"
#include "ipc/endpoint.h"
#include "ipc/runtime.h"

#define DEFAULT_TIMEOUT_MS 2000

struct command {
	const char *name;
	int min_args;
	int max_args;
	const char
		*options; /* for getopt; a leading '+': what follows the first argument is data */
	enum kwsctl_status (*run)(const struct command *command,
		const struct kwsctl_options *options, int count, char **args);
};

static const char usage_text[] =
	"usage: kwsctl [OPTION...] COMMAND\n"
	"\n"
	"  status                  what the daemon does now\n"
	"  monitor [NAME...]       one line per detection, of all keywords or of these,\n"
	"                          and always one per change of state\n"
	"  get [KEY]               all settings, or one (section.key)\n"
	"  set KEY VALUE [KEY VALUE...]\n"
	"                          change settings until the file is read again; with\n"
	"                          --persist in front also in the file\n"
	"  reload                  read the configuration file again\n"
	"  devices                 the sound devices\n"
	"  level                   how loud it is, in dB below full scale\n"
	"  models                  the models in the folders of the current ones\n"
	"  load-model NAME...      go over to that model, or to several side by side, of that\n"
	"                          folder or a path; --persist also writes the file\n"
	"  metrics                 the counters in Prometheus' text format\n"
	"  mute                    throw the audio away, until unmute or for --for SECONDS; a "
	"crash\n"
	"                          of kwsd does not end it, stopping kwsd does\n"
	"  unmute                  listen again\n"
	"  keygen PATH             make a key pair in PATH.key (secret) and PATH.pub\n"
	"  authorize NAME KEY      let a client with this public key (or its file) read events\n"
	"  revoke NAME             take that back\n"
	"\n"
	"      --endpoint E        control endpoint of the daemon\n"
	"      --events E          event endpoint (monitor)\n"
	"      --key FILE          own CURVE key, for tcp:// (or $KWSCTL_KEY)\n"
	"      --server-key KEY    public key of the daemon, or its file (or $KWSCTL_SERVER_KEY)\n"
	"      --timeout MS        wait so long for an answer, default 2000\n"
	"  -j, --json              print JSON: the result, or for monitor one event per line\n"
	"  -h, --help\n"
	"  -V, --version\n"
	"\n"
	"monitor:\n"
	"      --scores            also every hop, if ipc.scores is yes: score, exit, reason,\n"
	"                          change; and near misses, if\n"
	"                          detector.candidate_threshold is above 0\n"
	"  -n, --count N           end after N events (states are not counted)\n"
	"      --for SECONDS       end after this time (mute: listen again after it)\n"
	"\n"
	"keygen, authorize, revoke:\n"
	"      --show-secret       print the secret key too\n"
	"      --control           authorize for the control protocol as well\n"
	"      --keys DIR          the daemon's keys, default " KWSCTL_DEFAULT_KEYS "\n"
	"\n"
	"The endpoints default to ipc:// sockets in $KWSD_RUNTIME_DIR, else $RUNTIME_DIRECTORY,\n"
	"$XDG_RUNTIME_DIR/kwsd or /run/kwsd, the first in which a daemon listens.\n"
	"\n"
	"exit status: 0 success, 1 the daemon refused, 2 wrong usage, 3 the daemon cannot be "
	"reached\n"
	"or refuses the key, 4 monitor: --for ran out or a signal came before --count events.\n"
	"Over tcp:// monitor waits where nobody listens, where the daemon has another key than\n"
	"--server-key, and where it wants keys that are not given: after 3 s it says so, once\n"
	"until it is connected.\n";

void kwsctl_complain(const char *sentence)
{
	fputs("kwsctl: ", stderr);
	kws_terminal_text(stderr, sentence);
	fputc('\n', stderr);
}

enum kwsctl_status kwsctl_finish_output(void)
{
	struct kws_error error;
	if (kws_file_flush(stdout, &error) == 0) {
		return KWSCTL_OK;
	}
	kwsctl_complain(error.text);
	return KWSCTL_REFUSED;
}

const char *kwsctl_endpoint(const char *given, const char *name, char *out)
{
	char dir[KWS_RUNTIME_PATH_BYTES];
	struct kws_error error;
	if (given != NULL) {
		return given;
	}
	if (kws_runtime_find(name, dir, sizeof(dir), &error) < 0 ||
		kws_endpoint_default(dir, name, out, KWS_ENDPOINT_BYTES, &error) < 0) {
		kwsctl_complain(error.text);
		return NULL;
	}
	return out;
}

enum kwsctl_status kwsctl_connect_status(int code)
{
	return code == KWS_EINVAL || code == KWS_EUNSUPPORTED ? KWSCTL_USAGE : KWSCTL_UNREACHABLE;
}

/* Takes `params`. On success `*result` belongs to the caller. */
static enum kwsctl_status call(
	const struct kwsctl_options *options, const char *method, json_t *params, json_t **result)
{
	char buffer[KWS_ENDPOINT_BYTES];
	struct kws_error error;
	struct kws_client *client;
	struct kws_curve_client own;
	const struct kws_curve_client *keys;
	enum kwsctl_status status;
	const char *endpoint = kwsctl_endpoint(options->endpoint, KWS_ENDPOINT_CONTROL, buffer);
	if (endpoint == NULL) {
		json_decref(params);
		return KWSCTL_USAGE;
	}
	status = kwsctl_client_keys(options, &own, &keys);
	if (status != KWSCTL_OK) {
		json_decref(params);
		return status;
	}
	int rc = kws_client_create(&client, endpoint, keys, &error);
	kws_keys_wipe(&own.own);
	if (rc < 0) {
		status = kwsctl_connect_status(rc);
	} else {
		rc = kws_client_call(client, method, params, options->timeout_ms, result, &error);
		if (rc < 0) {
			status = rc == KWS_ETIMEOUT || rc == KWS_EPERM ? KWSCTL_UNREACHABLE
								       : KWSCTL_REFUSED;
		}
		kws_client_destroy(client);
	}
	json_decref(params);
	if (status != KWSCTL_OK) {
		kwsctl_complain(error.text);
	}
	return status;
}

/* Takes `result`. */
static enum kwsctl_status print_result(const struct kwsctl_options *options, json_t *result)
{
	int rc = 0;
	if (options->json) {
		rc = kwsctl_print_json(stdout, result);
	} else {
		kwsctl_print_value(stdout, result);
	}
	json_decref(result);
	if (rc < 0) {
		kwsctl_complain("cannot write the output");
		return KWSCTL_REFUSED;
	}
	return kwsctl_finish_output();
}

/* Takes `params`; the method has the command's name. */
static enum kwsctl_status call_and_print(
	const struct command *command, const struct kwsctl_options *options, json_t *params)
{
	json_t *result;
	enum kwsctl_status status = call(options, command->name, params, &result);
	return status == KWSCTL_OK ? print_result(options, result) : status;
}

/* The commands without parameters. */
static enum kwsctl_status run_plain(
	const struct command *command, const struct kwsctl_options *options, int count, char **args)
{
	(void)count;
	(void)args;
	return call_and_print(command, options, NULL);
}

static enum kwsctl_status run_get(
	const struct command *command, const struct kwsctl_options *options, int count, char **args)
{
	json_t *result;
	json_t *params = count > 0 ? json_pack("{s:s}", "key", args[0]) : NULL;
	if (count > 0 && params == NULL) {
		kwsctl_complain("the key is not UTF-8");
		return KWSCTL_USAGE;
	}
	enum kwsctl_status status = call(options, command->name, params, &result);
	if (status != KWSCTL_OK) {
		return status;
	}
	/* {"section.key": value} prints as the value alone, which is what a script wants */
	json_t *value = count > 0 ? json_object_get(result, args[0]) : NULL;
	if (value != NULL) {
		json_incref(value);
		json_decref(result);
		result = value;
	}
	return print_result(options, result);
}

static enum kwsctl_status run_set(
	const struct command *command, const struct kwsctl_options *options, int count, char **args)
{
	if (count % 2 != 0) {
		kwsctl_complain("set: a key lacks its value");
		return KWSCTL_USAGE;
	}
	json_t *values = json_object();
	for (int i = 0; i < count; i += 2) {
		if (json_object_set_new(values, args[i], json_string(args[i + 1])) != 0) {
			kwsctl_complain("set: a key or a value is not UTF-8");
			json_decref(values);
			return KWSCTL_USAGE;
		}
	}
	json_t *params = json_pack("{s:o, s:b}", "values", values, "persist", options->persist);
	return call_and_print(command, options, params);
}

static enum kwsctl_status run_load_model(
	const struct command *command, const struct kwsctl_options *options, int count, char **args)
{
	json_t *models = json_array();
	for (int i = 0; i < count; i++) {
		if (json_array_append_new(models, json_string(args[i])) != 0) {
			kwsctl_complain("a name is not UTF-8");
			json_decref(models);
			return KWSCTL_USAGE;
		}
	}
	json_t *params = json_pack("{s:o, s:b}", "model", models, "persist", options->persist);
	return call_and_print(command, options, params);
}

/* The text as it is, for a scraper. */
static enum kwsctl_status run_metrics(
	const struct command *command, const struct kwsctl_options *options, int count, char **args)
{
	(void)count;
	(void)args;
	json_t *result;
	if (options->json) {
		return call_and_print(command, options, NULL);
	}
	enum kwsctl_status status = call(options, command->name, NULL, &result);
	if (status != KWSCTL_OK) {
		return status;
	}
	kws_terminal_lines(stdout, json_string_value(result));
	json_decref(result);
	return kwsctl_finish_output();
}

static enum kwsctl_status run_mute(
	const struct command *command, const struct kwsctl_options *options, int count, char **args)
{
	(void)count;
	(void)args;
	json_t *params =
		options->for_seconds > 0 ? json_pack("{s:i}", "for_s", options->for_seconds) : NULL;
	return call_and_print(command, options, params);
}

static enum kwsctl_status run_monitor(
	const struct command *command, const struct kwsctl_options *options, int count, char **args)
{
	(void)command;
	return kwsctl_monitor(options, count, args);
}

static enum kwsctl_status run_keygen(
	const struct command *command, const struct kwsctl_options *options, int count, char **args)
{
	(void)command;
	(void)count;
	return kwsctl_keygen(options, args[0]);
}

static enum kwsctl_status run_authorize(
	const struct command *command, const struct kwsctl_options *options, int count, char **args)
{
	(void)command;
	(void)count;
	return kwsctl_authorize(options, args[0], args[1]);
}

static enum kwsctl_status run_revoke(
	const struct command *command, const struct kwsctl_options *options, int count, char **args)
{
	(void)command;
	(void)count;
	return kwsctl_revoke(options, args[0]);
}

#define SHORT_OPTIONS "hVjn:"

static const struct command commands[] = {
	{"status", 0, 0, SHORT_OPTIONS, run_plain},
	{"monitor", 0, INT_MAX, SHORT_OPTIONS, run_monitor},
	{"get", 0, 1, SHORT_OPTIONS, run_get},
	{"set", 2, INT_MAX, "+" SHORT_OPTIONS, run_set}, /* a value may begin with '-' */
	{"reload", 0, 0, SHORT_OPTIONS, run_plain},
	{"devices", 0, 0, SHORT_OPTIONS, run_plain},
	{"level", 0, 0, SHORT_OPTIONS, run_plain},
	{"metrics", 0, 0, SHORT_OPTIONS, run_metrics},
	{"models", 0, 0, SHORT_OPTIONS, run_plain},
	{"load-model", 1, INT_MAX, SHORT_OPTIONS, run_load_model},
	{"mute", 0, 0, SHORT_OPTIONS, run_mute},
	{"unmute", 0, 0, SHORT_OPTIONS, run_plain},
	{"keygen", 1, 1, SHORT_OPTIONS, run_keygen},
	{"authorize", 2, 2, SHORT_OPTIONS, run_authorize},
	{"revoke", 1, 1, SHORT_OPTIONS, run_revoke},
};

static const struct command *find_command(const char *name)
{
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		if (strcmp(commands[i].name, name) == 0) {
			return &commands[i];
		}
	}
	return NULL;
}

static enum kwsctl_status refuse(const char *what, const char *which)
{
	fprintf(stderr, "kwsctl: %s '%s' (see kwsctl --help)\n", what, which);
	return KWSCTL_USAGE;
}

static bool read_positive(const char *text, int *value)
{
	char *end;
	errno = 0;
	long number = strtol(text, &end, 10);
	if (end == text || *end != '\0' || errno != 0 || number < 1 || number > INT_MAX) {
		return false;
	}
	*value = (int)number;
	return true;
}

static const struct option long_options[] = {
	{"endpoint", required_argument, NULL, 'e'},
	{"events", required_argument, NULL, 'E'},
	{"key", required_argument, NULL, 'k'},
	{"server-key", required_argument, NULL, 'K'},
	{"keys", required_argument, NULL, 'd'},
	{"control", no_argument, NULL, 'c'},
	{"show-secret", no_argument, NULL, 'S'},
	{"timeout", required_argument, NULL, 't'},
	{"json", no_argument, NULL, 'j'},
	{"persist", no_argument, NULL, 'p'},
	{"scores", no_argument, NULL, 's'},
	{"count", required_argument, NULL, 'n'},
	{"for", required_argument, NULL, 'f'},
	{"help", no_argument, NULL, 'h'},
	{"version", no_argument, NULL, 'V'},
	{NULL, 0, NULL, 0},
};

static enum kwsctl_status read_option(int option, struct kwsctl_options *options)
{
	bool fine = true;
	switch (option) {
	case 'e':
		options->endpoint = optarg;
		break;
	case 'E':
		options->events = optarg;
		break;
	case 'k':
		options->key = optarg;
		break;
	case 'K':
		options->server_key = optarg;
		break;
	case 'd':
		options->keys = optarg;
		break;
	case 'c':
		options->control = true;
		break;
	case 'S':
		options->show_secret = true;
		break;
	case 't':
		fine = read_positive(optarg, &options->timeout_ms);
		break;
	case 'j':
		options->json = true;
		break;
	case 'p':
		options->persist = true;
		break;
	case 's':
		options->scores = true;
		break;
	case 'n':
		fine = read_positive(optarg, &options->count);
		break;
	case 'f':
		fine = read_positive(optarg, &options->for_seconds);
		break;
	case 'h':
		fputs(usage_text, stdout);
		exit(kwsctl_finish_output());
	case 'V':
		puts("kwsctl " KWS_VERSION);
		exit(kwsctl_finish_output());
	default:
		return KWSCTL_USAGE; /* getopt has said why */
	}
	return fine ? KWSCTL_OK : refuse("not a positive number:", optarg);
}

static enum kwsctl_status read_options(
	int argc, char **argv, const char *short_options, struct kwsctl_options *options)
{
	int option;
	while ((option = getopt_long(argc, argv, short_options, long_options, NULL)) != -1) {
		enum kwsctl_status status = read_option(option, options);
		if (status != KWSCTL_OK) {
			return status;
		}
	}
	return KWSCTL_OK;
}

static enum kwsctl_status run_command(
	const struct command *command, int argc, char **argv, struct kwsctl_options *options)
{
	optind = 0; /* a new vector begins, which has the program's name first */
	enum kwsctl_status status = read_options(argc, argv, command->options, options);
	if (status != KWSCTL_OK) {
		return status;
	}
	bool monitor = command->run == run_monitor;
	if (!monitor && (options->scores || options->count > 0)) {
		return refuse("--scores and --count do not belong to", command->name);
	}
	if (!monitor && command->run != run_mute && options->for_seconds > 0) {
		return refuse("--for does not belong to", command->name);
	}
	if (command->run != run_set && command->run != run_load_model && options->persist) {
		return refuse("--persist does not belong to", command->name);
	}
	if ((options->control && command->run != run_authorize) ||
		(options->show_secret && command->run != run_keygen)) {
		return refuse("--control or --show-secret does not belong to", command->name);
	}
	int count = argc - optind;
	if (count < command->min_args || count > command->max_args) {
		return refuse("wrong number of arguments for", command->name);
	}
	return command->run(command, options, count, argv + optind);
}

int main(int argc, char **argv)
{
	kws_file_hold_standard();
	struct kwsctl_options options = {.timeout_ms = DEFAULT_TIMEOUT_MS};
	enum kwsctl_status status = read_options(argc, argv, "+" SHORT_OPTIONS, &options);
	if (status != KWSCTL_OK) {
		return status;
	}
	if (optind == argc) {
		fputs(usage_text, stderr);
		return KWSCTL_USAGE;
	}
	const struct command *command = find_command(argv[optind]);
	if (command == NULL) {
		return refuse("there is no command", argv[optind]);
	}
	argv[optind] = argv[0]; /* getopt begins its complaints with it */
	return run_command(command, argc - optind, argv + optind, &options);
}
