/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KWS_TESTS_SCRATCH_H
#define KWS_TESTS_SCRATCH_H

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SCRATCH_BYTES 64

/* Makes an empty directory with a short path, as sockets need it; 0 or -1. */
static inline int scratch_create(char path[SCRATCH_BYTES])
{
	snprintf(path, SCRATCH_BYTES, "/tmp/kws-XXXXXX");
	return mkdtemp(path) != NULL ? 0 : -1;
}

/* How many things are in the directory. */
static inline int scratch_count(const char *path)
{
	DIR *dir = opendir(path);
	int count = -2; /* "." and ".." */
	while (dir != NULL && readdir(dir) != NULL) {
		count++;
	}
	if (dir != NULL) {
		closedir(dir);
	}
	return count;
}

/* Removes the directory with the files in it and with the empty directories in it. */
static inline void scratch_remove(const char *path)
{
	DIR *dir = opendir(path);
	struct dirent *entry;
	while (dir != NULL && (entry = readdir(dir)) != NULL) {
		char name[SCRATCH_BYTES + 256];
		snprintf(name, sizeof(name), "%s/%s", path, entry->d_name);
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0 &&
			unlink(name) != 0) {
			rmdir(name);
		}
	}
	if (dir != NULL) {
		closedir(dir);
	}
	rmdir(path);
}

#endif
