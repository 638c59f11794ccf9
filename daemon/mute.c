/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/mute.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/file.h"

#define TEXT_BYTES 32 /* of a number and what ends it, with room to see that there is more */

int kws_mute_init(struct kws_mute *mute, struct kws_error *error)
{
	char dir[KWS_RUNTIME_PATH_BYTES];
	*mute = (struct kws_mute){.on = false};
	int result = kws_runtime_dir(dir, sizeof(dir), error);
	if (result == 0) {
		snprintf(mute->path, sizeof(mute->path), "%s/" KWS_RUNTIME_MUTED, dir);
	}
	return result;
}

static int fail_to_write(const struct kws_mute *mute, struct kws_error *error)
{
	return kws_fail(error, KWS_EIO,
		"kwsd may listen again after a crash, though it is muted: cannot write %s: %s",
		mute->path, strerror(errno));
}

/* In place: without the file for a moment, a daemon that dies in it would listen. One that dies
 * after the file was cut leaves a mute without an end. */
static int write_file(const struct kws_mute *mute, struct kws_error *error)
{
	char text[TEXT_BYTES] = "";
	int flags = O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK;
	int fd = open(mute->path, flags, 0600);
	if (fd < 0) {
		return fail_to_write(mute, error);
	}
	if (mute->until_ms != 0) {
		snprintf(text, sizeof(text), "%" PRIu64 "\n", mute->until_ms);
	}
	errno = ENOSPC; /* of a write that is cut */
	bool whole = write(fd, text, strlen(text)) == (ssize_t)strlen(text);
	int result = whole ? 0 : fail_to_write(mute, error);
	close(fd);
	return result;
}

int kws_mute_begin(struct kws_mute *mute, uint64_t now_ms, uint64_t for_ms, struct kws_error *error)
{
	mute->until_ms = for_ms > 0 ? now_ms + for_ms : 0;
	mute->frames = mute->on ? mute->frames : 0;
	mute->on = true;
	return write_file(mute, error);
}

int kws_mute_end(struct kws_mute *mute, struct kws_error *error)
{
	mute->on = false;
	if (unlink(mute->path) != 0 && errno != ENOENT) {
		return kws_fail(error, KWS_EIO,
			"kwsd may be muted again after a crash: cannot remove %s: %s", mute->path,
			strerror(errno));
	}
	return 0;
}

/* Returns KWS_ENOENT without a file. */
static int read_file(const struct kws_mute *mute, char text[TEXT_BYTES], struct kws_error *error)
{
	struct stat info;
	size_t length = 0;
	int fd = kws_file_open(mute->path, &info, error);
	if (fd < 0) {
		return fd;
	}
	int result = kws_file_fill(fd, text, TEXT_BYTES - 1, &length, error);
	close(fd);
	text[length] = '\0';
	return result;
}

/* No mute is longer than the longest: an end beyond that was written before the machine was
 * started anew, and the clock with it. */
static bool parse(const char *text, uint64_t now_ms, uint64_t *until_ms)
{
	char *end;
	*until_ms = 0;
	if (*text == '\0') {
		return true;
	}
	if (*text < '1' || *text > '9') {
		return false;
	}
	*until_ms = strtoull(text, &end, 10);
	return strcmp(end, "\n") == 0 &&
	       *until_ms <= now_ms + UINT64_C(1000) * KWS_MUTE_SECONDS_MAX;
}

int kws_mute_restore(struct kws_mute *mute, uint64_t now_ms, struct kws_error *error)
{
	char text[TEXT_BYTES];
	struct kws_error reason = {"it is neither a time nor empty"};
	int result = read_file(mute, text, &reason);
	if (result == KWS_ENOENT) {
		return 0;
	}
	mute->on = true;
	if (result != 0 || !parse(text, now_ms, &mute->until_ms)) {
		mute->until_ms = 0;
		return kws_fail(error, KWS_EFORMAT,
			"muted until it is told to listen, because the mute of before cannot be "
			"read: %s: %.80s",
			mute->path, reason.text);
	}
	return kws_mute_is_over(mute, now_ms) ? kws_mute_end(mute, error) : 0;
}

bool kws_mute_is_over(const struct kws_mute *mute, uint64_t now_ms)
{
	return mute->on && mute->until_ms != 0 && now_ms >= mute->until_ms;
}

uint64_t kws_mute_left_ms(const struct kws_mute *mute, uint64_t now_ms)
{
	return mute->on && mute->until_ms > now_ms ? mute->until_ms - now_ms : 0;
}

void kws_mute_describe(const struct kws_mute *mute, uint64_t now_ms, char text[KWS_MUTE_TEXT_BYTES])
{
	if (mute->until_ms == 0) {
		snprintf(text, KWS_MUTE_TEXT_BYTES, "until it is told to listen");
		return;
	}
	snprintf(text, KWS_MUTE_TEXT_BYTES, "for %.1f s",
		(double)kws_mute_left_ms(mute, now_ms) / 1000.0);
}
