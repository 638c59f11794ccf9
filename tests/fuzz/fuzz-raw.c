/* SPDX-License-Identifier: Apache-2.0 */
/* Raw samples on the standard input. The input of the test is the number of channels, then pieces,
 * each after one byte with its length: however the pieces cut samples and frames, every whole frame
 * comes out and the rest of the last one does not. */
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "cli/audio-file.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define PIECES_MAX 64 /* a socket holds so many before anybody reads */

struct listener {
	unsigned channels;
	int16_t samples[PIECES_MAX * UINT8_MAX];
	size_t count;
};

static void require(bool condition)
{
	if (!condition) {
		abort();
	}
}

static int take_open(void *user, const struct kws_audio_format *format, struct kws_error *error)
{
	const struct listener *listener = user;
	(void)error;
	require(format->rate_hz == 16000 && format->channels == listener->channels);
	return 0;
}

static int take_frames(void *user, const int16_t *frames, size_t count, struct kws_error *error)
{
	struct listener *listener = user;
	(void)error;
	size_t samples = count * listener->channels;
	require(listener->count + samples <= sizeof(listener->samples) / sizeof(int16_t));
	memcpy(listener->samples + listener->count, frames, samples * sizeof(*frames));
	listener->count += samples;
	return 0;
}

/* Sends the pieces, each of which is one read(2) at the other end, and keeps what they are together
 * in `bytes`. */
static size_t send_pieces(int fd, const uint8_t *data, size_t size, uint8_t *bytes)
{
	size_t total = 0;
	for (int i = 0; i < PIECES_MAX && size > 0; i++) {
		size_t length = data[0] < size - 1 ? data[0] : size - 1;
		if (length > 0) { /* an empty one would be the end */
			require(send(fd, data + 1, length, 0) == (ssize_t)length);
			memcpy(bytes + total, data + 1, length);
			total += length;
		}
		data += 1 + length;
		size -= 1 + length;
	}
	return total;
}

static void check(const struct listener *listener, const uint8_t *bytes, size_t total)
{
	size_t frames = total / (2 * listener->channels);
	require(listener->count == frames * listener->channels);
	for (size_t i = 0; i < listener->count; i++) {
		int value = bytes[2 * i] | bytes[2 * i + 1] << 8;
		require(listener->samples[i] == (value < 32768 ? value : value - 65536));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct listener listener;
	static uint8_t bytes[PIECES_MAX * UINT8_MAX];
	struct kws_error error = {""};
	int ends[2];
	if (size == 0) {
		return 0;
	}
	listener.channels = data[0] % (KWS_CHANNELS_MAX + 2);
	listener.count = 0;
	require(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends) == 0);
	size_t total = send_pieces(ends[1], data + 1, size - 1, bytes);
	close(ends[1]);
	const struct kws_source_config config = {
		.type = "stdin", .fd = ends[0], .rate_hz = 16000, .channels = listener.channels};
	const struct kws_audio_file_taker taker = {
		.open = take_open, .frames = take_frames, .user = &listener};
	int code = kws_audio_source_read(&config, &taker, &error);
	close(ends[0]);
	bool valid = listener.channels >= 1 && listener.channels <= KWS_CHANNELS_MAX;
	require(code == (valid ? 0 : KWS_EINVAL));
	require(code == 0 || error.text[0] != '\0');
	if (valid) {
		check(&listener, bytes, total);
	}
	return 0;
}
