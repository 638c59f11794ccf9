/* SPDX-License-Identifier: Apache-2.0 */
/* Runs a fuzz target over files and the files of folders, so that a corpus is an ordinary test. */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int replay_file(const char *path)
{
	FILE *file = fopen(path, "rb");
	if (file == NULL) {
		perror(path);
		return -1;
	}
	uint8_t *data = NULL;
	size_t size = 0;
	char chunk[65536];
	size_t got;
	while ((got = fread(chunk, 1, sizeof(chunk), file)) > 0) {
		uint8_t *grown = realloc(data, size + got);
		if (grown == NULL) {
			abort();
		}
		data = grown;
		memcpy(data + size, chunk, got);
		size += got;
	}
	fclose(file);
	LLVMFuzzerTestOneInput(data != NULL ? data : (const uint8_t *)"", size);
	free(data);
	return 1;
}

static int replay(const char *path)
{
	struct stat info;
	if (stat(path, &info) == 0 && !S_ISDIR(info.st_mode)) {
		return replay_file(path);
	}
	DIR *folder = opendir(path);
	if (folder == NULL) {
		perror(path);
		return -1;
	}
	int count = 0;
	struct dirent *entry;
	while ((entry = readdir(folder)) != NULL) {
		char name[4096];
		if (entry->d_name[0] == '.') {
			continue;
		}
		snprintf(name, sizeof(name), "%s/%s", path, entry->d_name);
		int got = replay_file(name);
		if (got < 0) {
			count = -1;
			break;
		}
		count += got;
	}
	closedir(folder);
	return count;
}

int main(int argc, char **argv)
{
	int total = 0;
	for (int i = 1; i < argc; i++) {
		int count = replay(argv[i]);
		if (count < 0) {
			return 1;
		}
		total += count;
	}
	printf("%d inputs replayed\n", total);
	return total > 0 ? 0 : 1; /* an empty corpus proves nothing */
}
