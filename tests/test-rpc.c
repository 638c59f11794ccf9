/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <setjmp.h>

#include <cmocka.h>
#include <string.h>

#include "ipc/rpc.h"

static int calls;

static int method_echo(void *user, const json_t *params, json_t **result, struct kws_error *error)
{
	(void)user;
	(void)error;
	calls++;
	*result = json_deep_copy(params);
	return 0;
}

static int method_user(void *user, const json_t *params, json_t **result, struct kws_error *error)
{
	(void)params;
	(void)error;
	*result = json_string(user);
	return 0;
}

static int method_nothing(
	void *user, const json_t *params, json_t **result, struct kws_error *error)
{
	(void)user;
	(void)params;
	(void)result;
	(void)error;
	return 0;
}

/* Fails with the code in the parameters; a sentence only if there is one in them. */
static int method_fail(void *user, const json_t *params, json_t **result, struct kws_error *error)
{
	(void)user;
	int code = (int)json_integer_value(json_object_get(params, "code"));
	const char *sentence = json_string_value(json_object_get(params, "say"));
	*result = json_string("half a result");
	return sentence != NULL ? kws_fail(error, code, "%s", sentence) : code;
}

/* A sentence that is cut in the middle of a character. */
static int method_cut(void *user, const json_t *params, json_t **result, struct kws_error *error)
{
	(void)user;
	(void)params;
	(void)result;
	return kws_fail(error, KWS_EIO, "bad \xe2\x82");
}

static const struct kws_rpc_param echo_params[] = {
	{"a", KWS_RPC_NUMBER},
	{"list", KWS_RPC_STRINGS},
	{"yes", KWS_RPC_BOOLEAN},
	{"text", KWS_RPC_STRING},
	{"map", KWS_RPC_OBJECT},
	{.name = NULL},
};

static const struct kws_rpc_param fail_params[] = {
	{"code", KWS_RPC_NUMBER},
	{"say", KWS_RPC_STRING},
	{.name = NULL},
};

static const struct kws_rpc_method methods[] = {
	{"echo", method_echo, "gives the parameters back", echo_params},
	{"user", method_user, "gives the user pointer", NULL},
	{"nothing", method_nothing, "gives null", NULL},
	{"fail", method_fail, "fails", fail_params},
	{"cut", method_cut, "fails badly", NULL},
	{NULL, NULL, NULL, NULL},
};

static char *handle(const char *text)
{
	static char user[] = "me";
	return kws_rpc_handle(methods, user, text, strlen(text));
}

static void assert_answer(const char *request, const char *expected)
{
	char *answer = handle(request);
	assert_non_null(answer);
	assert_string_equal(answer, expected);
	free(answer);
}

static void assert_error(const char *request, int code, const char *id, const char *part)
{
	char prefix[80];
	char suffix[80];
	char *answer = handle(request);
	assert_non_null(answer);
	snprintf(prefix, sizeof(prefix),
		"{\"jsonrpc\":\"2.0\",\"error\":{\"code\":%d,\"message\":\"", code);
	snprintf(suffix, sizeof(suffix), "},\"id\":%s}", id);
	assert_memory_equal(answer, prefix, strlen(prefix));
	assert_true(strlen(answer) > strlen(suffix));
	assert_string_equal(answer + strlen(answer) - strlen(suffix), suffix);
	assert_non_null(strstr(answer, part));
	free(answer);
}

static void test_results(void **state)
{
	(void)state;
	assert_answer("{\"jsonrpc\":\"2.0\",\"method\":\"echo\",\"params\":{\"a\":0.1},\"id\":1}",
		"{\"jsonrpc\":\"2.0\",\"result\":{\"a\":0.1},\"id\":1}");
	assert_answer("{\"jsonrpc\":\"2.0\",\"method\":\"echo\",\"id\":\"x\"}",
		"{\"jsonrpc\":\"2.0\",\"result\":{},\"id\":\"x\"}");
	assert_answer("{\"id\":null,\"method\":\"user\",\"jsonrpc\":\"2.0\"}",
		"{\"jsonrpc\":\"2.0\",\"result\":\"me\",\"id\":null}");
	assert_answer("{\"jsonrpc\":\"2.0\",\"method\":\"nothing\",\"id\":-15}",
		"{\"jsonrpc\":\"2.0\",\"result\":null,\"id\":-15}");
	assert_answer("{\"jsonrpc\":\"2.0\",\"method\":\"help\",\"id\":2}",
		"{\"jsonrpc\":\"2.0\",\"result\":{\"echo\":\"gives the parameters back\","
		"\"user\":\"gives the user pointer\",\"nothing\":\"gives null\","
		"\"fail\":\"fails\",\"cut\":\"fails badly\"},\"id\":2}");
}

