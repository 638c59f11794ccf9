/* SPDX-License-Identifier: Apache-2.0 */

/* Captures from a sound device and prints one line per event, for test_capture_pulse.py:
 *   capture-probe DEVICE STALL_MS        runs until its standard input is closed
 * While it runs, "level PEAK" (0..32768) follows each 100 ms of audio. */

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "audio/capture.h"

#define READ_SAMPLES 4096

struct meter {
	unsigned rate_hz;
	unsigned channels;
	size_t frames;
	int peak;
};

/* A pipe as the wake-up: each byte is one reason to look. */
static int wake_pipe[2];

static void wake(void *user)
{
	(void)user;
	/* A full pipe is as good a wake-up as one more byte. */
	if (write(wake_pipe[1], "", 1) < 0) {
		return;
	}
}

static void measure(struct meter *meter, const int16_t *frames, size_t count)
{
	for (size_t i = 0; i < count * meter->channels; i++) {
		int value = abs((int)frames[i]);
		meter->peak = value > meter->peak ? value : meter->peak;
	}
	meter->frames += count;
	if (meter->frames >= meter->rate_hz / 10) {
		printf("level %d\n", meter->peak);
		meter->frames = 0;
		meter->peak = 0;
	}
}

static void print_event(const struct kws_capture_event *event, struct meter *meter)
{
	switch (event->type) {
	case KWS_CAPTURE_OPENED:
		*meter = (struct meter){
			.rate_hz = event->format.rate_hz, .channels = event->format.channels};
		printf("opened %u %u %s\n", meter->rate_hz, meter->channels, event->device);
		break;
	case KWS_CAPTURE_LOST:
		printf("lost %u %s\n", event->retry_ms, event->reason);
		break;
	case KWS_CAPTURE_FAILED:
		printf("failed %u %s\n", event->retry_ms, event->reason);
		break;
	case KWS_CAPTURE_GAP:
		printf("gap %llu\n", (unsigned long long)event->lost_frames);
		break;
	default:
		printf("event %d\n", (int)event->type);
	}
}

static void drain(struct kws_capture *capture, struct meter *meter)
{
	static int16_t frames[READ_SAMPLES];
	struct kws_capture_event event;
	for (;;) {
		size_t count = kws_capture_read(capture, frames, READ_SAMPLES, &event);
		if (count > 0) {
			measure(meter, frames, count);
		} else if (event.type == KWS_CAPTURE_NONE) {
			break;
		} else {
			print_event(&event, meter);
		}
	}
	fflush(stdout);
}

static void run(struct kws_capture *capture)
{
	struct meter meter = {0};
	struct pollfd fds[2] = {
		{.fd = STDIN_FILENO, .events = POLLIN},
		{.fd = wake_pipe[0], .events = POLLIN},
	};
	while (poll(fds, 2, -1) > 0 && fds[0].revents == 0) {
		char bytes[256];
		if (read(wake_pipe[0], bytes, sizeof(bytes)) <= 0) {
			break;
		}
		drain(capture, &meter);
	}
}

static void print_devices(struct kws_capture *capture)
{
	struct kws_device_list devices;
	kws_capture_devices(capture, &devices);
	for (size_t i = 0; i < devices.count; i++) {
		const struct kws_device *device = &devices.items[i];
		printf("device %s: %s%s\n", device->host_api, device->name,
			device->is_default ? " (default)" : "");
	}
}

int main(int argc, char **argv)
{
	if (argc != 3 || pipe(wake_pipe) != 0) {
		return 2;
	}
	struct kws_source_config config = {
		.type = "portaudio",
		.device = argv[1],
		.stall_ms = (unsigned)atoi(argv[2]),
		.retry_min_ms = 50,
		.retry_max_ms = 200,
	};
	struct kws_capture *capture;
	if (kws_capture_create(&capture, &config, wake, NULL) < 0) {
		return 2;
	}
	run(capture);
	print_devices(capture);
	kws_capture_destroy(capture);
	printf("closed\n");
	return 0;
}
