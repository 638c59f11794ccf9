/* SPDX-License-Identifier: Apache-2.0 */
/* A control request from an untrusted client, through the daemon's own methods up to the answer:
 * whatever comes in, what goes out is one JSON-RPC answer or nothing. What the methods ask of the
 * daemon does as much as needs no daemon: settings are read and checked, then thrown away. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/methods.h"
#include "daemon/settings.h"
#include "ipc/rpc.h"

#define WEEK_MS (UINT64_C(7) * 24 * 3600 * 1000)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(int condition)
{
	if (!condition) {
		abort();
	}
}

/* The defaults, with a model in a folder that is not there: so none is ever listed. */
static const struct kws_config *current_config(void *user)
{
	static struct kws_config *config;
	static struct kws_config_errors errors;
	static const char *const overrides[] = {"model.path=/nonexistent/kws/one.safetensors"};
	(void)user;
	if (config == NULL) {
		require(kws_config_load(&config, NULL, overrides, 1, &errors) == 0);
	}
	return config;
}

static int reload(void *user, const json_t *values, struct kws_error *error)
{
	static const struct kws_options options;
	static struct kws_config_errors errors;
	struct kws_config *config;
	(void)user;
	int result = kws_settings_load(&options, values, NULL, &config, &errors);
	if (result != 0) {
		require(errors.count > 0);
		return kws_fail(error, result, "%s", errors.text[0]);
	}
	kws_config_destroy(config);
	return 0;
}

/* Only what was taken over comes here. */
static int persist(void *user, const json_t *values, struct kws_error *error)
{
	(void)user;
	(void)error;
	require(json_is_object(values) && json_object_size(values) > 0);
	return 0;
}

static json_t *describe(void *user)
{
	(void)user;
	return json_object();
}

static void mute(void *user, uint64_t for_ms)
{
	(void)user;
	require(for_ms <= WEEK_MS);
}

static void unmute(void *user)
{
	(void)user;
}

static struct kws_methods methods = {
	NULL, current_config, reload, persist, describe, describe, describe, mute, unmute};

static void check_answer(const char *text)
{
	json_t *answer = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
	require(answer != NULL && json_object_size(answer) == 3);
	const char *version = json_string_value(json_object_get(answer, "jsonrpc"));
	require(version != NULL && strcmp(version, "2.0") == 0);
	require(json_object_get(answer, "id") != NULL);
	json_t *error = json_object_get(answer, "error");
	require((error == NULL) != (json_object_get(answer, "result") == NULL));
	require(error == NULL || json_is_integer(json_object_get(error, "code")));
	require(error == NULL || json_is_string(json_object_get(error, "message")));
	json_decref(answer);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	json_object_seed(1); /* the same order of hashes in every run */
	char *answer = kws_rpc_handle(kws_method_table, &methods, (const char *)data, size);
	if (answer != NULL) {
		check_answer(answer);
		free(answer);
	}
	return 0;
}
