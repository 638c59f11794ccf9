/* SPDX-License-Identifier: Apache-2.0 */
#include "ipc/rpc.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/json.h"
#include "ipc/text.h"

/* A request that was looked at; everything is borrowed from the parsed text. */
struct request {
	const char *method;
	json_t *params; /* NULL: none given */
	json_t *id;     /* NULL: a notification */
};

/* Takes `payload`, borrows `id` (NULL is null). `key` is "result" or "error". */
static char *answer(json_t *id, const char *key, json_t *payload)
{
	json_t *object = json_object();
	json_object_set_new(object, "jsonrpc", json_string("2.0"));
	json_object_set_new(object, key, payload);
	json_object_set_new(object, "id", id != NULL ? json_incref(id) : json_null());
	/* whatever failed for want of memory left a member out */
	char *text = json_object_size(object) == 3 ? kws_text_dump(object) : NULL;
	json_decref(object);
	return text;
}

static char *answer_error(json_t *id, int code, const char *sentence)
{
	json_t *object = json_object();
	json_object_set_new(object, "code", json_integer(code));
	json_object_set_new(object, "message", kws_text_json(sentence));
	return answer(id, "error", object);
}

/* NULL if the request is well-formed, otherwise what is wrong with it. */
static const char *read_request(const json_t *root, struct request *request)
{
	const char *version = json_string_value(json_object_get(root, "jsonrpc"));
	json_t *id = json_object_get(root, "id");
	if (json_is_array(root)) {
		return "batch requests are not supported";
	}
	if (!json_is_object(root)) {
		return "a request is a JSON object";
	}
	if (id != NULL && !json_is_string(id) && !json_is_integer(id) && !json_is_null(id)) {
		return "'id' must be a string, an integer or null";
	}
	request->id = id;
	if (version == NULL || strcmp(version, "2.0") != 0) {
		return "'jsonrpc' must be \"2.0\"";
	}
	request->method = json_string_value(json_object_get(root, "method"));
	if (request->method == NULL) {
		return "'method' must be a string";
	}
	request->params = json_object_get(root, "params");
	if (json_object_size(root) != 2U + (request->params != NULL) + (id != NULL)) {
		return "a request has no members but 'jsonrpc', 'method', 'params' and 'id'";
	}
	return NULL;
}

static bool is_strings(const json_t *value)
{
	size_t i;
	const json_t *item;
	json_array_foreach (value, i, item) {
		if (!json_is_string(item)) {
			return false;
		}
	}
	return json_is_string(value) || json_is_array(value);
}

/* NULL if the value is of that type, otherwise what it must be. */
static const char *check_type(enum kws_rpc_type type, const json_t *value)
{
	switch (type) {
	case KWS_RPC_BOOLEAN:
		return json_is_boolean(value) ? NULL : "a boolean";
	case KWS_RPC_NUMBER:
		return json_is_number(value) ? NULL : "a number";
	case KWS_RPC_OBJECT:
		return json_is_object(value) ? NULL : "an object";
	case KWS_RPC_STRING:
		return json_is_string(value) ? NULL : "a string";
	case KWS_RPC_STRINGS:
		return is_strings(value) ? NULL : "a string or an array of strings";
	}
	return "of a known type";
}

static const struct kws_rpc_param *find_param(const struct kws_rpc_param *params, const char *name)
{
	for (; params != NULL && params->name != NULL; params++) {
		if (strcmp(params->name, name) == 0) {
			return params;
		}
	}
	return NULL;
}

static int fail_unknown(const char *method, const struct kws_rpc_param *known, const char *name,
	struct kws_error *error)
{
	char names[128] = "";
	for (; known != NULL && known->name != NULL; known++) {
		size_t used = strlen(names);
		snprintf(names + used, sizeof(names) - used, "%s'%s'", used > 0 ? ", " : "",
			known->name);
	}
	return kws_fail(error, KWS_EINVAL, "%.32s: there is no parameter '%.64s', %s%s", method,
		name, names[0] != '\0' ? "only " : "nor any other", names);
}

/* `params` may be NULL; so may `known`, which is of `method`. */
static int check_params(const char *method, const struct kws_rpc_param *known, json_t *params,
	struct kws_error *error)
{
	const char *name;
	json_t *value;
	json_object_foreach (params, name, value) {
		const struct kws_rpc_param *param = find_param(known, name);
		if (param == NULL) {
			return fail_unknown(method, known, name, error);
		}
		const char *wanted = check_type(param->type, value);
		if (wanted != NULL) {
			return kws_fail(
				error, KWS_EINVAL, "%.32s: '%s' must be %s", method, name, wanted);
		}
	}
	return 0;
}

