/* SPDX-License-Identifier: Apache-2.0 */
/* The command line of kwsctl, without a daemon: what is refused before one is asked, and what a
 * command that needs none took of it. */
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <setjmp.h>

#include <cmocka.h>
#include <sys/stat.h>

#include "tests/kwsctl-run.h"

/* Public keys: any 40 of Z85's characters are one, and '-' is of these. */
#define LIKE_HELP "-hAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
#define LIKE_LONG "--BBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBB"

#define WRONG_MAX 5

/* Not a word but the complaint; `args` as of the caller's line. */
static void refuse(struct fixture *f, const char *const *args, const char *complaint)
{
	start(f, args);
	assert_int_equal(finish(f), 2);
	assert_string_equal(f->out, "");
	assert_memory_equal(f->err, "kwsctl: ", 8);
	if (strstr(f->err, complaint) == NULL) {
		fail_msg("'%s' lacks '%s'", f->err, complaint);
	}
}

static void test_help(void **state)
{
	struct fixture *f = *state;
	assert_int_equal(RUN(f, "--help"), 0);
	assert_non_null(strstr(f->out, "usage: kwsctl"));
	assert_int_equal(RUN(f, "revoke", "-h"), 0);
	assert_non_null(strstr(f->out, "usage: kwsctl"));
	assert_int_equal(RUN(f, "status", "--version"), 0);
	assert_string_equal(f->out, "kwsctl " KWS_VERSION "\n");
	assert_int_equal(RUN(f, "--json"), 2);
	assert_non_null(strstr(f->err, "usage: kwsctl"));
}

static void test_wrong(void **state)
{
	static const struct {
		const char *complaint;
		const char *args[WRONG_MAX];
	} wrong[] = {
		{"no command 'nonsense'", {"nonsense"}},
		{"no command '-h'", {"--", "-h"}},
		{"wrong number of arguments for 'status'", {"status", "surplus"}},
		{"wrong number of arguments for 'get'", {"get", "one", "two"}},
		{"wrong number of arguments for 'get'", {"get", "--", "-j", "-j"}},
		{"wrong number of arguments for 'set'", {"set", "key"}},
		{"wrong number of arguments for 'authorize'", {"authorize", "x"}},
		{"no value behind the key 'two'", {"set", "key", "value", "two"}},
		{"not UTF-8", {"set", "key", "\xff"}},
		{"not UTF-8", {"get", "\xff"}},
		{"'--nonsense'", {"status", "--nonsense"}},
		{"--timeout '0': not a whole number of milliseconds from 1 to 2147483647",
			{"--timeout", "0", "status"}},
		{"--timeout '1s'", {"--timeout", "1s", "status"}},
		{"--timeout '99999999999'", {"--timeout", "99999999999", "status"}},
		{"--count '-1': not a whole number of events", {"monitor", "-n", "-1"}},
		{"--for ''", {"monitor", "--for", ""}},
		{"--for '0.3': not a whole number of seconds from 1 to 2147483647",
			{"--for", "0.3", "monitor"}},
		{"--for '604801': not a whole number of seconds from 1 to 604800",
			{"--for", "604801", "mute"}},
		{"tcp://*:1", {"--endpoint", "tcp://*:1", "status"}},
		{"ipc://@x", {"--events", "ipc://@x", "monitor"}},
	};
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		const char *args[WRONG_MAX + 1] = {NULL};
		memcpy(args, wrong[i].args, sizeof(wrong[i].args));
		refuse(*state, args, wrong[i].complaint);
	}
}

/* Before or behind the command, whatever it would do without the option. */
static void test_options_of_other_commands(void **state)
{
	static const char *const wrong[][3] = {
		{"monitor", "--endpoint", "ipc:///tmp/x"},
		{"monitor", "--timeout", "1"},
		{"monitor", "--persist"},
		{"level", "--events", "ipc:///tmp/x"},
		{"level", "--keys", "/tmp"},
		{"level", "--control"},
		{"mute", "--events", "tcp://127.0.0.1:1"},
		{"unmute", "--for", "1"},
		{"status", "--count", "1"},
		{"status", "--scores"},
		{"status", "--show-secret"},
		{"get", "--persist"},
		{"keygen", "--json"},
		{"keygen", "--keys", "/tmp"},
		{"authorize", "--json"},
		{"authorize", "--endpoint", "ipc:///tmp/x"},
		{"revoke", "--json"},
		{"revoke", "--control"},
		{"revoke", "--key", "x"},
		{"revoke", "--server-key", "x"},
	};
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		const char *const *words = wrong[i];
		const char *behind[] = {words[0], words[1], words[2], NULL};
		const char *before[] = {words[1], words[2], words[0], NULL};
		const char *before_flag[] = {words[1], words[0], NULL};
		char complaint[64];
		snprintf(complaint, sizeof(complaint), "%s does not belong to '%s'", words[1],
			words[0]);
		refuse(*state, behind, complaint);
		refuse(*state, words[2] != NULL ? before : before_flag, complaint);
	}
}

/* Who names keys means a daemon elsewhere; the environment may have some at all times. */
static void test_keys_without_tcp(void **state)
{
	struct fixture *f = *state;
	char stem[SCRATCH_BYTES + 8];
	char key[SCRATCH_BYTES + 16];
	char pub[SCRATCH_BYTES + 16];
	snprintf(stem, sizeof(stem), "%s/me", f->dir);
	snprintf(key, sizeof(key), "%s.key", stem);
	snprintf(pub, sizeof(pub), "%s.pub", stem);
	assert_int_equal(RUN(f, "keygen", stem), 0);
	refuse(f, (const char *const[]){"mute", "--key", key, "--server-key", pub, NULL},
		"are for a tcp:// endpoint");
	refuse(f, (const char *const[]){"monitor", "--key", key, "--server-key", pub, NULL},
		"are for a tcp:// endpoint");
	setenv("KWSCTL_KEY", key, 1);
	setenv("KWSCTL_SERVER_KEY", pub, 1);
	int rc = RUN(f, "status");
	unsetenv("KWSCTL_KEY");
	unsetenv("KWSCTL_SERVER_KEY");
	assert_int_equal(rc, 3);
	assert_non_null(strstr(f->err, "is the daemon running?"));
}

static void test_a_key_like_an_option(void **state)
{
	struct fixture *f = *state;
	assert_int_equal(RUN(f, "authorize", "tablet", LIKE_HELP, "--keys", f->dir), 0);
	assert_string_equal(f->out, "tablet may now read events\n");
	assert_int_equal(
		RUN(f, "--control", "authorize", "--keys", f->dir, "--", "phone", LIKE_LONG), 0);
	assert_string_equal(f->out, "phone may now read events and control kwsd\n");
	read_text(f->dir, "authorized", f->out);
	assert_non_null(strstr(f->out, LIKE_HELP "  events"));
	assert_non_null(strstr(f->out, LIKE_LONG "  control"));
	assert_int_equal(RUN(f, "revoke", "--keys", f->dir, "--", "tablet"), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup_dir, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_help),
		TEST(test_wrong),
		TEST(test_options_of_other_commands),
		TEST(test_keys_without_tcp),
		TEST(test_a_key_like_an_option),
	};
	return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
