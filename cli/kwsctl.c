/* SPDX-License-Identifier: Apache-2.0 */
/* kwsctl: talks to a running kwsd. */
#include "cli/kwsctl.h"

#include <jansson.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "cli/kwsctl-keys.h"
#include "cli/kwsctl-monitor.h"
#include "cli/kwsctl-options.h"
#include "cli/kwsctl-print.h"
#include "cli/terminal.h"
#include "common/file.h"
#include "ipc/client.h"
#include "ipc/endpoint.h"
#include "ipc/runtime.h"

#define DEFAULT_TIMEOUT_MS 2000

void kwsctl_complain(const char *sentence)
{
	fputs("kwsctl: ", stderr);
	kws_terminal_text(stderr, sentence);
	fputc('\n', stderr);
}

enum kwsctl_status kwsctl_finish_output(void)
{
	struct kws_error error;
	if (kws_file_flush(stdout, &error) == 0) {
		return KWSCTL_OK;
	}
	kwsctl_complain(error.text);
	return KWSCTL_REFUSED;
}

const char *kwsctl_endpoint(const char *given, const char *name, char *out)
{
	char dir[KWS_RUNTIME_PATH_BYTES];
	struct kws_error error;
	if (given != NULL) {
		return given;
	}
	if (kws_runtime_find(name, dir, sizeof(dir), &error) < 0 ||
		kws_endpoint_default(dir, name, out, KWS_ENDPOINT_BYTES, &error) < 0) {
		kwsctl_complain(error.text);
		return NULL;
	}
	return out;
}

enum kwsctl_status kwsctl_connect_status(int code)
{
	return code == KWS_EINVAL || code == KWS_EUNSUPPORTED ? KWSCTL_USAGE : KWSCTL_UNREACHABLE;
}

/* Takes `params`. On success `*result` belongs to the caller. */
static enum kwsctl_status call(
	const struct kwsctl_options *options, const char *method, json_t *params, json_t **result)
{
	char buffer[KWS_ENDPOINT_BYTES];
	struct kws_error error;
	struct kws_client *client;
	struct kws_curve_client own;
	const struct kws_curve_client *keys;
	enum kwsctl_status status;
	const char *endpoint = kwsctl_endpoint(options->endpoint, KWS_ENDPOINT_CONTROL, buffer);
	if (endpoint == NULL) {
		json_decref(params);
		return KWSCTL_USAGE;
	}
	status = kwsctl_client_keys(options, endpoint, &own, &keys);
	if (status != KWSCTL_OK) {
		json_decref(params);
		return status;
	}
	int rc = kws_client_create(&client, endpoint, keys, &error);
	kws_keys_wipe(&own.own);
	if (rc < 0) {
		status = kwsctl_connect_status(rc);
	} else {
		rc = kws_client_call(client, method, params, options->timeout_ms, result, &error);
		if (rc < 0) {
			status = rc == KWS_ETIMEOUT || rc == KWS_EPERM ? KWSCTL_UNREACHABLE
								       : KWSCTL_REFUSED;
		}
		kws_client_destroy(client);
	}
	json_decref(params);
	if (status != KWSCTL_OK) {
		kwsctl_complain(error.text);
	}
	return status;
}

/* Takes `result`. */
static enum kwsctl_status print_result(const struct kwsctl_options *options, json_t *result)
{
	int rc = 0;
	if (options->json) {
		rc = kwsctl_print_json(stdout, result);
	} else {
		kwsctl_print_value(stdout, result);
	}
	json_decref(result);
	if (rc < 0) {
		kwsctl_complain("cannot write the output");
		return KWSCTL_REFUSED;
	}
	return kwsctl_finish_output();
}

/* Takes `params`; the method has the command's name. */
static enum kwsctl_status call_and_print(
	const struct kwsctl_command *command, const struct kwsctl_options *options, json_t *params)
{
	json_t *result;
	enum kwsctl_status status = call(options, command->name, params, &result);
	return status == KWSCTL_OK ? print_result(options, result) : status;
}

/* The commands without parameters. */
static enum kwsctl_status run_plain(const struct kwsctl_command *command,
	const struct kwsctl_options *options, int count, char **args)
{
	(void)count;
	(void)args;
	return call_and_print(command, options, NULL);
}

/* After the daemon's refusal, which says of this spelling only that there is no such key. */
static void hint_at_keyword(const char *key)
{
	if (strncmp(key, "keyword.", strlen("keyword.")) == 0) {
		kwsctl_complain("a keyword's name stands behind a space: 'keyword NAME.threshold'");
	}
}

static enum kwsctl_status run_get(const struct kwsctl_command *command,
	const struct kwsctl_options *options, int count, char **args)
{
	json_t *result;
	json_t *params = count > 0 ? json_pack("{s:s}", "key", args[0]) : NULL;
	if (count > 0 && params == NULL) {
		kwsctl_complain("the key is not UTF-8");
		return KWSCTL_USAGE;
	}
	enum kwsctl_status status = call(options, command->name, params, &result);
	if (status != KWSCTL_OK) {
		if (status == KWSCTL_REFUSED && count > 0) {
			hint_at_keyword(args[0]);
		}
		return status;
	}
	/* {"section.key": value} prints as the value alone, which is what a script wants */
	json_t *value = count > 0 ? json_object_get(result, args[0]) : NULL;
	if (value != NULL) {
		json_incref(value);
		json_decref(result);
		result = value;
	}
	return print_result(options, result);
}

