/* SPDX-License-Identifier: Apache-2.0 */
#include "ipc/keyring.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "ipc/file.h"

#define FILE_MAX_BYTES 65536
#define PATH_BYTES 4096
#define LINE_BYTES 256

static const char *const right_names[] = {
	[KWS_RIGHT_EVENTS] = "events",
	[KWS_RIGHT_CONTROL] = "control",
};

static int check_name(const char *name, struct kws_error *error)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyz"
				      "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
	size_t length = strlen(name);
	if (length == 0 || length >= KWS_KEYRING_NAME_SIZE || strspn(name, allowed) != length) {
		return kws_fail(error, KWS_EFORMAT,
			"a client's name is 1 to %d of A-Z, a-z, 0-9, '.', '_' and '-'",
			KWS_KEYRING_NAME_SIZE - 1);
	}
	return 0;
}

static struct kws_authorized *find_name(struct kws_keyring *ring, const char *name)
{
	for (size_t i = 0; i < ring->count; i++) {
		if (strcmp(ring->clients[i].name, name) == 0) {
			return &ring->clients[i];
		}
	}
	return NULL;
}

const struct kws_authorized *kws_keyring_find(
	const struct kws_keyring *ring, const char *public_key)
{
	for (size_t i = 0; i < ring->count; i++) {
		if (strcmp(ring->clients[i].public_key, public_key) == 0) {
			return &ring->clients[i];
		}
	}
	return NULL;
}

static int check_client(const char *name, const char *public_key, struct kws_error *error)
{
	int rc = check_name(name, error);
	return rc < 0 ? rc : kws_keys_check_public(public_key, error);
}

int kws_keyring_add(struct kws_keyring *ring, const char *name, const char *public_key,
	enum kws_right right, struct kws_error *error)
{
	int rc = check_client(name, public_key, error);
	if (rc < 0) {
		return rc;
	}
	struct kws_authorized *same = find_name(ring, name);
	const struct kws_authorized *holder = kws_keyring_find(ring, public_key);
	if (holder != same) {
		return kws_fail(error, KWS_EBUSY, "%s has %s already: revoke it first",
			same != NULL ? name : holder->name,
			same != NULL ? "another key" : "this key");
	}
	if (same == NULL && ring->count == KWS_KEYRING_MAX) {
		return kws_fail(error, KWS_EBUSY, "there are %d clients already", KWS_KEYRING_MAX);
	}
	struct kws_authorized *client = same != NULL ? same : &ring->clients[ring->count++];
	snprintf(client->name, sizeof(client->name), "%s", name);
	memcpy(client->public_key, public_key, KWS_KEY_SIZE);
	client->right = right;
	return 0;
}

int kws_keyring_remove(struct kws_keyring *ring, const char *name, struct kws_error *error)
{
	struct kws_authorized *client = find_name(ring, name);
	if (client == NULL) {
		return kws_fail(error, KWS_ENOENT, "there is no client '%.64s'", name);
	}
	size_t after = (size_t)(&ring->clients[ring->count] - (client + 1));
	memmove(client, client + 1, after * sizeof(*client));
	ring->count--;
	return 0;
}

static enum kws_right find_right(const char *name)
{
	for (int right = KWS_RIGHT_EVENTS; right <= KWS_RIGHT_CONTROL; right++) {
		if (name != NULL && strcmp(name, right_names[right]) == 0) {
			return (enum kws_right)right;
		}
	}
	return KWS_RIGHT_NONE;
}

/* NAME KEY RIGHT. Each may stand only once, unlike with kws_keyring_add(). */
static int parse_client(struct kws_keyring *ring, char *line, struct kws_error *error)
{
	char *rest = NULL;
	const char *name = strtok_r(line, " \t\r", &rest);
	if (name == NULL || name[0] == '#') {
		return 0;
	}
	const char *key = strtok_r(NULL, " \t\r", &rest);
	enum kws_right right = find_right(strtok_r(NULL, " \t\r", &rest));
	if (key == NULL || right == KWS_RIGHT_NONE || strtok_r(NULL, " \t\r", &rest) != NULL) {
		return kws_fail(error, KWS_EFORMAT,
			"expected a name, a public key, and 'events' or 'control'");
	}
	if (find_name(ring, name) != NULL) {
		return kws_fail(error, KWS_EFORMAT, "%.64s stands there twice", name);
	}
	return kws_keyring_add(ring, name, key, right, error) < 0 ? KWS_EFORMAT : 0;
}

int kws_keyring_parse(
	struct kws_keyring *ring, const char *text, size_t length, struct kws_error *error)
{
	const char *stop = text + length;
	struct kws_error reason;
	int number = 0;
	ring->count = 0;
	for (const char *start = text; start < stop;) {
		char line[LINE_BYTES];
		const char *end = memchr(start, '\n', (size_t)(stop - start));
		size_t bytes = (size_t)((end != NULL ? end : stop) - start);
		int rc;
		number++;
		if (bytes >= sizeof(line) || memchr(start, '\0', bytes) != NULL) {
			rc = kws_fail(&reason, KWS_EFORMAT, "too long or no text");
		} else {
			memcpy(line, start, bytes);
			line[bytes] = '\0';
			rc = parse_client(ring, line, &reason);
		}
		if (rc < 0) {
			return kws_fail(error, rc, "line %d: %s", number, reason.text);
		}
		start += bytes + 1;
	}
	return 0;
}

