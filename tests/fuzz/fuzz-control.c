/* SPDX-License-Identifier: Apache-2.0 */
/* A control request from an untrusted client, up to the answer: whatever comes in, what goes out is
 * one JSON-RPC answer or nothing. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "ipc/rpc.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int method_get(void *user, const json_t *params, json_t **result, struct kws_error *error)
{
	json_t *settings = user;
	const char *key = json_string_value(json_object_get(params, "key"));
	if (key == NULL) {
		*result = json_incref(settings);
		return 0;
	}
	*result = json_incref(json_object_get(settings, key));
	return *result != NULL ? 0 : kws_fail(error, KWS_ENOENT, "there is no key '%s'", key);
}

/* As in the daemon, a value is text that the table of settings reads. */
static int method_set(void *user, const json_t *params, json_t **result, struct kws_error *error)
{
	json_t *settings = user;
	json_t *values = json_object_get(params, "values");
	const char *key;
	json_t *value;
	if (!json_is_object(values)) {
		return kws_fail(error, KWS_EINVAL, "'values' must be an object");
	}
	json_object_foreach (values, key, value) {
		if (!json_is_string(value)) {
			return kws_fail(error, KWS_EFORMAT, "%s: a value is a string", key);
		}
	}
	*result = json_deep_copy(values);
	return json_object_update(settings, values) == 0 ? 0 : KWS_ENOMEM;
}

static const struct kws_rpc_method methods[] = {
	{"get", method_get, "one setting or all"},
	{"set", method_set, "changes settings"},
	{NULL, NULL, NULL},
};

static void require(int condition)
{
	if (!condition) {
		abort();
	}
}

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
	json_t *settings = json_pack("{s:s, s:f}", "audio.device", "default", "exits.delta", 0.3);
	char *answer = kws_rpc_handle(methods, settings, (const char *)data, size);
	if (answer != NULL) {
		check_answer(answer);
		free(answer);
	}
	json_decref(settings);
	return 0;
}
