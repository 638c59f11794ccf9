/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KWS_TESTS_KWSCTL_RUN_H
#define KWS_TESTS_KWSCTL_RUN_H

#include <fcntl.h>
#include <signal.h>
#include <sys/types.h>
#include <sys/wait.h>

#include "tests/scratch.h"

/* kwsctl as a process, in a scratch directory that is its runtime directory. */

#define TIMEOUT_MS 10000
#define MAX_ARGS 12
#define TEXT_BYTES 65536

struct fixture {
	char dir[SCRATCH_BYTES];
	pid_t daemon; /* or 0 */
	pid_t kwsctl; /* the one that runs now, or 0 */
	char out[TEXT_BYTES];
	char err[TEXT_BYTES];
};

static inline void stop(pid_t *pid)
{
	if (*pid > 0) {
		kill(*pid, SIGKILL);
		waitpid(*pid, NULL, 0);
		*pid = 0;
	}
}

static inline int setup_dir(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	*state = f;
	return f != NULL ? scratch_create(f->dir) : -1;
}

static inline int teardown(void **state)
{
	struct fixture *f = *state;
	stop(&f->kwsctl);
	stop(&f->daemon);
	scratch_remove(f->dir);
	free(f);
	return 0;
}

static inline void redirect(const char *dir, const char *name, int fd)
{
	char path[100];
	snprintf(path, sizeof(path), "%s/%s", dir, name);
	int file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND, 0600);
	if (file < 0 || dup2(file, fd) < 0) {
		_exit(99);
	}
}

static inline void start(struct fixture *f, const char *const *args)
{
	char *argv[MAX_ARGS + 2] = {NULL};
	argv[0] = strdup("kwsctl");
	for (int i = 0; args[i] != NULL && i < MAX_ARGS; i++) {
		argv[i + 1] = strdup(args[i]);
	}
	f->kwsctl = fork();
	assert_true(f->kwsctl >= 0);
	if (f->kwsctl == 0) {
		setenv("KWSD_RUNTIME_DIR", f->dir, 1);
		redirect(f->dir, "out", STDOUT_FILENO);
		redirect(f->dir, "err", STDERR_FILENO);
		execv(KWSCTL_PATH, argv);
		_exit(99);
	}
	for (char **arg = argv; *arg != NULL; arg++) {
		free(*arg);
	}
}

static inline void read_text(const char *dir, const char *name, char text[TEXT_BYTES])
{
	char path[100];
	snprintf(path, sizeof(path), "%s/%s", dir, name);
	FILE *file = fopen(path, "r");
	size_t got = file != NULL ? fread(text, 1, TEXT_BYTES - 1, file) : 0;
	text[got] = '\0';
	if (file != NULL) {
		fclose(file);
	}
}

static inline int finish(struct fixture *f)
{
	int status = -1;
	for (int waited_ms = 0; waitpid(f->kwsctl, &status, WNOHANG) == 0; waited_ms += 10) {
		assert_true(waited_ms < TIMEOUT_MS);
		usleep(10000);
	}
	f->kwsctl = 0;
	read_text(f->dir, "out", f->out);
	read_text(f->dir, "err", f->err);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* Runs kwsctl with the arguments up to NULL and returns its exit status. */
#define RUN(f, ...) (start(f, (const char *const[]){__VA_ARGS__, NULL}), finish(f))

#endif