static void test_parse_errors(void **state)
{
	(void)state;
	assert_error("", -32700, "null", "");
	assert_error("{", -32700, "null", "");
	assert_error("nonsense", -32700, "null", "");
	assert_error("{\"jsonrpc\":\"2.0\"} x", -32700, "null", "end of file");
	assert_error("{\"jsonrpc\":\"2.0\",\"method\":\"\xff\",\"id\":1}", -32700, "null", "0xff");
	assert_error("{\"jsonrpc\":\"2.0\",\"method\":\"echo\",\"method\":\"user\",\"id\":1}",
		-32700, "null", "duplicate");
	assert_error(
		"{\"jsonrpc\":\"2.0\",\"method\":\"a\\u0000b\",\"id\":1}", -32700, "null", "u0000");
}

static void test_invalid_requests(void **state)
{
	(void)state;
	assert_error("1", -32600, "null", "object");
	assert_error("[]", -32600, "null", "batch");
	assert_error(
		"[{\"jsonrpc\":\"2.0\",\"method\":\"echo\",\"id\":1}]", -32600, "null", "batch");
	assert_error("{}", -32600, "null", "jsonrpc");
	assert_error("{\"method\":\"echo\",\"id\":7}", -32600, "7", "jsonrpc");
	assert_error("{\"jsonrpc\":\"1.0\",\"method\":\"echo\",\"id\":7}", -32600, "7", "jsonrpc");
	assert_error("{\"jsonrpc\":2.0,\"method\":\"echo\",\"id\":7}", -32600, "7", "jsonrpc");
	assert_error("{\"jsonrpc\":\"2.0\",\"id\":7}", -32600, "7", "method");
	assert_error("{\"jsonrpc\":\"2.0\",\"method\":3,\"id\":7}", -32600, "7", "method");
	int before = calls;
	assert_error("{\"jsonrpc\":\"2.0\",\"method\":\"echo\",\"param\":{},\"id\":7}", -32600, "7",
		"no members but");
	assert_error(
		"{\"jsonrpc\":\"2.0\",\"method\":\"echo\",\"params\":{},\"for_s\":1,\"id\":null}",
		-32600, "null", "no members but");
	assert_error("{\"jsonrpc\":\"2.0\",\"method\":\"echo\",\"for_s\":1}", -32600, "null",
		"no members but");
	assert_int_equal(calls, before);
	assert_error("{\"jsonrpc\":\"2.0\",\"method\":\"echo\",\"id\":{}}", -32600, "null", "id");
	assert_error("{\"jsonrpc\":\"2.0\",\"method\":\"echo\",\"id\":true}", -32600, "null", "id");
	assert_error("{\"jsonrpc\":\"2.0\",\"method\":\"echo\",\"id\":1.5}", -32600, "null", "id");
}

static void test_dispatch_errors(void **state)
{
	(void)state;
	assert_error("{\"jsonrpc\":\"2.0\",\"method\":\"no\",\"id\":1}", -32601, "1", "'no'");
	assert_error("{\"jsonrpc\":\"2.0\",\"method\":\"echo\",\"params\":[1],\"id\":1}", -32602,
		"1", "object");
	assert_error("{\"jsonrpc\":\"2.0\",\"method\":\"echo\",\"params\":null,\"id\":1}", -32602,
		"1", "object");
}

static void assert_params(const char *method, const char *params, const char *sentence)
{
	char request[400];
	int before = calls;
	snprintf(request, sizeof(request),
		"{\"jsonrpc\":\"2.0\",\"method\":\"%s\",\"params\":%s,\"id\":1}", method, params);
	assert_error(request, -32602, "1", sentence);
	assert_int_equal(calls, before);
}

