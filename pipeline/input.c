/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline/input.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* To open a FIFO waits for its writer, with no end and no way to stop it. */
static int check_file(const char *path, struct kws_error *error)
{
	struct stat info;
	if (stat(path, &info) != 0 || access(path, R_OK) != 0) {
		return kws_fail(error, KWS_ENOENT, "[audio].path: cannot read '%.120s': %s", path,
			strerror(errno));
	}
	if (!S_ISREG(info.st_mode)) {
		return kws_fail(error, KWS_EINVAL,
			"[audio].path: '%.120s' is not a regular file; for a pipe or a device use "
			"the source stdin",
			path);
	}
	return 0;
}

int kws_input_check(const struct kws_config *config, struct kws_error *error)
{
	const char *name = kws_config_source_name(config->audio.source);
	if (kws_source_find(name) == NULL) {
		return kws_fail(
			error, KWS_EUNSUPPORTED, "this build has no audio source '%s'", name);
	}
	if (config->audio.source == KWS_CONFIG_SOURCE_FILE) {
		return check_file(config->audio.path, error);
	}
	if (config->audio.channels != 0 && config->audio.channel > config->audio.channels) {
		return kws_fail(error, KWS_EINVAL,
			"[audio].channel: there is no %d where [audio].channels is %d",
			config->audio.channel, config->audio.channels);
	}
	if (config->audio.source == KWS_CONFIG_SOURCE_STDIN &&
		(config->audio.rate_hz == 0 || config->audio.channels == 0)) {
		return kws_fail(error, KWS_EINVAL,
			"[audio].rate_hz and channels must be set for the source stdin");
	}
	return 0;
}

bool kws_input_is_same(const struct kws_config *a, const struct kws_config *b)
{
	return a->audio.source == b->audio.source && a->audio.channels == b->audio.channels &&
	       strcmp(a->audio.device, b->audio.device) == 0 &&
	       strcmp(a->audio.path, b->audio.path) == 0;
}

struct kws_source_config kws_input_source(const struct kws_config *config)
{
	return (struct kws_source_config){
		.type = kws_config_source_name(config->audio.source),
		.device = config->audio.device,
		.path = config->audio.path,
		.realtime = config->audio.pace == KWS_CONFIG_PACE_REALTIME,
		.rate_hz = (unsigned)config->audio.rate_hz,
		.channels = (unsigned)config->audio.channels,
		.channel = (unsigned)config->audio.channel,
		.buffer_ms = (unsigned)config->audio.buffer_ms,
		.stall_ms = (unsigned)config->audio.stall_ms,
		.debug = config->log.level == KWS_CONFIG_LEVEL_DEBUG,
	};
}