static enum kwsctl_status run_set(const struct kwsctl_command *command,
	const struct kwsctl_options *options, int count, char **args)
{
	if (count % 2 != 0) {
		char sentence[256];
		snprintf(sentence, sizeof(sentence),
			"set: no value behind the key '%.100s'; one with a space in it is quoted",
			args[count - 1]);
		kwsctl_complain(sentence);
		return KWSCTL_USAGE;
	}
	json_t *values = json_object();
	for (int i = 0; i < count; i += 2) {
		if (json_object_set_new(values, args[i], json_string(args[i + 1])) != 0) {
			kwsctl_complain("set: a key or a value is not UTF-8");
			json_decref(values);
			return KWSCTL_USAGE;
		}
	}
	json_t *params = json_pack("{s:o, s:b}", "values", values, "persist", options->persist);
	enum kwsctl_status status = call_and_print(command, options, params);
	for (int i = 0; i < count && status == KWSCTL_REFUSED; i += 2) {
		hint_at_keyword(args[i]);
	}
	return status;
}

static enum kwsctl_status run_load_model(const struct kwsctl_command *command,
	const struct kwsctl_options *options, int count, char **args)
{
	json_t *models = json_array();
	for (int i = 0; i < count; i++) {
		if (json_array_append_new(models, json_string(args[i])) != 0) {
			kwsctl_complain("a name is not UTF-8");
			json_decref(models);
			return KWSCTL_USAGE;
		}
	}
	json_t *params = json_pack("{s:o, s:b}", "model", models, "persist", options->persist);
	return call_and_print(command, options, params);
}

/* The text as it is, for a scraper. */
static enum kwsctl_status run_metrics(const struct kwsctl_command *command,
	const struct kwsctl_options *options, int count, char **args)
{
	(void)count;
	(void)args;
	json_t *result;
	if (options->json) {
		return call_and_print(command, options, NULL);
	}
	enum kwsctl_status status = call(options, command->name, NULL, &result);
	if (status != KWSCTL_OK) {
		return status;
	}
	kws_terminal_lines(stdout, json_string_value(result));
	json_decref(result);
	return kwsctl_finish_output();
}

static enum kwsctl_status run_mute(const struct kwsctl_command *command,
	const struct kwsctl_options *options, int count, char **args)
{
	(void)count;
	(void)args;
	int seconds;
	enum kwsctl_status status = kwsctl_options_number(
		"--for", options->for_text, "seconds", KWS_MUTE_SECONDS_MAX, &seconds);
	if (status != KWSCTL_OK) {
		return status;
	}
	json_t *params = seconds > 0 ? json_pack("{s:i}", "for_s", seconds) : NULL;
	return call_and_print(command, options, params);
}

static enum kwsctl_status run_monitor(const struct kwsctl_command *command,
	const struct kwsctl_options *options, int count, char **args)
{
	(void)command;
	return kwsctl_monitor(options, count, args);
}

static enum kwsctl_status run_keygen(const struct kwsctl_command *command,
	const struct kwsctl_options *options, int count, char **args)
{
	(void)command;
	(void)count;
	return kwsctl_keygen(options, args[0]);
}

static enum kwsctl_status run_authorize(const struct kwsctl_command *command,
	const struct kwsctl_options *options, int count, char **args)
{
	(void)command;
	(void)count;
	return kwsctl_authorize(options, args[0], args[1]);
}

static enum kwsctl_status run_revoke(const struct kwsctl_command *command,
	const struct kwsctl_options *options, int count, char **args)
{
	(void)command;
	(void)count;
	return kwsctl_revoke(options, args[0]);
}

#define CALL KWSCTL_CALL_OPTIONS

/* The letters are those of kwsctl-options.c. */
static const struct kwsctl_command commands[] = {
	{"status", 0, 0, 1, CALL, run_plain},
	{"monitor", 0, INT_MAX, 1, "EkKjsnf", run_monitor},
	{"get", 0, 1, 1, CALL, run_get},
	{"set", 2, INT_MAX, 2, CALL "p", run_set},
	{"reload", 0, 0, 1, CALL, run_plain},
	{"devices", 0, 0, 1, CALL, run_plain},
	{"level", 0, 0, 1, CALL, run_plain},
	{"metrics", 0, 0, 1, CALL, run_metrics},
	{"models", 0, 0, 1, CALL, run_plain},
	{"load-model", 1, INT_MAX, 1, CALL "p", run_load_model},
	{"mute", 0, 0, 1, CALL "f", run_mute},
	{"unmute", 0, 0, 1, CALL, run_plain},
	{"keygen", 1, 1, 1, "S", run_keygen},
	{"authorize", 2, 2, 2, "cd", run_authorize},
	{"revoke", 1, 1, 1, "d", run_revoke},
	{NULL, 0, 0, 0, NULL, NULL},
};

int main(int argc, char **argv)
{
	kws_file_hold_standard();
	struct kwsctl_options options = {.timeout_ms = DEFAULT_TIMEOUT_MS};
	const struct kwsctl_command *command;
	int count;
	enum kwsctl_status status =
		kwsctl_options_read(argc, argv, commands, &options, &command, &count);
	return status == KWSCTL_OK ? command->run(command, &options, count, argv + 1) : status;
}
