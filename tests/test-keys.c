/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <zmq.h>

#include "ipc/curve.h"
#include "ipc/keyring.h"
#include "ipc/keys.h"
#include "tests/scratch.h"

/* zmq_curve(7) */
#define PUBLISHED_PUBLIC "Yne@$w-vo<fVvi]a<NY6T1ed:M$fCG*[IaLV{hID"
#define PUBLISHED_SECRET "D:)Q[IlAW!ahhC2ac:9*A}h:p?([4%wOTJ%JR%cs"

/* made for this test */
#define PUBLIC "+]}tIrH*I#kG0Wuh^L.RiRj^jZZd9%hQCru/C+Xl"
#define SECRET "UD)x}.t)$5I-/F>L-d*GSx6[hw)VLl6B!o&<ok/z"
#define OTHER_PUBLIC "T.qctViZ[:!hjOxQby%OVTwW&Jm#r:P:l3cSbQ3b"

#define BOTH "curve\n    public-key = \"" PUBLIC "\"\n    secret-key = \"" SECRET "\"\n"

static int setup(void **state)
{
	char *dir = malloc(SCRATCH_BYTES);
	*state = dir;
	return dir != NULL ? scratch_create(dir) : -1;
}

static int teardown(void **state)
{
	scratch_remove(*state);
	free(*state);
	return 0;
}

static void test_parse_keys(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		const char *problem; /* NULL: it is good */
	} cases[] = {
		{BOTH, NULL},
		{"public-key=" PUBLIC, NULL},
		{"# c\r\n\r\nmetadata\r\n  name = \"x\"\r\ncurve\r\n\tpublic-key = '" PUBLIC
		 "'\r\n",
			NULL},
		{"", "no public-key"},
		{"curve\n", "no public-key"},
		{"secret-key = \"" SECRET "\"\n", "no public-key"},
		{"public-key = \"\"\n", "40 characters"},
		{"public-key\n", "40 characters"},
		{"public-key = \"" PUBLIC "x\"\n", "40 characters"},
		{"public-key = \"~" OTHER_PUBLIC, "40 characters"},
		{"public-key = ~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~", "40 characters"},
		{"public-key = ########################################", "40 characters"},
		{"public-key = \"" OTHER_PUBLIC "\"\nsecret-key = \"" SECRET "\"",
			"does not belong"},
		{"public-key = \"" PUBLIC "\"\nsecret-key = ~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~"
		 "~~",
			"secret-key"},
		{"public-key = \"" PUBLISHED_PUBLIC "\"\n", "zmq_curve(7)"},
		{"public-key = \"" PUBLISHED_PUBLIC "\"\nsecret-key = \"" PUBLISHED_SECRET "\"",
			"zmq_curve(7)"},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct kws_key_pair pair;
		struct kws_error error = {""};
		int rc = kws_keys_parse(cases[i].text, strlen(cases[i].text), &pair, &error);
		assert_int_equal(rc, cases[i].problem == NULL ? 0 : KWS_EFORMAT);
		if (rc == 0) {
			assert_string_equal(pair.public_key, PUBLIC);
		} else {
			assert_non_null(strstr(error.text, cases[i].problem));
			assert_string_equal(pair.secret_key, "");
			assert_null(strstr(error.text, SECRET));
		}
	}
}

static void test_make_write_read(void **state)
{
	const char *dir = *state;
	char base[100];
	char path[120];
	struct kws_key_pair made;
	struct kws_key_pair again;
	struct kws_error error;
	struct stat info;
	snprintf(base, sizeof(base), "%s/server", dir);
	assert_int_equal(kws_keys_make(&made, &error), 0);
	mode_t before = umask(0);
	assert_int_equal(kws_keys_write(base, &made, &error), 0);
	umask(before);
	snprintf(path, sizeof(path), "%s.key", base);
	assert_int_equal(stat(path, &info), 0);
	assert_int_equal(info.st_mode & 07777, 0600);
	assert_int_equal(kws_keys_read(path, true, &again, &error), 0);
	assert_memory_equal(&again, &made, sizeof(made));
	/* others could have read it */
	chmod(path, 0640);
	assert_int_equal(kws_keys_read(path, true, &again, &error), KWS_EPERM);
	assert_non_null(strstr(error.text, "mode 0640"));
	assert_int_equal(kws_keys_write(base, &made, &error), KWS_EBUSY);
	assert_non_null(strstr(error.text, strerror(EEXIST)));

	snprintf(path, sizeof(path), "%s.pub", base);
	assert_int_equal(kws_keys_read(path, false, &again, &error), 0);
	assert_string_equal(again.public_key, made.public_key);
	assert_string_equal(again.secret_key, "");
	assert_int_equal(kws_keys_read(path, true, &again, &error), KWS_EPERM);
	chmod(path, 0600);
	assert_int_equal(kws_keys_read(path, true, &again, &error), KWS_EFORMAT);
	/* a second attempt must not leave a new public key beside the old secret one */
	unlink(path);
	assert_int_equal(kws_keys_write(base, &made, &error), KWS_EBUSY);
	assert_int_equal(access(path, F_OK), -1);
	assert_int_equal(kws_keys_write("/no/such/dir/x", &made, &error), KWS_EIO);
}

