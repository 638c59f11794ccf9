/* SPDX-License-Identifier: Apache-2.0 */
#include "common/trust.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define WRITERS (S_IWGRP | S_IWOTH)

static int check_directory(const char *path, struct kws_error *error)
{
	char dir[PATH_MAX];
	struct stat info;
	const char *slash = strrchr(path, '/');
	int length = slash == NULL ? 1 : (int)(slash - path);
	/* "x" is in ".", "/x" in "/" */
	snprintf(dir, sizeof(dir), "%.*s", length > 0 ? length : 1, slash != NULL ? path : ".");
	if (stat(dir, &info) != 0 || (info.st_mode & WRITERS) == 0 || (info.st_mode & S_ISVTX)) {
		return 0;
	}
	return kws_fail(error, KWS_EPERM,
		"its directory %.120s may be written by others than its owner (mode %04o): chmod "
		"go-w",
		dir, (unsigned)info.st_mode & 07777);
}

int kws_trust_check(const char *path, struct kws_error *error)
{
	char real[PATH_MAX];
	struct stat info;
	if (stat(path, &info) != 0 || realpath(path, real) == NULL) {
		return 0;
	}
	if (info.st_mode & WRITERS) {
		return kws_fail(error, KWS_EPERM,
			"may be written by others than its owner (mode %04o): chmod go-w",
			(unsigned)info.st_mode & 07777);
	}
	int result = check_directory(path, error);
	return result == 0 ? check_directory(real, error) : result;
}

int kws_trust_check_privileged(const char *path, struct kws_error *error)
{
	return geteuid() == 0 ? kws_trust_check(path, error) : 0;
}
