/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/methods.h"

#include <stdbool.h>
#include <stdlib.h>

#include "daemon/metrics.h"
#include "daemon/models.h"
#include "daemon/mute.h"
#include "daemon/values.h"

static int give(json_t *value, json_t **result)
{
	*result = value;
	return value != NULL ? 0 : KWS_ENOMEM;
}

static int call_status(void *user, const json_t *params, json_t **result, struct kws_error *error)
{
	const struct kws_methods *methods = user;
	(void)params;
	(void)error;
	return give(methods->status(methods->user), result);
}

static int call_devices(void *user, const json_t *params, json_t **result, struct kws_error *error)
{
	const struct kws_methods *methods = user;
	(void)params;
	(void)error;
	return give(methods->devices(methods->user), result);
}

static void add_value(void *user, const char *key, const char *value, enum kws_apply apply)
{
	(void)apply;
	json_object_set_new(user, key, json_string(value));
}

/* An object of one value or of all. */
static int call_get(void *user, const json_t *params, json_t **result, struct kws_error *error)
{
	const struct kws_methods *methods = user;
	const struct kws_config *config = methods->config(methods->user);
	const json_t *key = json_object_get(params, "key");
	char value[KWS_CONFIG_VALUE_SIZE];
	json_t *values = json_object();
	if (values == NULL) {
		return KWS_ENOMEM;
	}
	if (key == NULL) {
		kws_config_each(config, add_value, values);
		return give(values, result);
	}
	const char *name = json_string_value(key);
	if (kws_config_get(config, name, value, sizeof(value)) != 0) {
		json_decref(values);
		return kws_fail(error, KWS_ENOENT, "there is no key '%.64s'", name);
	}
	json_object_set_new(values, name, json_string(value));
	return give(values, result);
}

/* All values are taken over or none. */
static int set(const struct kws_methods *methods, const json_t *values, bool persist,
	struct kws_error *error)
{
	const char *unknown = kws_values_unknown(values);
	if (unknown != NULL) {
		return kws_fail(error, KWS_ENOENT, "there is no key '%.64s'", unknown);
	}
	const char *futile = persist ? NULL : kws_values_futile(values);
	if (futile != NULL) {
		return kws_fail(error, KWS_EUNSUPPORTED,
			"%.64s comes about with a restart of kwsd only: --persist writes it "
			"into the file",
			futile);
	}
	int code = methods->reload(methods->user, values, error);
	if (code == 0 && persist) {
		return methods->persist(methods->user, values, error);
	}
	return code;
}

static int call_set(void *user, const json_t *params, json_t **result, struct kws_error *error)
{
	const json_t *written = json_object_get(params, "values");
	json_t *values = NULL;
	(void)result;
	if (json_object_size(written) == 0) {
		return kws_fail(
			error, KWS_EINVAL, "set: 'values' must be {\"section.key\": value, ...}");
	}
	int code = kws_values_read(written, &values, error);
	if (code == 0) {
		code = set(user, values, json_is_true(json_object_get(params, "persist")), error);
	}
	json_decref(values);
	return code;
}

static int call_reload(void *user, const json_t *params, json_t **result, struct kws_error *error)
{
	const struct kws_methods *methods = user;
	(void)params;
	(void)result;
	return methods->reload(methods->user, NULL, error);
}

static int call_level(void *user, const json_t *params, json_t **result, struct kws_error *error)
{
	const struct kws_methods *methods = user;
	(void)params;
	(void)error;
	return give(methods->level(methods->user), result);
}

static int call_mute(void *user, const json_t *params, json_t **result, struct kws_error *error)
{
	const struct kws_methods *methods = user;
	const json_t *for_s = json_object_get(params, "for_s");
	double seconds = for_s == NULL ? 0.0 : json_number_value(for_s);
	(void)result;
	if (for_s != NULL && !(seconds >= 0.001 && seconds <= KWS_MUTE_SECONDS_MAX)) {
		return kws_fail(error, KWS_EINVAL,
			"mute: 'for_s' must be a number from 0.001 to %d", KWS_MUTE_SECONDS_MAX);
	}
	methods->mute(methods->user, (uint64_t)(seconds * 1000.0));
	return 0;
}

static int call_unmute(void *user, const json_t *params, json_t **result, struct kws_error *error)
{
	const struct kws_methods *methods = user;
	(void)params;
	(void)result;
	(void)error;
	methods->unmute(methods->user);
	return 0;
}

static int call_metrics(void *user, const json_t *params, json_t **result, struct kws_error *error)
{
	const struct kws_methods *methods = user;
	json_t *status = methods->status(methods->user);
	char *text = status != NULL ? kws_metrics_text(status) : NULL;
	(void)params;
	(void)error;
	json_decref(status);
	int code = give(text != NULL ? json_string(text) : NULL, result);
	free(text);
	return code;
}

static int call_models(void *user, const json_t *params, json_t **result, struct kws_error *error)
{
	const struct kws_methods *methods = user;
	(void)params;
	(void)error;
	return give(kws_models_list(&methods->config(methods->user)->model.path), result);
}

static int call_load_model(
	void *user, const json_t *params, json_t **result, struct kws_error *error)
{
	const struct kws_methods *methods = user;
	const json_t *wanted = json_object_get(params, "model");
	char value[KWS_CONFIG_VALUE_SIZE];
	(void)result;
	int code = kws_models_resolve(
		&methods->config(methods->user)->model.path, wanted, value, error);
	if (code != 0) {
		return code;
	}
	json_t *values = json_pack("{s:s}", "model.path", value);
	bool persist = json_is_true(json_object_get(params, "persist"));
	code = values != NULL ? set(methods, values, persist, error) : KWS_ENOMEM;
	json_decref(values);
	return code;
}

static const struct kws_rpc_param get_params[] = {
	{"key", KWS_RPC_STRING},
	{.name = NULL},
};

static const struct kws_rpc_param set_params[] = {
	{"values", KWS_RPC_OBJECT},
	{"persist", KWS_RPC_BOOLEAN},
	{.name = NULL},
};

static const struct kws_rpc_param load_model_params[] = {
	{"model", KWS_RPC_STRINGS},
	{"persist", KWS_RPC_BOOLEAN},
	{.name = NULL},
};

static const struct kws_rpc_param mute_params[] = {
	{"for_s", KWS_RPC_NUMBER},
	{.name = NULL},
};

const struct kws_rpc_method kws_method_table[] = {
	{"status", call_status, "what the daemon does now", NULL},
	{"get", call_get, "one setting (key) or all", get_params},
	{"set", call_set,
		"change settings (values) until the file is read again, or in the file too "
		"(persist)",
		set_params},
	{"reload", call_reload, "read the configuration file again", NULL},
	{"devices", call_devices, "the sound devices", NULL},
	{"level", call_level, "how loud it is", NULL},
	{"metrics", call_metrics, "the counters of status in Prometheus' text format", NULL},
	{"models", call_models, "the models in the folders of the current ones", NULL},
	{"load-model", call_load_model,
		"go over to other models (model) between two hops, in the file too (persist)",
		load_model_params},
	{"mute", call_mute, "throw the audio away, until unmute or for a time (for_s)",
		mute_params},
	{"unmute", call_unmute, "listen again", NULL},
	{NULL, NULL, NULL, NULL},
};
