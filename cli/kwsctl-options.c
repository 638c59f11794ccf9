/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/kwsctl-options.h"

#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/kwsctl-keys.h"

static const char usage_text[] =
	"usage: kwsctl [OPTION...] COMMAND [OPTION...]\n"
	"\n"
	"  status                  what the daemon does now\n"
	"  monitor [NAME...]       one line per detection, of all keywords or of these,\n"
	"                          written as `kwsctl models` has them in `labels`; and\n"
	"                          always one per change of state\n"
	"  get [KEY]               all settings, or one (section.key)\n"
	"  set KEY VALUE [KEY VALUE...]\n"
	"                          change settings until the file is read again; with\n"
	"                          --persist also in the file\n"
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
	"The key of a single keyword has its name after a space, and so is quoted:\n"
	"  kwsctl set 'keyword stop.threshold' 0.9\n"
	"\n"
	"  -h, --help\n"
	"  -V, --version\n"
	"\n"
	"all but keygen, authorize, revoke:\n"
	"      --key FILE          own CURVE key, for tcp:// (or $KWSCTL_KEY)\n"
	"      --server-key KEY    public key of the daemon, or its file (or $KWSCTL_SERVER_KEY)\n"
	"  -j, --json              print JSON: the result, or for monitor one event per line\n"
	"\n"
	"all but these and monitor:\n"
	"      --endpoint E        control endpoint of the daemon\n"
	"      --timeout MS        wait so long for an answer, default 2000\n"
	"\n"
	"set, load-model:\n"
	"      --persist           write the configuration file, too\n"
	"\n"
	"mute:\n"
	"      --for SECONDS       listen again after it, at most 604800 (a week)\n"
	"\n"
	"monitor:\n"
	"      --events E          event endpoint of the daemon\n"
	"      --scores            also every hop, if ipc.scores is yes: score, exit, reason,\n"
	"                          change; and near misses, if\n"
	"                          detector.candidate_threshold is above 0\n"
	"  -n, --count N           end after N events (states are not counted)\n"
	"      --for SECONDS       end after this time\n"
	"\n"
	"keygen:\n"
	"      --show-secret       print the secret key too\n"
	"\n"
	"authorize:\n"
	"      --control           for the control protocol as well\n"
	"\n"
	"authorize, revoke:\n"
	"      --keys DIR          the daemon's keys, default " KWSCTL_DEFAULT_KEYS "\n"
	"\n"
	"Options stand anywhere but between KEY and VALUE and between NAME and KEY: a VALUE or a\n"
	"KEY there may begin with '-'. Nothing behind '--' is an option.\n"
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

static enum kwsctl_status refuse(const char *what, const char *which)
{
	char sentence[256];
	snprintf(sentence, sizeof(sentence), "%s '%.150s' (see kwsctl --help)", what, which);
	kwsctl_complain(sentence);
	return KWSCTL_USAGE;
}

enum kwsctl_status kwsctl_options_number(
	const char *option, const char *text, const char *unit, int max, int *number)
{
	char sentence[256];
	char *end;
	if (text == NULL) {
		*number = 0;
		return KWSCTL_OK;
	}
	errno = 0;
	long value = strtol(text, &end, 10);
	if (end == text || *end != '\0' || errno != 0 || value < 1 || value > max) {
		snprintf(sentence, sizeof(sentence),
			"%s '%.100s': not a whole number of %s from 1 to %d", option, text, unit,
			max);
		kwsctl_complain(sentence);
		return KWSCTL_USAGE;
	}
	*number = (int)value;
	return KWSCTL_OK;
}

static enum kwsctl_status take_option(int option, struct kwsctl_options *options)
{
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
		return kwsctl_options_number(
			"--timeout", optarg, "milliseconds", INT_MAX, &options->timeout_ms);
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
		return kwsctl_options_number("--count", optarg, "events", INT_MAX, &options->count);
	case 'f':
		options->for_text = optarg;
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
	return KWSCTL_OK;
}

/* What was read so far. */
struct reader {
	int argc;
	char **argv;
	struct kwsctl_options *options;
	const struct kwsctl_command *command; /* NULL: it comes yet */
	int count;                            /* its arguments, from argv[1] */
	uint32_t given;                       /* a bit for each of long_options */
};

static enum kwsctl_status read_option(struct reader *reader)
{
	int option = getopt_long(reader->argc, reader->argv, "+hVjn:", long_options, NULL);
	for (size_t i = 0; long_options[i].name != NULL; i++) {
		reader->given |= (uint32_t)(long_options[i].val == option) << i;
	}
	return take_option(option, reader->options);
}

static enum kwsctl_status read_command(struct reader *reader, const struct kwsctl_command *commands)
{
	const char *name = reader->argv[optind++];
	for (const struct kwsctl_command *one = commands; one->name != NULL; one++) {
		if (strcmp(one->name, name) == 0) {
			reader->command = one;
			return KWSCTL_OK;
		}
	}
	return refuse("there is no command", name);
}

static void read_arguments(struct reader *reader)
{
	for (int i = 0; i < reader->command->together && optind < reader->argc; i++) {
		reader->argv[1 + reader->count++] = reader->argv[optind++];
	}
}

/* An option that does nothing for a command is refused: who names an endpoint or keys that are
 * not used would act on another daemon than the one that was meant. */
static enum kwsctl_status check(const struct reader *reader)
{
	const struct kwsctl_command *command = reader->command;
	for (size_t i = 0; long_options[i].name != NULL; i++) {
		bool given = (reader->given >> i & 1) != 0;
		if (given && strchr(command->allows, long_options[i].val) == NULL) {
			char what[64];
			snprintf(what, sizeof(what), "--%s does not belong to",
				long_options[i].name);
			return refuse(what, command->name);
		}
	}
	if (reader->count < command->min_args || reader->count > command->max_args) {
		return refuse("wrong number of arguments for", command->name);
	}
	return KWSCTL_OK;
}

enum kwsctl_status kwsctl_options_read(int argc, char **argv, const struct kwsctl_command *commands,
	struct kwsctl_options *options, const struct kwsctl_command **command, int *count)
{
	struct reader reader = {.argc = argc, .argv = argv, .options = options};
	enum kwsctl_status status = KWSCTL_OK;
	bool ended = false; /* the options */
	while (optind < argc && status == KWSCTL_OK) {
		const char *word = argv[optind];
		if (!ended && strcmp(word, "--") == 0) {
			ended = true;
			optind++;
		} else if (!ended && word[0] == '-' && word[1] != '\0') {
			status = read_option(&reader);
		} else if (reader.command == NULL) {
			status = read_command(&reader, commands);
		} else {
			read_arguments(&reader);
		}
	}
	if (status == KWSCTL_OK && reader.command == NULL) {
		fputs(usage_text, stderr);
		status = KWSCTL_USAGE;
	}
	*command = reader.command;
	*count = reader.count;
	return status == KWSCTL_OK ? check(&reader) : status;
}