/* With sudo, too, the daemon's user can read what is put into its directory. */
static void test_made_by_root(void **state)
{
	char *dir = *state;
	char path[100];
	struct stat info;
	struct kws_key_pair pair;
	if (geteuid() != 0) {
		skip();
	}
	assert_int_equal(chown(dir, 12, 34), 0);
	snprintf(path, sizeof(path), "%s/server", dir);
	assert_int_equal(kws_keys_make(&pair, NULL), 0);
	assert_int_equal(kws_keys_write(path, &pair, NULL), 0);
	assert_int_equal(kws_keyring_change(dir, "a", PUBLIC, KWS_RIGHT_EVENTS, NULL), 0);
	snprintf(path, sizeof(path), "%s/server.key", dir);
	assert_int_equal(stat(path, &info), 0);
	assert_int_equal(info.st_uid, 12);
	assert_int_equal(info.st_gid, 34);
	snprintf(path, sizeof(path), "%s/" KWS_KEYRING_FILE, dir);
	assert_int_equal(stat(path, &info), 0);
	assert_int_equal(info.st_uid, 12);
	assert_int_equal(info.st_mode & 07777, 0644);
}

static void write_text(const char *path, const char *text)
{
	FILE *file = fopen(path, "w");
	assert_non_null(file);
	fputs(text, file);
	assert_int_equal(fclose(file), 0);
}

static void assert_text(const char *path, const char *expected)
{
	char text[1024];
	FILE *file = fopen(path, "r");
	assert_non_null(file);
	text[fread(text, 1, sizeof(text) - 1, file)] = '\0';
	fclose(file);
	assert_string_equal(text, expected);
}

static void test_read_public(void **state)
{
	char path[100];
	char key[KWS_KEY_SIZE];
	struct kws_error error;
	snprintf(path, sizeof(path), "%s/own.key", (const char *)*state);
	write_text(path, BOTH);
	assert_int_equal(kws_keys_read_public(PUBLIC, key, &error), 0);
	assert_string_equal(key, PUBLIC);
	key[0] = '\0';
	assert_int_equal(kws_keys_read_public(path, key, &error), 0);
	assert_string_equal(key, PUBLIC);
	assert_int_equal(kws_keys_read_public(PUBLISHED_PUBLIC, key, &error), KWS_EFORMAT);
	assert_int_equal(kws_keys_read_public("/no/such/file", key, &error), KWS_ENOENT);

	struct kws_curve_client client;
	chmod(path, 0644);
	assert_int_equal(kws_curve_client_read(&client, path, OTHER_PUBLIC, &error), KWS_EPERM);
	chmod(path, 0600);
	assert_int_equal(kws_curve_client_read(&client, path, OTHER_PUBLIC, &error), 0);
	assert_string_equal(client.own.secret_key, SECRET);
	assert_string_equal(client.server_key, OTHER_PUBLIC);
}

