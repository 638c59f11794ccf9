/* SPDX-License-Identifier: Apache-2.0 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "config/config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct kws_config *current;

/* What is listed must be readable under its name, with the same text. */
static void check_key(void *user, const char *key, const char *value, enum kws_apply apply)
{
	char text[KWS_CONFIG_VALUE_SIZE];
	(void)user;
	(void)apply;
	if (kws_config_get(current, key, text, sizeof(text)) != 0 || strcmp(text, value) != 0) {
		abort();
	}
}

/* The first line, where it starts with '!', is an override; the rest is the file. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct kws_config *config;
	struct kws_config *plain;
	struct kws_config_errors errors;
	const char *text = (const char *)data;
	char override[2048] = "";
	const char *overrides[] = {override};
	const char *end = size > 0 && text[0] == '!' ? memchr(text, '\n', size) : NULL;
	size_t skipped = end != NULL ? (size_t)(end - text) + 1 : 0;
	if (skipped > sizeof(override) || size > 65536) {
		return 0;
	}
	if (skipped > 0) {
		memcpy(override, text + 1, skipped - 2);
	}
	if (kws_config_parse(&config, "fuzz", text + skipped, size - skipped, overrides,
		    skipped > 0 ? 1 : 0, &errors) < 0) {
		return 0;
	}
	if (kws_config_load(&plain, NULL, NULL, 0, &errors) < 0) {
		abort();
	}
	current = config;
	kws_config_each(config, check_key, NULL);
	kws_config_diff(plain, config, check_key, NULL);
	kws_config_destroy(plain);
	kws_config_destroy(config);
	return 0;
}
