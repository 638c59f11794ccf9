/* SPDX-License-Identifier: Apache-2.0 */
#include "audio/capture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <pthread.h>
#include <semaphore.h>
#include <sndfile.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "audio/sources.h"
#include "common/clock.h"
#include "tests/scratch.h"

#define READ_SAMPLES 3000
#define LONG_FRAMES 50000
#define TIMEOUT_S 20
#define TIMEOUT_NS (TIMEOUT_S * UINT64_C(1000000000))

static char folder[SCRATCH_BYTES];

/* A consumer as an event loop would be: sleeps until woken, reads until there is nothing. */
struct consumer {
	struct kws_capture *capture;
	sem_t woken;
	int16_t *samples; /* all that was read, LONG_FRAMES * 2 at most */
	size_t sample_count;
	unsigned channels;
	uint64_t lost_frames;
	unsigned gaps;
	struct kws_capture_event event; /* the last that is not NONE */
};

static void wake(void *user)
{
	struct consumer *consumer = user;
	sem_post(&consumer->woken);
}

static void start(struct consumer *consumer, const struct kws_source_config *config)
{
	memset(consumer, 0, sizeof(*consumer));
	sem_init(&consumer->woken, 0, 0);
	consumer->samples = calloc((size_t)LONG_FRAMES * 2, sizeof(int16_t));
	assert_non_null(consumer->samples);
	assert_int_equal(kws_capture_create(&consumer->capture, config, wake, consumer), 0);
}

static void stop(struct consumer *consumer)
{
	uint64_t start_ns = kws_clock_monotonic_ns();
	kws_capture_destroy(consumer->capture);
	assert_true(kws_clock_monotonic_ns() - start_ns < TIMEOUT_NS); /* nothing waits for ever */
	sem_destroy(&consumer->woken);
	free(consumer->samples);
}

/* One read; returns false at NONE. */
static bool step(struct consumer *consumer)
{
	int16_t buffer[READ_SAMPLES];
	struct kws_capture_event event;
	size_t count = kws_capture_read(consumer->capture, buffer, READ_SAMPLES, &event);
	if (count > 0) {
		size_t samples = count * consumer->channels;
		assert_true(consumer->sample_count + samples <= (size_t)LONG_FRAMES * 2);
		memcpy(consumer->samples + consumer->sample_count, buffer,
			samples * sizeof(*buffer));
		consumer->sample_count += samples;
		return true;
	}
	if (event.type == KWS_CAPTURE_NONE) {
		return false;
	}
	consumer->event = event;
	if (event.type == KWS_CAPTURE_OPENED) {
		consumer->channels = event.format.channels;
	} else if (event.type == KWS_CAPTURE_GAP) {
		consumer->gaps++;
		consumer->lost_frames += event.lost_frames;
	}
	return true;
}

static void wait_for_wake(struct consumer *consumer)
{
	struct timespec deadline;
	clock_gettime(CLOCK_REALTIME, &deadline);
	deadline.tv_sec += TIMEOUT_S;
	assert_int_equal(sem_timedwait(&consumer->woken, &deadline), 0);
}

/* Reads on until the last event is `type`. */
static void run_until(struct consumer *consumer, enum kws_capture_event_type type)
{
	while (consumer->event.type != type) {
		if (!step(consumer)) {
			wait_for_wake(consumer);
		}
	}
}

static void sleep_ms(unsigned ms)
{
	struct timespec time = {.tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * 1000000};
	nanosleep(&time, NULL);
}

static void path_of(const char *name, char out[256])
{
	snprintf(out, 256, "%s/%s", folder, name);
}

static int16_t sample_at(size_t index)
{
	return (int16_t)(uint16_t)(index * 7919u);
}

static void write_sound(const char *path, int format, unsigned rate_hz, int channels, size_t frames)
{
	static int16_t samples[LONG_FRAMES * 2];
	size_t count = frames * (size_t)channels;
	for (size_t i = 0; i < count; i++) {
		samples[i] = sample_at(i);
	}
	SF_INFO info = {.samplerate = (int)rate_hz, .channels = channels, .format = format};
	SNDFILE *file = sf_open(path, SFM_WRITE, &info);
	assert_non_null(file);
	assert_int_equal(sf_write_short(file, samples, (sf_count_t)count), count);
	sf_close(file);
}

static void write_bytes(const char *path, const void *bytes, size_t size)
{
	FILE *file = fopen(path, "wb");
	assert_non_null(file);
	assert_int_equal(fwrite(bytes, 1, size, file), size);
	fclose(file);
}

