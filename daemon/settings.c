/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/settings.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/error.h"
#include "daemon/remote.h"
#include "ipc/runtime.h"

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

static int endpoint_of(const char *given, const char *dir, const char *name,
	char out[KWS_ENDPOINT_BYTES], struct kws_error *error)
{
	if (given[0] != '\0') {
		memcpy(out, given, strlen(given) + 1); /* a legal one fits */
		return 0;
	}
	return kws_endpoint_default(dir, name, out, KWS_ENDPOINT_BYTES, error);
}

int kws_settings_endpoints(const struct kws_config *config, char events[KWS_ENDPOINT_BYTES],
	char control[KWS_ENDPOINT_BYTES], struct kws_error *error)
{
	char dir[KWS_RUNTIME_PATH_BYTES];
	int result = kws_runtime_dir(dir, sizeof(dir), error);
	if (result == 0) {
		result = endpoint_of(config->ipc.events, dir, KWS_ENDPOINT_EVENTS, events, error);
	}
	if (result == 0) {
		result =
			endpoint_of(config->ipc.control, dir, KWS_ENDPOINT_CONTROL, control, error);
	}
	return result;
}

/* Said here, and not only when the second is bound, so that --check-config says it too. */
static int check_apart(const struct kws_config *config, struct kws_error *error)
{
	char events[KWS_ENDPOINT_BYTES];
	char control[KWS_ENDPOINT_BYTES];
	const struct {
		const char *key;
		const char *endpoint;
	} all[] = {{"events", events}, {"control", control},
		{"remote_events", config->ipc.remote_events},
		{"remote_control", config->ipc.remote_control}};
	const size_t count = sizeof(all) / sizeof(all[0]);
	int result = kws_settings_endpoints(config, events, control, error);
	for (size_t a = 0; a < count && result == 0; a++) {
		for (size_t b = a + 1; b < count && result == 0; b++) {
			if (all[b].endpoint[0] != '\0' &&
				kws_endpoint_collide(all[a].endpoint, all[b].endpoint)) {
				result = kws_fail(error, KWS_EINVAL,
					"[ipc].%s and [ipc].%s cannot both listen on %.120s",
					all[a].key, all[b].key, all[b].endpoint);
			}
		}
	}
	return result;
}

static bool asks_for_the_same(const struct kws_config *one, const struct kws_config *other)
{
	return strcmp(one->ipc.remote_events, other->ipc.remote_events) == 0 &&
	       strcmp(one->ipc.remote_control, other->ipc.remote_control) == 0 &&
	       strcmp(one->ipc.keys, other->ipc.keys) == 0;
}

/* What came to lie at the path of the `present` endpoint is no reason to refuse another change. */
static int check_local(const char *endpoint, const char *present, struct kws_error *error)
{
	int result = kws_endpoint_check_setting(endpoint, false, error);
	bool same = present != NULL && strcmp(endpoint, present) == 0;
	return result == 0 && !same ? kws_endpoint_check_place(endpoint, error) : result;
}

static int check_endpoints(
	const struct kws_config *config, const struct kws_config *present, struct kws_error *error)
{
	int result = check_local(
		config->ipc.events, present != NULL ? present->ipc.events : NULL, error);
	if (result == 0) {
		result = check_local(
			config->ipc.control, present != NULL ? present->ipc.control : NULL, error);
	}
	/* no change of theirs is taken over before a restart, so a typo in the list of clients is
	 * no reason to refuse another change */
	if (result == 0 && (present == NULL || !asks_for_the_same(config, present))) {
		result = kws_remote_check(config, error);
	}
	return result == 0 ? check_apart(config, error) : result;
}

int kws_settings_load(const struct kws_options *options, const json_t *changes,
	const struct kws_config *present, struct kws_config **out, struct kws_config_errors *errors)
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
	if (result == 0 && (result = check_endpoints(*out, present, &error)) != 0) {
		kws_config_errors_add(errors, "%s", error.text);
		kws_config_destroy(*out);
	}
	for (size_t i = 0; i < overrides.count; i++) {
		free(overrides.texts[i]);
	}
	free(overrides.texts);
	return result;
}