static void test_parameters(void **state)
{
	(void)state;
	assert_params("echo", "{\"a\":1,\"b\":1}",
		"echo: there is no parameter 'b', only 'a', 'list', 'yes', 'text', 'map'");
	assert_params("user", "{\"b\":1}", "user: there is no parameter 'b', nor any other");
	assert_params("help", "{\"b\":1}", "help: there is no parameter 'b', nor any other");
	assert_params("echo", "{\"A\":1}", "no parameter 'A'");
	assert_params("echo", "{\"\":1}", "no parameter ''");
	assert_params("echo", "{\"a\":\"1\"}", "echo: 'a' must be a number");
	assert_params("echo", "{\"a\":null}", "'a' must be a number");
	assert_params("echo", "{\"yes\":1}", "'yes' must be a boolean");
	assert_params("echo", "{\"a\":1,\"text\":[]}", "'text' must be a string");
	assert_params("echo", "{\"map\":[]}", "'map' must be an object");
	assert_params("echo", "{\"list\":{}}", "'list' must be a string or an array of strings");
	assert_params("echo", "{\"list\":[\"a\",1]}", "a string or an array of strings");
	assert_answer("{\"jsonrpc\":\"2.0\",\"method\":\"echo\",\"params\":{\"a\":1,\"yes\":false,"
		      "\"list\":[\"x\"],\"text\":\"\",\"map\":{\"b\":null}},\"id\":1}",
		"{\"jsonrpc\":\"2.0\",\"result\":{\"a\":1,\"yes\":false,\"list\":[\"x\"],\"text\":"
		"\"\",\"map\":{\"b\":null}},\"id\":1}");
	assert_answer(
		"{\"jsonrpc\":\"2.0\",\"method\":\"echo\",\"params\":{\"list\":\"x\"},\"id\":1}",
		"{\"jsonrpc\":\"2.0\",\"result\":{\"list\":\"x\"},\"id\":1}");
	assert_answer("{\"jsonrpc\":\"2.0\",\"method\":\"nothing\",\"params\":{},\"id\":1}",
		"{\"jsonrpc\":\"2.0\",\"result\":null,\"id\":1}");
}

/* However long a name is, the answer is there. */
static void test_long_parameter(void **state)
{
	(void)state;
	char name[300];
	char request[512];
	memset(name, 'n', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	snprintf(request, sizeof(request),
		"{\"jsonrpc\":\"2.0\",\"method\":\"echo\",\"params\":{\"%s\":1},\"id\":1}", name);
	assert_error(request, -32602, "1", "nnn', only 'a'");
}

static void assert_failure(int code, const char *say, int rpc_code, const char *part)
{
	char request[200];
	snprintf(request, sizeof(request),
		"{\"jsonrpc\":\"2.0\",\"method\":\"fail\",\"params\":{\"code\":%d%s%s%s},\"id\":1}",
		code, say != NULL ? ",\"say\":\"" : "", say != NULL ? say : "",
		say != NULL ? "\"" : "");
	assert_error(request, rpc_code, "1", part);
}

static void test_application_errors(void **state)
{
	(void)state;
	assert_failure(KWS_ENOENT, "no such key", -32004, "no such key");
	assert_failure(KWS_EDEVICE, NULL, -32010, kws_strerror(KWS_EDEVICE));
	assert_failure(KWS_EINVAL, "too large", -32602, "too large");
	assert_failure(KWS_ENOMEM, NULL, -32603, "memory");
	assert_error("{\"jsonrpc\":\"2.0\",\"method\":\"cut\",\"id\":1}", -32003, "1", "bad ??");
}

static void test_notifications(void **state)
{
	(void)state;
	int before = calls;
	assert_null(handle("{\"jsonrpc\":\"2.0\",\"method\":\"echo\"}"));
	assert_int_equal(calls, before + 1);
	assert_null(handle("{\"jsonrpc\":\"2.0\",\"method\":\"no\"}"));
	assert_null(handle("{\"jsonrpc\":\"2.0\",\"method\":\"fail\",\"params\":{\"code\":-3}}"));
}

static void test_size_cap(void **state)
{
	(void)state;
	static char text[KWS_RPC_REQUEST_BYTES + 1];
	static const char request[] = "{\"jsonrpc\":\"2.0\",\"method\":\"nothing\",\"id\":1}";
	memset(text, ' ', sizeof(text));
	memcpy(text, request, strlen(request));
	char *answer = kws_rpc_handle(methods, NULL, text, KWS_RPC_REQUEST_BYTES);
	assert_non_null(strstr(answer, "\"result\""));
	free(answer);
	answer = kws_rpc_handle(methods, NULL, text, KWS_RPC_REQUEST_BYTES + 1);
	assert_non_null(strstr(answer, "too large"));
	free(answer);
}

static void test_depth(void **state)
{
	(void)state;
	static char text[KWS_RPC_REQUEST_BYTES];
	memset(text, '[', sizeof(text));
	char *answer = kws_rpc_handle(methods, NULL, text, sizeof(text));
	assert_non_null(strstr(answer, "-32700"));
	assert_non_null(strstr(answer, "depth"));
	free(answer);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_results),
		cmocka_unit_test(test_parse_errors),
		cmocka_unit_test(test_invalid_requests),
		cmocka_unit_test(test_dispatch_errors),
		cmocka_unit_test(test_parameters),
		cmocka_unit_test(test_long_parameter),
		cmocka_unit_test(test_application_errors),
		cmocka_unit_test(test_notifications),
		cmocka_unit_test(test_size_cap),
		cmocka_unit_test(test_depth),
	};
	return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