static void assert_samples(const struct consumer *consumer, size_t count)
{
	assert_int_equal(consumer->sample_count, count);
	for (size_t i = 0; i < count; i++) {
		assert_int_equal(consumer->samples[i], sample_at(i));
	}
}

static void rejects_unknown_sources(void **state)
{
	(void)state;
	struct kws_capture *capture;
	struct kws_source_config config = {.type = "gramophone"};
	assert_int_equal(kws_capture_create(&capture, &config, wake, NULL), KWS_EUNSUPPORTED);
	config.type = NULL;
	assert_int_equal(kws_capture_create(&capture, &config, wake, NULL), KWS_EINVAL);
	kws_capture_destroy(NULL);
}

/* Every frame of a file arrives in order, though the ring is far smaller than the file. */
static void file_loses_nothing(void **state)
{
	(void)state;
	static const int formats[] = {SF_FORMAT_WAV | SF_FORMAT_PCM_16,
		SF_FORMAT_FLAC | SF_FORMAT_PCM_16, SF_FORMAT_WAV | SF_FORMAT_PCM_24};
	char path[256];
	path_of("long", path);
	for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++) {
		write_sound(path, formats[i], 44100, 2, LONG_FRAMES);
		struct kws_source_config config = {.type = "file", .path = path, .buffer_ms = 1};
		struct consumer consumer;
		start(&consumer, &config);
		sleep_ms(50); /* the ring is full now */
		run_until(&consumer, KWS_CAPTURE_OPENED);
		assert_int_equal(consumer.event.format.rate_hz, 44100);
		assert_string_equal(consumer.event.device, path);
		run_until(&consumer, KWS_CAPTURE_ENDED);
		assert_samples(&consumer, (size_t)LONG_FRAMES * 2);
		assert_int_equal(consumer.gaps, 0);
		assert_false(step(&consumer));
		struct kws_capture_status status;
		kws_capture_status(consumer.capture, &status);
		assert_int_equal(status.state, KWS_CAPTURE_STATE_ENDED);
		assert_int_equal(status.frames, LONG_FRAMES);
		assert_int_equal(status.overrun_frames, 0);
		assert_string_equal(status.reason, "end of file");
		stop(&consumer);
	}
}

static void file_at_its_own_pace(void **state)
{
	(void)state;
	char path[256];
	path_of("paced.wav", path);
	write_sound(path, SF_FORMAT_WAV | SF_FORMAT_PCM_16, 16000, 1, 3200);
	struct kws_source_config config = {.type = "file", .path = path, .realtime = true};
	struct consumer consumer;
	uint64_t started_ns =
		kws_clock_monotonic_ns(); /* not opened: a busy machine tells that late */
	start(&consumer, &config);
	run_until(&consumer, KWS_CAPTURE_ENDED);
	assert_in_range(kws_clock_monotonic_ns() - started_ns, 150000000u, TIMEOUT_NS);
	uint64_t arrival_ns = kws_capture_arrival_ns(consumer.capture);
	assert_in_range(arrival_ns, started_ns, kws_clock_monotonic_ns());
	assert_samples(&consumer, 3200);
	stop(&consumer);
}

static void assert_fails(const struct kws_source_config *config, int code, const char *sentence)
{
	struct consumer consumer;
	start(&consumer, config);
	run_until(&consumer, KWS_CAPTURE_FAILED);
	assert_true(consumer.event.final);
	assert_int_equal(consumer.event.retry_ms, 0);
	assert_int_equal(consumer.event.code, code);
	assert_string_equal(consumer.event.reason, sentence);
	struct kws_capture_status status;
	kws_capture_status(consumer.capture, &status);
	assert_int_equal(status.state, KWS_CAPTURE_STATE_FAILED);
	assert_string_equal(status.reason, sentence);
	stop(&consumer);
}

static void file_that_cannot_be_read(void **state)
{
	(void)state;
	char path[256];
	char sentence[512];
	struct kws_source_config config = {.type = "file", .path = path};
	path_of("missing.wav", path);
	snprintf(sentence, sizeof(sentence), "cannot open '%s': No such file or directory", path);
	assert_fails(&config, KWS_ENOENT, sentence);
	path_of("noise.wav", path);
	write_bytes(path, "this is not a sound at all, only some words in a file", 53);
	snprintf(sentence, sizeof(sentence), "cannot read '%s': Format not recognised.", path);
	assert_fails(&config, KWS_EFORMAT, sentence);
	config.path = NULL;
	assert_fails(&config, KWS_EINVAL, "the file source needs the path of a file");
}

