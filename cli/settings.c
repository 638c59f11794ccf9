/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/settings.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/kws.h"
#include "common/error.h"

/* Takes `text`, which may be NULL for want of memory. */
static bool append(struct kws_cli_settings *settings, char *text)
{
	if (text == NULL || settings->count == KWS_CLI_SETTINGS_MAX) {
		if (text == NULL) {
			fprintf(stderr, "kws: out of memory\n");
		} else {
			fprintf(stderr, "kws: more than %d settings\n", KWS_CLI_SETTINGS_MAX);
		}
		free(text);
		return false;
	}
	settings->overrides[settings->count++] = text;
	return true;
}

bool kws_cli_settings_add(struct kws_cli_settings *settings, const char *text)
{
	return append(settings, strdup(text));
}

bool kws_cli_settings_set(struct kws_cli_settings *settings, const char *key, const char *value)
{
	size_t size = strlen(key) + sizeof("=") + strlen(value);
	char *text = malloc(size);
	if (text != NULL) {
		snprintf(text, size, "%s=%s", key, value);
	}
	return append(settings, text);
}

/* Adds one more value to the list that the last setting of the key gave it. */
static bool extend(struct kws_cli_settings *settings, const char *key, const char *value)
{
	size_t length = strlen(key);
	const char *list = NULL;
	for (size_t i = 0; i < settings->count; i++) {
		const char *text = settings->overrides[i];
		if (strncmp(text, key, length) == 0 && text[length] == '=') {
			list = text + length + 1;
		}
	}
	if (list == NULL) {
		return kws_cli_settings_set(settings, key, value);
	}
	size_t size = strlen(list) + sizeof(",") + strlen(value);
	char *longer = malloc(size);
	if (longer == NULL) {
		return append(settings, NULL);
	}
	snprintf(longer, size, "%s,%s", list, value);
	bool set = kws_cli_settings_set(settings, key, longer);
	free(longer);
	return set;
}

bool kws_cli_settings_add_model(struct kws_cli_settings *settings, const char *path)
{
	bool first = !settings->model_given;
	settings->model_given = true;
	return first ? kws_cli_settings_set(settings, "model.path", path)
		     : extend(settings, "model.path", path);
}

int kws_cli_settings_load(struct kws_config **out, const struct kws_cli_settings *settings)
{
	struct kws_config_errors errors;
	int result = kws_config_load(out, settings->config_path,
		(const char *const *)settings->overrides, settings->count, &errors);
	if (result == 0) {
		return KWS_EXIT_OK;
	}
	for (size_t i = 0; i < errors.count; i++) {
		fprintf(stderr, "kws: %s\n", errors.text[i]);
	}
	return result == KWS_ENOMEM ? KWS_EXIT_FAILED : KWS_EXIT_USAGE;
}

void kws_cli_settings_finish(struct kws_cli_settings *settings)
{
	for (size_t i = 0; i < settings->count; i++) {
		free(settings->overrides[i]);
	}
}
