/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/settings.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/error.h"
#include "daemon/remote.h"
#include "ipc/endpoint.h"

struct overrides {
	char **texts;
	size_t count;
};

static int add_override(struct overrides *overrides, const char *key, const json_t *value)
{
	const char *text = json_string_value(value);
	if (text == NULL) {
		return KWS_EINVAL;
	}
	size_t size = strlen(key) + strlen(text) + sizeof("=");
	char *line = malloc(size);
	if (line == NULL) {
		return KWS_ENOMEM;
	}
	snprintf(line, size, "%s=%s", key, text);
	overrides->texts[overrides->count++] = line;
	return 0;
}

/* The command line's settings first, so that the changes win. */
static int collect(
	struct overrides *overrides, const struct kws_options *options, const json_t *changes)
{
	const char *key;
	json_t *value;
	size_t most = options->setting_count + json_object_size(changes);
	overrides->texts = calloc(most + 1, sizeof(*overrides->texts));
	if (overrides->texts == NULL) {
		return KWS_ENOMEM;
	}
	for (size_t i = 0; i < options->setting_count; i++) {
		char *copy = strdup(options->settings[i]);
		if (copy == NULL) {
			return KWS_ENOMEM;
		}
		overrides->texts[overrides->count++] = copy;
	}
	json_object_foreach ((json_t *)changes, key, value) {
		int result = add_override(overrides, key, value);
		if (result != 0) {
			return result;
		}
	}
	return 0;
}

static int check_endpoints(const struct kws_config *config, struct kws_error *error)
{
	int result = kws_endpoint_check_setting(config->ipc.events, false, error);
	if (result == 0) {
		result = kws_endpoint_check_setting(config->ipc.control, false, error);
	}
	return result == 0 ? kws_remote_check(config, error) : result;
}

int kws_settings_load(const struct kws_options *options, const json_t *changes,
	struct kws_config **out, struct kws_config_errors *errors)
{
	struct overrides overrides = {0};
	memset(errors, 0, sizeof(*errors));
	int result = collect(&overrides, options, changes);
	if (result == 0) {
		result = kws_config_load(out, options->config_path,
			(const char *const *)overrides.texts, overrides.count, errors);
	} else {
		kws_config_errors_add(errors, "the settings: %s",
			result == KWS_EINVAL ? "a value is not a string" : kws_strerror(result));
	}
	struct kws_error error;
	if (result == 0 && (result = check_endpoints(*out, &error)) != 0) {
		kws_config_errors_add(errors, "%s", error.text);
		kws_config_destroy(*out);
	}
	for (size_t i = 0; i < overrides.count; i++) {
		free(overrides.texts[i]);
	}
	free(overrides.texts);
	return result;
}