static void test_parse_keyring(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		const char *problem;
		size_t count;
	} cases[] = {
		{"", NULL, 0},
		{"# nobody\n\n  \n", NULL, 0},
		{"a " PUBLIC " events\n\tb\t" OTHER_PUBLIC "\tcontrol\r\n", NULL, 2},
		{"a " PUBLIC " events", NULL, 1},
		{"a\n", "line 1: expected", 0},
		{"\na " PUBLIC "\n", "line 2: expected", 0},
		{"a " PUBLIC " all\n", "line 1: expected", 0},
		{"a " PUBLIC " events control\n", "line 1: expected", 0},
		{"a " PUBLIC " Events\n", "line 1: expected", 0},
		{"a x events\n", "line 1: a public key", 0},
		{"a/b " PUBLIC " events\n", "line 1: a client's name", 0},
		{"a " PUBLISHED_PUBLIC " events\n", "zmq_curve(7)", 0},
		{"a " PUBLIC " events\na " OTHER_PUBLIC " events\n", "line 2: a stands there twice",
			0},
		{"a " PUBLIC " events\nb " PUBLIC " control\n", "line 2: a has this key", 0},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct kws_keyring ring;
		struct kws_error error = {""};
		int rc = kws_keyring_parse(&ring, cases[i].text, strlen(cases[i].text), &error);
		assert_int_equal(rc, cases[i].problem == NULL ? 0 : KWS_EFORMAT);
		if (rc == 0) {
			assert_int_equal(ring.count, cases[i].count);
		} else {
			assert_non_null(strstr(error.text, cases[i].problem));
		}
	}
}

static void test_parse_keyring_bytes(void **state)
{
	(void)state;
	static const char nul[] = "a " PUBLIC " events\0\n";
	char text[400];
	struct kws_keyring ring;
	struct kws_error error;
	assert_int_equal(kws_keyring_parse(&ring, nul, sizeof(nul) - 1, &error), KWS_EFORMAT);
	memset(text, 'a', sizeof(text));
	assert_int_equal(kws_keyring_parse(&ring, text, sizeof(text), &error), KWS_EFORMAT);
	assert_non_null(strstr(error.text, "line 1: too long"));
}

static void test_find_and_full(void **state)
{
	(void)state;
	struct kws_keyring ring = {.count = 0};
	struct kws_key_pair pair;
	struct kws_error error;
	char name[16];
	for (int i = 0; i < KWS_KEYRING_MAX; i++) {
		snprintf(name, sizeof(name), "client-%d", i);
		assert_int_equal(kws_keys_make(&pair, &error), 0);
		assert_int_equal(
			kws_keyring_add(&ring, name, pair.public_key, KWS_RIGHT_EVENTS, &error), 0);
	}
	assert_string_equal(kws_keyring_find(&ring, pair.public_key)->name, name);
	assert_null(kws_keyring_find(&ring, PUBLIC));
	assert_int_equal(
		kws_keyring_add(&ring, "more", PUBLIC, KWS_RIGHT_EVENTS, &error), KWS_EBUSY);
	assert_int_equal(kws_keyring_remove(&ring, "client-0", &error), 0);
	assert_int_equal(kws_keyring_add(&ring, "more", PUBLIC, KWS_RIGHT_EVENTS, &error), 0);
	assert_int_equal(kws_keyring_find(&ring, PUBLIC)->right, KWS_RIGHT_EVENTS);
}

static struct kws_keyring ring_of(const char *text)
{
	struct kws_keyring ring;
	assert_int_equal(kws_keyring_parse(&ring, text, strlen(text), NULL), 0);
	return ring;
}

static void test_takes_away(void **state)
{
	(void)state;
	struct kws_keyring nobody = ring_of("");
	struct kws_keyring reader = ring_of("a " PUBLIC " events\n");
	struct kws_keyring renamed = ring_of("b " PUBLIC " events\n");
	struct kws_keyring controller = ring_of("a " PUBLIC " control\n");
	struct kws_keyring rekeyed = ring_of("a " OTHER_PUBLIC " control\n");
	assert_false(kws_keyring_takes_away(&nobody, &reader));
	assert_false(kws_keyring_takes_away(&reader, &reader));
	assert_false(kws_keyring_takes_away(&reader, &renamed));
	assert_false(kws_keyring_takes_away(&reader, &controller));
	assert_true(kws_keyring_takes_away(&reader, &nobody));
	assert_true(kws_keyring_takes_away(&controller, &reader));
	assert_true(kws_keyring_takes_away(&reader, &rekeyed));
}