static void file_whose_rate_no_sound_has(void **state)
{
	(void)state;
	char path[256];
	char sentence[512];
	struct kws_source_config config = {.type = "file", .path = path};
	path_of("slow.wav", path);
	for (unsigned rate_hz = 1; rate_hz < 4000; rate_hz += 3998) {
		write_sound(path, SF_FORMAT_WAV | SF_FORMAT_PCM_16, rate_hz, 1, 100);
		snprintf(sentence, sizeof(sentence),
			"'%s' has a sample rate of %u Hz, not 4000 to 768000", path, rate_hz);
		assert_fails(&config, KWS_EUNSUPPORTED, sentence);
	}
}

/* The end of a file that breaks off is told after its frames. */
static void file_damaged_in_the_middle(void **state)
{
	(void)state;
	char path[256];
	path_of("damaged.flac", path);
	write_sound(path, SF_FORMAT_FLAC | SF_FORMAT_PCM_16, 16000, 1, LONG_FRAMES);
	FILE *file = fopen(path, "r+b");
	assert_non_null(file);
	fseek(file, 60000, SEEK_SET);
	for (int i = 0; i < 20000; i++) {
		fputc(0, file);
	}
	fclose(file);
	struct kws_source_config config = {.type = "file", .path = path};
	struct consumer consumer;
	start(&consumer, &config);
	run_until(&consumer, KWS_CAPTURE_OPENED);
	run_until(&consumer, KWS_CAPTURE_FAILED);
	assert_true(consumer.event.final);
	assert_int_equal(consumer.event.code, KWS_EIO);
	assert_non_null(strstr(consumer.event.reason, "damaged.flac' to its end: "));
	assert_true(consumer.sample_count > 0);
	stop(&consumer);
}

static void stop_while_a_file_waits_for_room(void **state)
{
	(void)state;
	char path[256];
	path_of("long.wav", path);
	write_sound(path, SF_FORMAT_WAV | SF_FORMAT_PCM_16, 16000, 1, LONG_FRAMES);
	struct kws_source_config config = {.type = "file", .path = path, .buffer_ms = 1};
	struct consumer consumer;
	start(&consumer, &config);
	sleep_ms(50);
	stop(&consumer);
}

/* Writes LONG_FRAMES samples in pieces that split samples, as a pipe does. */
static void *write_pipe(void *arg)
{
	int fd = *(int *)arg;
	static unsigned char bytes[LONG_FRAMES * 2];
	for (size_t i = 0; i < LONG_FRAMES; i++) {
		uint16_t value = (uint16_t)sample_at(i);
		bytes[2 * i] = (unsigned char)(value & 0xff);
		bytes[2 * i + 1] = (unsigned char)(value >> 8);
	}
	size_t done = 0;
	for (size_t size = 1; done < sizeof(bytes); size = size * 3 % 4099) {
		size_t left = sizeof(bytes) - done;
		ssize_t written = write(fd, bytes + done, size < left ? size : left);
		if (written <= 0) {
			break; /* the reader will miss samples */
		}
		done += (size_t)written;
	}
	close(fd);
	return NULL;
}

static void stdin_loses_nothing(void **state)
{
	(void)state;
	int fds[2];
	assert_int_equal(pipe(fds), 0);
	pthread_t writer;
	assert_int_equal(pthread_create(&writer, NULL, write_pipe, &fds[1]), 0);
	struct kws_source_config config = {
		.type = "stdin", .fd = fds[0], .rate_hz = 16000, .channels = 2, .buffer_ms = 1};
	struct consumer consumer;
	start(&consumer, &config);
	sleep_ms(50); /* ring and pipe are full now */
	run_until(&consumer, KWS_CAPTURE_ENDED);
	assert_samples(&consumer, LONG_FRAMES);
	assert_int_equal(consumer.gaps, 0);
	assert_string_equal(consumer.event.reason, "end of input");
	pthread_join(writer, NULL);
	stop(&consumer);
	close(fds[0]);
}

static void wait_until_empty(int fd)
{
	int left = 1;
	for (unsigned ms = 0; left > 0; ms++) {
		assert_true(ms < TIMEOUT_S * 1000);
		assert_int_equal(ioctl(fd, FIONREAD, &left), 0);
		sleep_ms(1);
	}
}

/* Writes `count` bytes of the samples 1, from byte `at` of the stream on. */
static void write_ones(int fd, size_t at, size_t count)
{
	unsigned char bytes[64];
	assert_true(count <= sizeof(bytes));
	for (size_t i = 0; i < count; i++) {
		bytes[i] = (at + i) % 2 == 0;
	}
	assert_int_equal(write(fd, bytes, count), count);
}

