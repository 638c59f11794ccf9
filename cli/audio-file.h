/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KWS_CLI_AUDIO_FILE_H
#define KWS_CLI_AUDIO_FILE_H

#include <stddef.h>
#include <stdint.h>

#include "audio/source.h"
#include "common/error.h"

/* Takes what a file holds, through the daemon's own `file` source. */
struct kws_audio_file_taker {
	/* Before the first frame. A result other than 0 ends the reading and is returned. */
	int (*open)(void *user, const struct kws_audio_format *format, struct kws_error *error);
	/* Interleaved frames; 1 says that it is enough. */
	int (*frames)(void *user, const int16_t *frames, size_t count, struct kws_error *error);
	/* Frames were lost, 0: nobody knows how many. NULL: no matter. */
	void (*gap)(void *user, uint64_t lost_frames);
	void *user;
};

/* Reads the whole file. Errors: the taker's, or KWS_E... with a sentence when the file cannot be
 * read, also when it breaks off in the middle. Thread: any; blocks. */
int kws_audio_file_read(
	const char *path, const struct kws_audio_file_taker *taker, struct kws_error *error);

/* The same from any source of the daemon's, until its end or until the taker has enough; a device
 * that is lost is an error. */
int kws_audio_source_read(const struct kws_source_config *config,
	const struct kws_audio_file_taker *taker, struct kws_error *error);

#endif
