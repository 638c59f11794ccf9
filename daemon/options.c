/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/options.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>

static const char help[] =
	"usage: kwsd [OPTION]...\n\n"
	"Listens to a microphone and tells its subscribers which keyword was spoken.\n\n"
	"  -c, --config FILE             the configuration; it is watched and reloaded when it "
	"changes\n"
	"  -s, --set SECTION.KEY=VALUE   a setting that wins over the file, as often as wanted\n"
	"  -l, --log-level LEVEL         error, warning, info or debug; the same as --set "
	"log.level=LEVEL\n"
	"      --cpu-mask MASK           vector instructions that may be used: c (none), avx2, "
	"avx512, "
	"neon or\n"
	"                                all (default); $KWS_CPU_MASK says the same\n"
	"      --check-config            say what is wrong with the configuration or the files\n"
	"                                that it names, and end\n"
	"      --print-config            print every key with its help and default, and end\n"
	"  -h, --help\n"
	"  -V, --version\n\n"
	"SIGHUP reloads the configuration, SIGTERM and SIGINT end the daemon.\n"
	"Exit status: 0 ended as asked (also at the end of a file or of the standard input),\n"
	"1 failed, 2 wrong usage or configuration, 3 another instance is running.\n";

static enum kws_options_result add_setting(struct kws_options *options, const char *text)
{
	if (options->setting_count == KWS_OPTIONS_SETTINGS_MAX) {
		fprintf(stderr, "kwsd: more than %d settings\n", KWS_OPTIONS_SETTINGS_MAX);
		return KWS_OPTIONS_WRONG;
	}
	options->settings[options->setting_count++] = text;
	return KWS_OPTIONS_RUN;
}

/* What is no level is told of with the other settings. */
static enum kws_options_result set_log_level(struct kws_options *options, const char *level)
{
	bool again = options->log_level[0] != '\0';
	snprintf(options->log_level, sizeof(options->log_level), "log.level=%s", level);
	return again ? KWS_OPTIONS_RUN : add_setting(options, options->log_level);
}

static enum kws_options_result take_option(struct kws_options *options, int option)
{
	switch (option) {
	case 'c':
		options->config_path = optarg;
		return KWS_OPTIONS_RUN;
	case 's':
		return add_setting(options, optarg);
	case 'l':
		return set_log_level(options, optarg);
	case 'm':
		options->cpu_mask = optarg;
		return KWS_OPTIONS_RUN;
	case 'k':
		options->check_config = true;
		return KWS_OPTIONS_RUN;
	case 'p':
		options->print_config = true;
		return KWS_OPTIONS_RUN;
	case 'V':
		printf("kwsd %s\n", KWS_VERSION);
		return KWS_OPTIONS_DONE;
	case 'h':
		fputs(help, stdout);
		return KWS_OPTIONS_DONE;
	default:
		fputs("kwsd --help says what there is\n", stderr);
		return KWS_OPTIONS_WRONG;
	}
}

enum kws_options_result kws_options_parse(struct kws_options *options, int argc, char **argv)
{
	static const struct option table[] = {
		{"config", required_argument, NULL, 'c'},
		{"set", required_argument, NULL, 's'},
		{"log-level", required_argument, NULL, 'l'},
		{"cpu-mask", required_argument, NULL, 'm'},
		{"check-config", no_argument, NULL, 'k'},
		{"print-config", no_argument, NULL, 'p'},
		{"help", no_argument, NULL, 'h'},
		{"version", no_argument, NULL, 'V'},
		{NULL, 0, NULL, 0},
	};
	enum kws_options_result result = KWS_OPTIONS_RUN;
	int option;
	memset(options, 0, sizeof(*options));
	while (result == KWS_OPTIONS_RUN &&
		(option = getopt_long(argc, argv, "c:s:l:hV", table, NULL)) != -1) {
		result = take_option(options, option);
	}
	if (result == KWS_OPTIONS_RUN && optind < argc) {
		fprintf(stderr, "kwsd: unexpected argument '%s'\n", argv[optind]);
		return KWS_OPTIONS_WRONG;
	}
	return result;
}