/* Whoever writes does not know when the source is opened anew, and with how many channels. */
static void stdin_goes_on_with_a_whole_frame(void **state)
{
	(void)state;
	static const struct {
		unsigned channels_before, channels;
		size_t bytes_before, frames; /* of 20 bytes after them */
	} cases[] = {{1, 1, 5, 9}, {1, 1, 4, 10}, {2, 2, 7, 4}, {1, 2, 7, 4}, {2, 1, 7, 9},
		{1, 1, 0, 10}, {1, 32, 60, 0}};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		int fds[2];
		uint64_t taken = 0;
		assert_int_equal(pipe(fds), 0);
		struct kws_source_config config = {.type = "stdin",
			.fd = fds[0],
			.taken = &taken,
			.rate_hz = 16000,
			.channels = cases[i].channels_before};
		struct consumer consumer;
		start(&consumer, &config);
		write_ones(fds[1], 0, cases[i].bytes_before);
		wait_until_empty(fds[0]);
		stop(&consumer);
		assert_int_equal(taken, cases[i].bytes_before);
		config.channels = cases[i].channels;
		start(&consumer, &config);
		write_ones(fds[1], cases[i].bytes_before, 20);
		close(fds[1]);
		run_until(&consumer, KWS_CAPTURE_ENDED);
		assert_int_equal(consumer.sample_count, cases[i].frames * cases[i].channels);
		for (size_t j = 0; j < consumer.sample_count; j++) {
			assert_int_equal(consumer.samples[j], 1);
		}
		stop(&consumer);
		close(fds[0]);
	}
}

static void stdin_needs_its_format(void **state)
{
	(void)state;
	struct kws_source_config config = {.type = "stdin", .rate_hz = 16000};
	assert_fails(&config, KWS_EINVAL, "raw input needs its rate_hz and its channels (1 to 32)");
	config.channels = 1;
	config.fd = 12345;
	assert_fails(&config, KWS_EIO, "the input is not open: Bad file descriptor");
	config.fd = open(folder, O_RDONLY);
	assert_true(config.fd >= 0);
	assert_fails(&config, KWS_EIO, "cannot read the input: Is a directory");
	close(config.fd);
}

static void the_wanted_channel_must_be_there(void **state)
{
	(void)state;
	struct kws_source_config config = {.type = "null", .channels = 2, .channel = 3};
	assert_fails(&config, KWS_EINVAL, "there is no channel 3: 'null' has 2");
	config.channel = 2;
	struct consumer consumer;
	start(&consumer, &config);
	run_until(&consumer, KWS_CAPTURE_OPENED);
	stop(&consumer);
}

/* Their number times a second's nanoseconds leaves 64 bits after 13 hours at 384 kHz. */
static void years_of_frames_have_a_length(void **state)
{
	(void)state;
	const uint64_t decade_s = UINT64_C(10) * 366 * 86400;
	assert_int_equal(kws__frames_ns(decade_s * 384000 + 192000, 384000),
		decade_s * 1000000000 + 500000000);
	assert_int_equal(kws__frames_ns(441, 44100), 10000000);
}

/* Nobody writing is not a loss, and does not keep the program from ending. */
static void stop_while_stdin_is_silent(void **state)
{
	(void)state;
	int fds[2];
	assert_int_equal(pipe(fds), 0);
	struct kws_source_config config = {
		.type = "stdin", .fd = fds[0], .rate_hz = 16000, .channels = 1, .stall_ms = 20};
	struct consumer consumer;
	start(&consumer, &config);
	run_until(&consumer, KWS_CAPTURE_OPENED);
	sleep_ms(100);
	assert_false(step(&consumer));
	stop(&consumer);
	close(fds[0]);
	close(fds[1]);
}

static void null_is_silence_by_the_clock(void **state)
{
	(void)state;
	struct kws_source_config config = {.type = "null"};
	struct consumer consumer;
	uint64_t started_ns = kws_clock_monotonic_ns();
	start(&consumer, &config);
	run_until(&consumer, KWS_CAPTURE_OPENED);
	assert_int_equal(consumer.event.format.rate_hz, 16000);
	assert_int_equal(consumer.event.format.channels, 1);
	while (consumer.sample_count < 3200) {
		if (!step(&consumer)) {
			wait_for_wake(&consumer);
		}
	}
	assert_in_range(kws_clock_monotonic_ns() - started_ns, 150000000u, TIMEOUT_NS);
	for (size_t i = 0; i < consumer.sample_count; i++) {
		assert_int_equal(consumer.samples[i], 0);
	}
	struct kws_device_list devices;
	kws_capture_devices(consumer.capture, &devices);
	assert_int_equal(devices.count, 0);
	struct kws_capture_status status;
	kws_capture_status(consumer.capture, &status);
	assert_int_equal(status.state, KWS_CAPTURE_STATE_RUNNING);
	assert_string_equal(status.device, "null");
	assert_int_equal(status.reopens, 0);
	stop(&consumer);
}

