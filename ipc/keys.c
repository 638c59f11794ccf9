/* SPDX-License-Identifier: Apache-2.0 */
#include "ipc/keys.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <zmq.h>

#include "ipc/file.h"

#define KEY_BYTES 32
#define FILE_MAX_BYTES 4096
#define PATH_BYTES 4096

/* Public keys whose secrets are printed in zmq_curve(7) and copied into many programs. */
static const char *const published_keys[] = {
	"rq:rM>}U?@Lns47E1%kR.o@n%FcmmsL/@{H8]yf7",
	"Yne@$w-vo<fVvi]a<NY6T1ed:M$fCG*[IaLV{hID",
};

int kws_keys_supported(struct kws_error *error)
{
	if (zmq_has("curve") == 1) {
		return 0;
	}
	return kws_fail(error, KWS_EUNSUPPORTED, "this libzmq was built without CURVE encryption");
}

/* libzmq's decoder takes characters outside its alphabet and sums above 32 bits on some versions;
 * encoding the result again shows both. */
static bool is_key(const char *text)
{
	static const char alphabet[] = "0123456789abcdefghijklmnopqrstuvwxyz"
				       "ABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!/*?&<>()[]{}@%$#";
	uint8_t bytes[KEY_BYTES];
	char again[KWS_KEY_SIZE];
	return strlen(text) == KWS_KEY_CHARS && strspn(text, alphabet) == KWS_KEY_CHARS &&
	       zmq_z85_decode(bytes, text) != NULL &&
	       zmq_z85_encode(again, bytes, sizeof(bytes)) != NULL && strcmp(again, text) == 0;
}

int kws_keys_check_public(const char *text, struct kws_error *error)
{
	if (!is_key(text)) {
		return kws_fail(
			error, KWS_EFORMAT, "a public key is %d characters of Z85", KWS_KEY_CHARS);
	}
	for (size_t i = 0; i < sizeof(published_keys) / sizeof(published_keys[0]); i++) {
		if (strcmp(text, published_keys[i]) == 0) {
			return kws_fail(error, KWS_EFORMAT,
				"this is a test key of zmq_curve(7), whose secret everybody knows");
		}
	}
	return 0;
}

int kws_keys_make(struct kws_key_pair *pair, struct kws_error *error)
{
	do {
		if (zmq_curve_keypair(pair->public_key, pair->secret_key) != 0) {
			return kws_keys_supported(error) < 0
				       ? KWS_EUNSUPPORTED
				       : kws_fail(error, KWS_EUNSUPPORTED, "no keys: %s",
						 zmq_strerror(zmq_errno()));
		}
	} while (pair->public_key[0] == '-');
	return 0;
}

/* `"VALUE"` or VALUE up to the end of the line into `out`; false if it has not the size of a key.
 */
static bool take_value(const char *value, const char *end, char out[KWS_KEY_SIZE])
{
	while (value < end && strchr(" \t\"'", *value) != NULL) {
		value++;
	}
	while (end > value && strchr(" \t\r\"'", end[-1]) != NULL) {
		end--;
	}
	if (end - value != KWS_KEY_CHARS) {
		return false;
	}
	memcpy(out, value, KWS_KEY_CHARS);
	out[KWS_KEY_CHARS] = '\0';
	return true;
}

/* NAME = VALUE where the line has that name; other lines are passed over. */
static bool read_line(const char *line, const char *end, const char *name, char out[KWS_KEY_SIZE])
{
	size_t length = strlen(name);
	while (line < end && (*line == ' ' || *line == '\t')) {
		line++;
	}
	if ((size_t)(end - line) < length || memcmp(line, name, length) != 0) {
		return true;
	}
	line += length;
	while (line < end && (*line == ' ' || *line == '\t')) {
		line++;
	}
	return line < end && *line == '=' && take_value(line + 1, end, out);
}

