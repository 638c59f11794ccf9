/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "common/cpu.h"
#include "common/file.h"
#include "config/schema.h"
#include "daemon/daemon.h"
#include "daemon/log.h"
#include "daemon/metrics.h"
#include "daemon/recorder.h"
#include "daemon/settings.h"
#include "daemon/stream.h"

static int load(const struct kws_options *options, struct kws_config **config)
{
	struct kws_config_errors errors;
	int result = kws_settings_load(options, NULL, NULL, config, &errors);
	for (size_t i = 0; i < errors.count; i++) {
		kws_log_answer("%s", errors.text[i]);
	}
	return result;
}

/* A file that could not be read this time is worth another try, wrong content is not. */
static enum kws_daemon_status status_of_load(int result)
{
	bool passing = result == KWS_EIO || result == KWS_ENOMEM;
	return passing ? KWS_DAEMON_FAILED : KWS_DAEMON_USAGE;
}

/* Also the files that the configuration names, and the folder of clips and the file of metrics,
 * without which kwsd would listen. */
static enum kws_daemon_status check(struct kws_config *config)
{
	struct kws_error error;
	kws_recorder_warn(config);
	int result = kws_stream_check(config, &error);
	if (result == 0) {
		result = kws_recorder_check(config, &error);
	}
	if (result == 0) {
		result = kws_metrics_file_check(config->ipc.metrics_path, &error);
	}
	if (result == 0) {
		printf("the configuration is good\n");
	} else {
		kws_log_error("%s", error.text);
	}
	kws_config_destroy(config);
	return result == 0 ? KWS_DAEMON_OK : KWS_DAEMON_USAGE;
}

static enum kws_daemon_status run(int argc, char **argv)
{
	struct kws_options options;
	struct kws_config *config;
	struct kws_error error;
	enum kws_options_result result = kws_options_parse(&options, argc, argv);
	if (result != KWS_OPTIONS_RUN) {
		return result == KWS_OPTIONS_DONE ? KWS_DAEMON_OK : KWS_DAEMON_USAGE;
	}
	if (kws_cpu_take_mask(options.cpu_mask, &error) != 0) {
		kws_log_error("%s", error.text);
		return KWS_DAEMON_USAGE;
	}
	if (options.print_config) {
		return kws_schema_print(stdout) == 0 ? KWS_DAEMON_OK : KWS_DAEMON_FAILED;
	}
	int loaded = load(&options, &config);
	if (loaded != 0) {
		return status_of_load(loaded);
	}
	if (options.check_config) {
		return check(config);
	}
	return kws_daemon_run(&options, config);
}

static enum kws_daemon_status finish_output(enum kws_daemon_status status)
{
	struct kws_error error;
	if (kws_file_flush(stdout, &error) == 0) {
		return status;
	}
	kws_log_error("%s", error.text);
	return KWS_DAEMON_FAILED;
}

int main(int argc, char **argv)
{
	kws_file_hold_standard();
	return finish_output(run(argc, argv));
}