/* A high rate and a long buffer, each of which is allowed, do not keep a device from opening. */
static void the_largest_buffer_is_enough(void **state)
{
	(void)state;
	struct kws_source_config config = {.type = "null", .rate_hz = 384000, .buffer_ms = 60000};
	struct consumer consumer;
	start(&consumer, &config);
	while (consumer.event.type == KWS_CAPTURE_NONE) {
		if (!step(&consumer)) {
			wait_for_wake(&consumer);
		}
	}
	assert_int_equal(consumer.event.type, KWS_CAPTURE_OPENED);
	stop(&consumer);
}

/* A late consumer gets the old frames, then the gap, then new ones. */
static void a_late_consumer_sees_the_gap(void **state)
{
	(void)state;
	struct kws_source_config config = {.type = "null", .rate_hz = 96000, .buffer_ms = 1};
	struct consumer consumer;
	start(&consumer, &config);
	run_until(&consumer, KWS_CAPTURE_OPENED);
	sleep_ms(200);
	run_until(&consumer, KWS_CAPTURE_GAP);
	size_t before = consumer.sample_count;
	assert_in_range(before, 3000, 4096); /* what the ring holds */
	assert_true(consumer.lost_frames >= 960);
	while (consumer.sample_count == before) {
		if (!step(&consumer)) {
			wait_for_wake(&consumer);
		}
	}
	struct kws_capture_status status;
	kws_capture_status(consumer.capture, &status);
	assert_int_equal(status.overrun_frames, consumer.lost_frames);
	assert_int_equal(status.gaps, consumer.gaps);
	stop(&consumer);
}

/* The end of a file while nobody reads: what no frame follows is told as well. */
static void frames_dropped_at_the_end_are_told(void **state)
{
	(void)state;
	char path[256];
	path_of("end.wav", path);
	write_sound(path, SF_FORMAT_WAV | SF_FORMAT_PCM_16, 48000, 1, 20000);
	struct kws_source_config config = {
		.type = "file", .path = path, .realtime = true, .buffer_ms = 1};
	struct consumer consumer;
	struct kws_capture_status status;
	start(&consumer, &config);
	run_until(&consumer, KWS_CAPTURE_OPENED);
	do {
		sleep_ms(20);
		kws_capture_status(consumer.capture, &status);
	} while (status.state != KWS_CAPTURE_STATE_ENDED);
	run_until(&consumer, KWS_CAPTURE_GAP);
	assert_in_range(consumer.sample_count, 3000, 4096);
	run_until(&consumer, KWS_CAPTURE_ENDED);
	assert_int_equal(consumer.sample_count + consumer.lost_frames, 20000);
	assert_int_equal(consumer.gaps, 1);
	kws_capture_status(consumer.capture, &status);
	assert_int_equal(status.overrun_frames, consumer.lost_frames);
	assert_int_equal(status.gaps, 1);
	stop(&consumer);
}

static int create_folder(void **state)
{
	(void)state;
	return scratch_create(folder);
}

static int remove_folder(void **state)
{
	(void)state;
	scratch_remove(folder);
	return access(folder, F_OK) == 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rejects_unknown_sources),
		cmocka_unit_test(file_loses_nothing),
		cmocka_unit_test(file_at_its_own_pace),
		cmocka_unit_test(file_that_cannot_be_read),
		cmocka_unit_test(file_whose_rate_no_sound_has),
		cmocka_unit_test(file_damaged_in_the_middle),
		cmocka_unit_test(stop_while_a_file_waits_for_room),
		cmocka_unit_test(stdin_loses_nothing),
		cmocka_unit_test(stdin_goes_on_with_a_whole_frame),
		cmocka_unit_test(stdin_needs_its_format),
		cmocka_unit_test(the_wanted_channel_must_be_there),
		cmocka_unit_test(years_of_frames_have_a_length),
		cmocka_unit_test(stop_while_stdin_is_silent),
		cmocka_unit_test(null_is_silence_by_the_clock),
		cmocka_unit_test(the_largest_buffer_is_enough),
		cmocka_unit_test(a_late_consumer_sees_the_gap),
		cmocka_unit_test(frames_dropped_at_the_end_are_told),
	};
	return cmocka_run_group_tests(tests, create_folder, remove_folder) != 0;
}