static json_t *list_methods(const struct kws_rpc_method *methods)
{
	json_t *list = json_object();
	for (; methods->name != NULL; methods++) {
		json_object_set_new(list, methods->name, json_string(methods->help));
	}
	return list;
}

/* Takes `result`, for which memory has lacked if `lacks` is not the number of now: nobody takes a
 * part of it for the whole. */
static char *answer_whole(json_t *id, json_t *result, size_t lacks)
{
	if (kws_json_lacks() != lacks) {
		json_decref(result);
		return NULL;
	}
	return answer(id, "result", result);
}

static const struct kws_rpc_method *find_method(
	const struct kws_rpc_method *methods, const char *name)
{
	for (; methods->name != NULL; methods++) {
		if (strcmp(methods->name, name) == 0) {
			return methods;
		}
	}
	return NULL;
}

static char *answer_failure(json_t *id, int code, const struct kws_error *error)
{
	int rpc_code = KWS_RPC_APPLICATION_ERROR + code;
	if (code == KWS_EINVAL) {
		rpc_code = KWS_RPC_INVALID_PARAMS;
	} else if (code == KWS_ENOMEM) {
		rpc_code = KWS_RPC_INTERNAL_ERROR;
	}
	return answer_error(
		id, rpc_code, error->text[0] != '\0' ? error->text : kws_strerror(code));
}

static char *call_method(
	const struct kws_rpc_method *method, void *user, const struct request *request)
{
	struct kws_error error = {.text = ""};
	json_t *result = NULL;
	json_t *params = request->params != NULL ? json_incref(request->params) : json_object();
	size_t lacks = kws_json_lacks();
	int rc = method->call(user, params, &result, &error);
	json_decref(params);
	if (rc < 0) {
		json_decref(result);
		return answer_failure(request->id, rc, &error);
	}
	return result != NULL ? answer_whole(request->id, result, lacks)
			      : answer(request->id, "result", json_null());
}

static char *dispatch(
	const struct kws_rpc_method *methods, void *user, const struct request *request)
{
	static const struct kws_rpc_method help = {.name = "help"};
	const struct kws_rpc_method *method = find_method(methods, request->method);
	struct kws_error error;
	if (method == NULL && strcmp(request->method, help.name) == 0) {
		method = &help;
	}
	if (method == NULL) {
		kws_fail(&error, KWS_ENOENT, "there is no method '%.64s'", request->method);
		return answer_error(request->id, KWS_RPC_METHOD_NOT_FOUND, error.text);
	}
	if (request->params != NULL && !json_is_object(request->params)) {
		return answer_error(
			request->id, KWS_RPC_INVALID_PARAMS, "'params' must be an object");
	}
	if (check_params(method->name, method->params, request->params, &error) != 0) {
		return answer_error(request->id, KWS_RPC_INVALID_PARAMS, error.text);
	}
	if (method == &help) {
		size_t lacks = kws_json_lacks();
		return answer_whole(request->id, list_methods(methods), lacks);
	}
	return call_method(method, user, request);
}

char *kws_rpc_handle(
	const struct kws_rpc_method *methods, void *user, const char *text, size_t length)
{
	json_t *root;
	struct kws_error error;
	struct request request = {.id = NULL};
	if (length > KWS_RPC_REQUEST_BYTES) {
		return answer_error(NULL, KWS_RPC_PARSE_ERROR, "the request is too large");
	}
	int rc = kws_json_load(
		&root, NULL, text, length, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &error);
	if (rc < 0) {
		return answer_error(NULL,
			rc == KWS_ENOMEM ? KWS_RPC_INTERNAL_ERROR : KWS_RPC_PARSE_ERROR,
			error.text);
	}
	char *reply;
	const char *wrong = read_request(root, &request);
	if (wrong != NULL) {
		reply = answer_error(request.id, KWS_RPC_INVALID_REQUEST, wrong);
	} else {
		reply = dispatch(methods, user, &request);
		if (request.id == NULL) {
			free(reply);
			reply = NULL;
		} else if (reply == NULL) { /* there may be memory for less */
			reply = answer_error(
				request.id, KWS_RPC_INTERNAL_ERROR, kws_strerror(KWS_ENOMEM));
		}
	}
	json_decref(root);
	return reply;
}