static void make_path(char path[PATH_BYTES], const char *keys_dir)
{
	snprintf(path, PATH_BYTES, "%s/" KWS_KEYRING_FILE, keys_dir);
}

/* The text of the file, which the caller frees, parsed into `ring`. */
static int load(struct kws_keyring *ring, const char *path, char **text, size_t *length,
	struct kws_error *error)
{
	struct kws_error reason;
	*text = malloc(FILE_MAX_BYTES);
	if (*text == NULL) {
		return kws_fail(error, KWS_ENOMEM, "out of memory");
	}
	int rc = kws__file_load(path, false, *text, FILE_MAX_BYTES, length, &reason);
	if (rc == KWS_ENOENT) {
		*length = 0;
		rc = 0;
	}
	if (rc == 0) {
		rc = kws_keyring_parse(ring, *text, *length, &reason);
	}
	if (rc < 0) {
		free(*text);
		return kws_fail(error, rc, "%.120s: %s", path, reason.text);
	}
	return 0;
}

int kws_keyring_load(struct kws_keyring *ring, const char *keys_dir, struct kws_error *error)
{
	char path[PATH_BYTES];
	char *text;
	size_t length;
	make_path(path, keys_dir);
	int rc = load(ring, path, &text, &length, error);
	if (rc == 0) {
		free(text);
	}
	return rc;
}

static bool line_has_name(const char *line, size_t bytes, const char *name)
{
	size_t length = strlen(name);
	while (bytes > 0 && (*line == ' ' || *line == '\t')) {
		line++;
		bytes--;
	}
	return bytes > length && memcmp(line, name, length) == 0 &&
	       (line[length] == ' ' || line[length] == '\t');
}

/* Copies all lines but those of the client; `out` holds length + 1 bytes. Returns the bytes. */
static size_t copy_others(char *out, const char *text, size_t length, const char *name)
{
	const char *stop = text + length;
	size_t used = 0;
	for (const char *line = text; line < stop;) {
		const char *end = memchr(line, '\n', (size_t)(stop - line));
		size_t bytes = (size_t)((end != NULL ? end : stop) - line);
		if (!line_has_name(line, bytes, name)) {
			memcpy(out + used, line, bytes);
			used += bytes;
			out[used++] = '\n';
		}
		line += bytes + 1;
	}
	return used;
}

static int write_changed(const char *path, const char *text, size_t length, const char *name,
	const char *public_key, enum kws_right right, struct kws_error *error)
{
	char line[LINE_BYTES] = "";
	if (right != KWS_RIGHT_NONE) {
		snprintf(line, sizeof(line), "%s  %s  %s\n", name, public_key, right_names[right]);
	}
	char *changed = malloc(length + 1 + sizeof(line));
	if (changed == NULL) {
		return kws_fail(error, KWS_ENOMEM, "out of memory");
	}
	size_t used = copy_others(changed, text, length, name);
	memcpy(changed + used, line, strlen(line));
	struct kws_error reason;
	int rc = kws__file_replace(path, 0644, changed, used + strlen(line), &reason);
	free(changed);
	return rc == 0 ? 0 : kws_fail(error, rc, "%.160s: %s", path, reason.text);
}

/* The directory, because the file itself is replaced: who waited for the old one would hold the
 * lock of a file that is gone. close() unlocks. Returns the descriptor. */
static int lock_dir(const char *keys_dir, struct kws_error *error)
{
	int fd = open(keys_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 || flock(fd, LOCK_EX) != 0) {
		kws_fail(error, KWS_EIO, "cannot lock %.160s: %s", keys_dir, strerror(errno));
		if (fd >= 0) {
			close(fd);
		}
		return KWS_EIO;
	}
	return fd;
}

static int change_locked(const char *keys_dir, const char *name, const char *public_key,
	enum kws_right right, struct kws_error *error)
{
	struct kws_keyring ring;
	char path[PATH_BYTES];
	char *text;
	size_t length;
	make_path(path, keys_dir);
	int rc = load(&ring, path, &text, &length, error);
	if (rc < 0) {
		return rc;
	}
	rc = right == KWS_RIGHT_NONE ? kws_keyring_remove(&ring, name, error)
				     : kws_keyring_add(&ring, name, public_key, right, error);
	if (rc == 0) {
		rc = write_changed(path, text, length, name, public_key, right, error);
	}
	free(text);
	return rc;
}

int kws_keyring_change(const char *keys_dir, const char *name, const char *public_key,
	enum kws_right right, struct kws_error *error)
{
	int lock = lock_dir(keys_dir, error);
	if (lock < 0) {
		return lock;
	}
	int rc = change_locked(keys_dir, name, public_key, right, error);
	close(lock);
	return rc;
}

bool kws_keyring_takes_away(const struct kws_keyring *before, const struct kws_keyring *after)
{
	for (size_t i = 0; i < before->count; i++) {
		const struct kws_authorized *had = &before->clients[i];
		const struct kws_authorized *has = kws_keyring_find(after, had->public_key);
		if (has == NULL || has->right < had->right) {
			return true;
		}
	}
	return false;
}
