/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/kwsctl-keys.h"

#include <stdio.h>
#include <stdlib.h>

#include "ipc/endpoint.h"
#include "ipc/keyring.h"

/* A wrong name or key is the user's; what the file system refuses is not. */
static enum kwsctl_status complain(int code, const struct kws_error *error)
{
	kwsctl_complain(error->text);
	return code == KWS_EFORMAT || code == KWS_EINVAL ? KWSCTL_USAGE : KWSCTL_REFUSED;
}

static const char *given_or_env(const char *given, const char *variable)
{
	const char *value = given != NULL ? given : getenv(variable);
	return value != NULL && value[0] != '\0' ? value : NULL;
}

enum kwsctl_status kwsctl_client_keys(const struct kwsctl_options *options, const char *endpoint,
	struct kws_curve_client *out, const struct kws_curve_client **keys)
{
	struct kws_error error;
	const char *key = given_or_env(options->key, "KWSCTL_KEY");
	const char *server_key = given_or_env(options->server_key, "KWSCTL_SERVER_KEY");
	*keys = NULL;
	if (key == NULL && server_key == NULL) {
		return KWSCTL_OK;
	}
	if (key == NULL || server_key == NULL) {
		kwsctl_complain("--key and --server-key belong together");
		return KWSCTL_USAGE;
	}
	if (kws_curve_client_read(out, key, server_key, &error) < 0) {
		kwsctl_complain(error.text);
		return KWSCTL_USAGE;
	}
	/* only those that were typed: the environment is there for other calls, too */
	if ((options->key != NULL || options->server_key != NULL) &&
		!kws_endpoint_is_tcp(endpoint)) {
		kws_keys_wipe(&out->own);
		kwsctl_complain("--key and --server-key are for a tcp:// endpoint: name it with "
				"--endpoint, or for monitor with --events");
		return KWSCTL_USAGE;
	}
	*keys = out;
	return KWSCTL_OK;
}

enum kwsctl_status kwsctl_keygen(const struct kwsctl_options *options, const char *path)
{
	struct kws_key_pair pair;
	struct kws_error error;
	int rc = kws_keys_make(&pair, &error);
	if (rc == 0) {
		rc = kws_keys_write(path, &pair, &error);
	}
	if (rc < 0) {
		kws_keys_wipe(&pair);
		return complain(rc, &error);
	}
	printf("%s.key  secret, for this machine only\n%s.pub  public\n%s\n", path, path,
		pair.public_key);
	if (options->show_secret) {
		printf("%s\n", pair.secret_key);
	}
	kws_keys_wipe(&pair);
	return kwsctl_finish_output();
}

static const char *keys_dir(const struct kwsctl_options *options)
{
	return options->keys != NULL ? options->keys : KWSCTL_DEFAULT_KEYS;
}

enum kwsctl_status kwsctl_authorize(
	const struct kwsctl_options *options, const char *name, const char *public_key)
{
	char key[KWS_KEY_SIZE];
	struct kws_error error;
	enum kws_right right = options->control ? KWS_RIGHT_CONTROL : KWS_RIGHT_EVENTS;
	int rc = kws_keys_read_public(public_key, key, &error);
	if (rc == KWS_ENOENT) {
		kwsctl_complain("neither a public key nor a file that has one");
		return KWSCTL_USAGE;
	}
	if (rc == 0) {
		rc = kws_keyring_change(keys_dir(options), name, key, right, &error);
	}
	if (rc < 0) {
		return complain(rc, &error);
	}
	printf("%s may now %s\n", name,
		options->control ? "read events and control kwsd" : "read events");
	return kwsctl_finish_output();
}

enum kwsctl_status kwsctl_revoke(const struct kwsctl_options *options, const char *name)
{
	struct kws_error error;
	int rc = kws_keyring_change(keys_dir(options), name, NULL, KWS_RIGHT_NONE, &error);
	if (rc < 0) {
		return complain(rc, &error);
	}
	printf("%s may no longer connect; a kwsd that runs takes it over within a second\n", name);
	return kwsctl_finish_output();
}