static int check_pair(const struct kws_key_pair *pair, struct kws_error *error)
{
	char derived[KWS_KEY_SIZE];
	if (pair->public_key[0] == '\0') {
		return kws_fail(error, KWS_EFORMAT, "there is no public-key");
	}
	int rc = kws_keys_check_public(pair->public_key, error);
	if (rc < 0 || pair->secret_key[0] == '\0') {
		return rc;
	}
	if (!is_key(pair->secret_key) || zmq_curve_public(derived, pair->secret_key) != 0) {
		rc = kws_keys_supported(error);
		return rc < 0 ? rc : kws_fail(error, KWS_EFORMAT, "the secret-key is none");
	}
	if (strcmp(derived, pair->public_key) != 0) {
		return kws_fail(
			error, KWS_EFORMAT, "the secret-key does not belong to the public-key");
	}
	return 0;
}

int kws_keys_parse(
	const char *text, size_t length, struct kws_key_pair *pair, struct kws_error *error)
{
	const char *stop = text + length;
	memset(pair, 0, sizeof(*pair));
	for (const char *line = text; line < stop;) {
		const char *end = memchr(line, '\n', (size_t)(stop - line));
		end = end != NULL ? end : stop;
		if (!read_line(line, end, "public-key", pair->public_key) ||
			!read_line(line, end, "secret-key", pair->secret_key)) {
			kws_keys_wipe(pair);
			return kws_fail(error, KWS_EFORMAT, "a key is \"%d characters\" of Z85",
				KWS_KEY_CHARS);
		}
		line = end + 1;
	}
	int rc = check_pair(pair, error);
	if (rc < 0) {
		kws_keys_wipe(pair);
	}
	return rc;
}

int kws_keys_read(const char *path, bool secret, struct kws_key_pair *pair, struct kws_error *error)
{
	char text[FILE_MAX_BYTES];
	size_t length;
	struct kws_error reason;
	int rc = kws__file_load(path, secret, text, sizeof(text), &length, &reason);
	if (rc == 0) {
		rc = kws_keys_parse(text, length, pair, &reason);
		explicit_bzero(text, sizeof(text));
	}
	if (rc == 0 && secret && pair->secret_key[0] == '\0') {
		rc = kws_fail(&reason, KWS_EFORMAT, "there is no secret-key");
	}
	return rc == 0 ? 0 : kws_fail(error, rc, "%.120s: %s", path, reason.text);
}

int kws_keys_read_public(const char *given, char out[KWS_KEY_SIZE], struct kws_error *error)
{
	struct kws_key_pair pair;
	if (is_key(given) && access(given, F_OK) != 0) {
		memcpy(out, given, KWS_KEY_SIZE);
		return kws_keys_check_public(given, error);
	}
	int rc = kws_keys_read(given, false, &pair, error);
	if (rc == 0) {
		memcpy(out, pair.public_key, KWS_KEY_SIZE);
		kws_keys_wipe(&pair);
	}
	return rc;
}

static int write_file(const char *path, mode_t mode, const char *head,
	const struct kws_key_pair *pair, bool secret, struct kws_error *error)
{
	char text[512];
	int length = snprintf(
		text, sizeof(text), "%scurve\n    public-key = \"%s\"\n", head, pair->public_key);
	if (secret) {
		length += snprintf(text + length, sizeof(text) - (size_t)length,
			"    secret-key = \"%s\"\n", pair->secret_key);
	}
	struct kws_error reason;
	int rc = kws__file_create(path, mode, text, (size_t)length, &reason);
	explicit_bzero(text, sizeof(text));
	return rc == 0 ? 0 : kws_fail(error, rc, "%.160s: %s", path, reason.text);
}

int kws_keys_write(const char *path, const struct kws_key_pair *pair, struct kws_error *error)
{
	char key_path[PATH_BYTES];
	char pub_path[PATH_BYTES];
	int length = snprintf(key_path, sizeof(key_path), "%s.key", path);
	snprintf(pub_path, sizeof(pub_path), "%s.pub", path);
	if (length < 0 || (size_t)length >= sizeof(key_path)) {
		return kws_fail(error, KWS_EIO, "%.60s...: the path is too long", path);
	}
	int rc = write_file(pub_path, 0644, "# a public CURVE key: for those who ask for it\n",
		pair, false, error);
	if (rc < 0) {
		return rc;
	}
	rc = write_file(key_path, 0600, "# a secret CURVE key: whoever reads it is you\n", pair,
		true, error);
	if (rc < 0) {
		remove(pub_path);
	}
	return rc;
}

void kws_keys_wipe(struct kws_key_pair *pair)
{
	explicit_bzero(pair, sizeof(*pair));
}