static void test_change(void **state)
{
	const char *dir = *state;
	char path[100];
	struct kws_keyring ring;
	struct kws_error error;
	snprintf(path, sizeof(path), "%s/" KWS_KEYRING_FILE, dir);
	assert_int_equal(kws_keyring_load(&ring, dir, &error), 0);
	assert_int_equal(ring.count, 0);
	assert_int_equal(kws_keyring_change(dir, "a", PUBLIC, KWS_RIGHT_EVENTS, &error), 0);
	assert_text(path, "a  " PUBLIC "  events\n");

	write_text(path, "# mine\n  a\t" PUBLIC " events\n#a is\naa " OTHER_PUBLIC " control");
	assert_int_equal(kws_keyring_change(dir, "a", PUBLIC, KWS_RIGHT_CONTROL, &error), 0);
	assert_text(path, "# mine\n#a is\naa " OTHER_PUBLIC " control\na  " PUBLIC "  control\n");
	assert_int_equal(
		kws_keyring_change(dir, "a", OTHER_PUBLIC, KWS_RIGHT_EVENTS, &error), KWS_EBUSY);
	assert_int_equal(kws_keyring_change(dir, "b", NULL, KWS_RIGHT_NONE, &error), KWS_ENOENT);
	assert_int_equal(kws_keyring_change(dir, "aa", NULL, KWS_RIGHT_NONE, &error), 0);
	assert_text(path, "# mine\n#a is\na  " PUBLIC "  control\n");
	assert_int_equal(kws_keyring_load(&ring, dir, &error), 0);
	assert_int_equal(ring.count, 1);

	write_text(path, "a\n");
	assert_int_equal(
		kws_keyring_change(dir, "b", PUBLIC, KWS_RIGHT_EVENTS, &error), KWS_EFORMAT);
	assert_non_null(strstr(error.text, path));
	assert_text(path, "a\n");
	chmod(path, 0664);
	assert_int_equal(kws_keyring_load(&ring, dir, &error), KWS_EPERM);
}

#define AT_ONCE 16

/* Begins when the other end of the pipe `start` is closed. */
static pid_t authorize_at_once(const char *dir, int number, const int start[2])
{
	char name[16];
	char nothing;
	struct kws_key_pair pair;
	snprintf(name, sizeof(name), "client-%d", number);
	assert_int_equal(kws_keys_make(&pair, NULL), 0);
	pid_t child = fork();
	if (child == 0) {
		close(start[1]);
		bool started = read(start[0], &nothing, 1) == 0;
		_exit(started ? -kws_keyring_change(
					dir, name, pair.public_key, KWS_RIGHT_EVENTS, NULL)
			      : 1);
	}
	return child;
}

/* None may write back what it read before another one's change. */
static void test_change_at_once(void **state)
{
	const char *dir = *state;
	struct kws_keyring ring;
	pid_t children[AT_ONCE];
	int start[2];
	assert_int_equal(kws_keyring_change(dir, "gone", PUBLIC, KWS_RIGHT_CONTROL, NULL), 0);
	assert_int_equal(pipe(start), 0);
	for (int i = 0; i < AT_ONCE; i++) {
		children[i] = authorize_at_once(dir, i, start);
		assert_true(children[i] > 0);
	}
	close(start[1]);
	int rc = kws_keyring_change(dir, "gone", NULL, KWS_RIGHT_NONE, NULL);
	for (int i = 0; i < AT_ONCE; i++) {
		int status;
		assert_int_equal(waitpid(children[i], &status, 0), children[i]);
		assert_int_equal(status, 0);
	}
	close(start[0]);
	assert_int_equal(rc, 0);
	assert_int_equal(kws_keyring_load(&ring, dir, NULL), 0);
	assert_int_equal(ring.count, AT_ONCE);
	assert_null(kws_keyring_find(&ring, PUBLIC));
}

static void test_change_without_directory(void **state)
{
	char path[100];
	struct kws_error error;
	snprintf(path, sizeof(path), "%s/missing", (const char *)*state);
	assert_int_equal(kws_keyring_change(path, "a", PUBLIC, KWS_RIGHT_EVENTS, &error), KWS_EIO);
	assert_non_null(strstr(error.text, "cannot lock"));
	assert_non_null(strstr(error.text, strerror(ENOENT)));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parse_keys),
		TEST(test_make_write_read),
		TEST(test_made_by_root),
		TEST(test_read_public),
		cmocka_unit_test(test_parse_keyring),
		cmocka_unit_test(test_parse_keyring_bytes),
		cmocka_unit_test(test_find_and_full),
		cmocka_unit_test(test_takes_away),
		TEST(test_change),
		TEST(test_change_at_once),
		TEST(test_change_without_directory),
	};
	if (kws_keys_supported(NULL) != 0) {
		return 77;
	}
	return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
