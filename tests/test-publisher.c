/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <setjmp.h>

#include <cmocka.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>
#include <zmq.h>

#include "ipc/endpoint.h"
#include "ipc/event.h"
#include "ipc/frame.h"
#include "ipc/publisher.h"
#include "ipc/subscriber.h"
#include "tests/scratch.h"

#define TIMEOUT_MS 5000

struct fixture {
	char dir[SCRATCH_BYTES];
	char endpoint[KWS_ENDPOINT_BYTES];
	void *context;
	struct kws_publisher *publisher;
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	if (f == NULL || scratch_create(f->dir) != 0) {
		return -1;
	}
	snprintf(f->endpoint, sizeof(f->endpoint), "ipc://%s/events", f->dir);
	f->context = zmq_ctx_new();
	*state = f;
	return kws_publisher_create(&f->publisher, f->context, f->endpoint, 0, NULL);
}

static int teardown(void **state)
{
	struct fixture *f = *state;
	kws_publisher_destroy(f->publisher);
	zmq_ctx_term(f->context);
	scratch_remove(f->dir);
	free(f);
	return 0;
}

static int publish(struct fixture *f, const char *topic, int number)
{
	json_t *event = json_pack("{s:i, s:i}", "v", 1, "number", number);
	int rc = kws_publisher_send(f->publisher, topic, event);
	assert_int_equal(event->refcount, 1);
	assert_int_equal(json_object_size(event), 2); /* borrowed and not changed */
	json_decref(event);
	return rc;
}

/* A subscription needs a while to arrive: publish until it has, then swallow what is under way. */
static void join(struct fixture *f, struct kws_subscriber *subscriber)
{
	char *topic;
	json_t *event;
	int rc = KWS_ETIMEOUT;
	assert_int_equal(kws_subscriber_add(subscriber, "join"), 0);
	for (int i = 0; i < 500 && rc != 0; i++) {
		assert_int_equal(publish(f, "join", i), 0);
		kws_publisher_tick(f->publisher);
		rc = kws_subscriber_receive(subscriber, 10, &topic, &event);
	}
	while (rc == 0) {
		free(topic);
		json_decref(event);
		rc = kws_subscriber_receive(subscriber, 100, &topic, &event);
	}
	assert_int_equal(rc, KWS_ETIMEOUT);
}

static struct kws_subscriber *subscribe(struct fixture *f, const char *prefix)
{
	struct kws_subscriber *subscriber = NULL;
	assert_int_equal(kws_subscriber_create(&subscriber, f->endpoint, NULL, NULL), 0);
	assert_int_equal(kws_subscriber_add(subscriber, prefix), 0);
	join(f, subscriber);
	return subscriber;
}

static void assert_event(
	struct kws_subscriber *subscriber, const char *topic, json_int_t seq, int number)
{
	char *got_topic = NULL;
	json_t *event = NULL;
	assert_int_equal(kws_subscriber_receive(subscriber, TIMEOUT_MS, &got_topic, &event), 0);
	assert_string_equal(got_topic, topic);
	assert_int_equal(json_integer_value(json_object_get(event, "seq")), seq);
	assert_int_equal(json_integer_value(json_object_get(event, "number")), number);
	free(got_topic);
	json_decref(event);
}

/* The wire itself, without our subscriber: two frames, the fields in order. */
static void test_frames(void **state)
{
	struct fixture *f = *state;
	char frame[256];
	char expected[256];
	int timeout_ms = TIMEOUT_MS;
	void *context = zmq_ctx_new();
	void *socket = zmq_socket(context, ZMQ_SUB);
	zmq_setsockopt(socket, ZMQ_RCVTIMEO, &timeout_ms, sizeof(timeout_ms));
	zmq_setsockopt(socket, ZMQ_SUBSCRIBE, "kws.detection.", 14);
	assert_int_equal(zmq_connect(socket, f->endpoint), 0);
	zmq_pollitem_t item = {.socket = socket, .events = ZMQ_POLLIN};
	int sent = 0;
	while (sent < 500 && zmq_poll(&item, 1, 10) == 0) {
		publish(f, "kws.detection.go", ++sent);
	}
	int size = zmq_recv(socket, frame, sizeof(frame), 0);
	assert_int_equal(size, strlen("kws.detection.go"));
	assert_memory_equal(frame, "kws.detection.go", (size_t)size);
	int more;
	size_t more_size = sizeof(more);
	zmq_getsockopt(socket, ZMQ_RCVMORE, &more, &more_size);
	assert_true(more);
	size = zmq_recv(socket, frame, sizeof(frame) - 1, 0);
	assert_true(size > 0);
	frame[size] = '\0';
	zmq_getsockopt(socket, ZMQ_RCVMORE, &more, &more_size);
	assert_false(more);
	int seq;
	assert_int_equal(sscanf(frame, "{\"v\":1,\"seq\":%d,", &seq), 1);
	snprintf(expected, sizeof(expected),
		"{\"v\":1,\"seq\":%d,\"boot\":\"%s\",\"number\":%d,"
		"\"site\":null}",
		seq, kws_publisher_boot(f->publisher), seq);
	assert_string_equal(frame, expected);
	zmq_close(socket);
	zmq_ctx_term(context);
}

/* A subscriber of one topic must not take the others' messages for losses. */
static void test_sequence_per_topic(void **state)
{
	struct fixture *f = *state;
	struct kws_subscriber *subscriber = subscribe(f, "a");
	assert_int_equal(publish(f, "a.x", 10), 0);
	assert_int_equal(publish(f, "b", 11), 0);
	assert_int_equal(publish(f, "a.x", 12), 0);
	assert_int_equal(publish(f, "a.y", 13), 0);
	assert_event(subscriber, "a.x", 1, 10);
	assert_event(subscriber, "a.x", 2, 12);
	assert_event(subscriber, "a.y", 1, 13);
	kws_subscriber_destroy(subscriber);
}

static void assert_site(struct kws_subscriber *subscriber, const char *site)
{
	char *topic = NULL;
	json_t *event = NULL;
	assert_int_equal(kws_subscriber_receive(subscriber, TIMEOUT_MS, &topic, &event), 0);
	const char *found = json_string_value(json_object_get(event, "site"));
	if (site == NULL) {
		assert_true(json_is_null(json_object_get(event, "site")));
	} else {
		assert_string_equal(found, site);
	}
	free(topic);
	json_decref(event);
}

/* Each message says of which room it is, as things are when it is sent. */
static void test_site(void **state)
{
	struct fixture *f = *state;
	struct kws_subscriber *subscriber = subscribe(f, "a");
	assert_int_equal(publish(f, "a", 1), 0);
	assert_site(subscriber, NULL);
	kws_publisher_set_site(f->publisher, "kitchen");
	assert_int_equal(publish(f, "a", 2), 0);
	assert_site(subscriber, "kitchen");
	kws_publisher_set_site(f->publisher, "k\xfc"
					     "che");
	assert_int_equal(publish(f, "a", 3), 0);
	assert_site(subscriber, "k?che");
	kws_publisher_set_site(f->publisher, "");
	assert_int_equal(publish(f, "a", 4), 0);
	assert_site(subscriber, NULL);
	kws_subscriber_destroy(subscriber);
}

/* Who writes an event down before it is sent writes what subscribers get. */
static void test_stamp(void **state)
{
	struct fixture *f = *state;
	char *topic = NULL;
	json_t *sent = NULL;
	json_t *stamped = NULL;
	struct kws_subscriber *subscriber = subscribe(f, "a");
	kws_publisher_set_site(f->publisher, "kitchen");
	for (int number = 1; number <= 2; number++) {
		json_t *event = json_pack("{s:i, s:i}", "v", 1, "number", number);
		assert_int_equal(kws_publisher_stamp(f->publisher, "a", event, &stamped), 0);
		assert_int_equal(publish(f, "b", number), 0);
		assert_int_equal(publish(f, "a", number), 0);
		assert_int_equal(kws_subscriber_receive(subscriber, TIMEOUT_MS, &topic, &sent), 0);
		assert_int_equal(json_integer_value(json_object_get(sent, "seq")), number);
		assert_true(json_equal(stamped, sent));
		free(topic);
		json_decref(sent);
		json_decref(stamped);
		json_decref(event);
	}
	kws_subscriber_destroy(subscriber);
}

static void test_late_joiner(void **state)
{
	struct fixture *f = *state;
	for (int i = 1; i <= 5; i++) {
		assert_int_equal(publish(f, "a", i), 0);
	}
	struct kws_subscriber *subscriber = subscribe(f, "a");
	assert_int_equal(publish(f, "a", 6), 0);
	assert_event(subscriber, "a", 6, 6); /* sees by the number that five were before it */
	kws_subscriber_destroy(subscriber);
}

static void test_counts(void **state)
{
	struct fixture *f = *state;
	assert_int_equal(publish(f, "a", 1), 0);
	assert_int_equal(publish(f, "bad \xff topic", 2), KWS_EINVAL);
	struct kws_publisher_counts counts = kws_publisher_counts(f->publisher);
	assert_int_equal(counts.sent, 1);
	assert_int_equal(counts.failed, 1);
}

static void test_boot(void **state)
{
	struct fixture *f = *state;
	struct kws_publisher *other;
	assert_int_equal(kws_publisher_create(&other, f->context, "inproc://other", 0, NULL), 0);
	assert_int_equal(strlen(kws_publisher_boot(other)), 16);
	assert_int_equal(strspn(kws_publisher_boot(other), "0123456789abcdef"), 16);
	assert_string_not_equal(kws_publisher_boot(other), kws_publisher_boot(f->publisher));
	kws_publisher_destroy(other);
}

static void test_create_fails(void **state)
{
	struct fixture *f = *state;
	struct kws_publisher *other = NULL;
	struct kws_error error;
	assert_int_equal(kws_publisher_create(&other, f->context, "tcp://*:5555", 0, &error),
		KWS_EUNSUPPORTED);
	assert_non_null(strstr(error.text, "CURVE"));
	assert_int_equal(
		kws_publisher_create(&other, f->context, "ipc:///no/such/x", 0, &error), KWS_EIO);
	assert_null(other);
	kws_publisher_destroy(NULL);
}

/* What the slow reader knows: the last number it saw and whether one was skipped. */
struct reader {
	int last;
	bool gap;
};

/* Receives what is there and returns how many. */
static int read_rest(void *socket, struct reader *reader)
{
	char frame[4096];
	int count = 0;
	zmq_pollitem_t item = {.socket = socket, .events = ZMQ_POLLIN};
	while (zmq_poll(&item, 1, 300) > 0) {
		assert_true(zmq_recv(socket, frame, sizeof(frame), 0) >= 0);
		int size = zmq_recv(socket, frame, sizeof(frame) - 1, 0);
		assert_true(size > 0 && size < (int)sizeof(frame));
		frame[size] = '\0';
		int seq;
		assert_int_equal(sscanf(frame, "{\"v\":1,\"seq\":%d,", &seq), 1);
		reader->gap = reader->gap || (reader->last > 0 && seq != reader->last + 1);
		reader->last = seq;
		count++;
	}
	return count;
}

#define FLOOD 6000

/* One reader stands still; the other one gets everything and no send fails or waits. The one that
 * stood still loses messages and can see it. */
static void test_slow_subscriber(void **state)
{
	struct fixture *f = *state;
	char ballast[1001];
	memset(ballast, 'x', sizeof(ballast) - 1);
	ballast[sizeof(ballast) - 1] = '\0';
	void *context = zmq_ctx_new();
	void *slow = zmq_socket(context, ZMQ_SUB);
	kws__frame_set(slow, ZMQ_RCVHWM, 10);
	zmq_setsockopt(slow, ZMQ_SUBSCRIBE, "a", 1);
	assert_int_equal(zmq_connect(slow, f->endpoint), 0);
	struct kws_subscriber *fast = subscribe(f, "a");
	json_t *event = json_pack("{s:i, s:s}", "v", 1, "ballast", ballast);
	for (int i = 1; i <= FLOOD; i++) {
		char *topic = NULL;
		json_t *got = NULL;
		assert_int_equal(kws_publisher_send(f->publisher, "a", event), 0);
		assert_int_equal(kws_subscriber_receive(fast, TIMEOUT_MS, &topic, &got), 0);
		assert_int_equal(json_integer_value(json_object_get(got, "seq")), i);
		free(topic);
		json_decref(got);
	}
	json_decref(event);
	struct reader reader = {.last = 0};
	int count = read_rest(slow, &reader);
	assert_true(count > 0 && count < FLOOD);
	/* it sees the loss at the latest at the next message that comes through */
	assert_int_equal(publish(f, "a", 0), 0);
	assert_int_equal(read_rest(slow, &reader), 1);
	assert_true(reader.gap);
	assert_int_equal(reader.last, FLOOD + 1);
	kws_subscriber_destroy(fast);
	zmq_close(slow);
	zmq_ctx_term(context);
}

#define AUDIO_BYTES 960000 /* 30 s */
#define AUDIO_MESSAGES 150 /* 144 MB */
#define GROWTH_MAX_BYTES (48L << 20)

/* AddressSanitizer keeps what was freed for a while. */
#if defined(__SANITIZE_ADDRESS__)
#define MEMORY_IS_KEPT 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define MEMORY_IS_KEPT 1
#endif
#endif

static long resident_bytes(void)
{
	long pages = 0;
#ifndef MEMORY_IS_KEPT
	FILE *file = fopen("/proc/self/statm", "r");
	assert_non_null(file);
	assert_int_equal(fscanf(file, "%*d %ld", &pages), 1);
	fclose(file);
#endif
	return pages * sysconf(_SC_PAGESIZE);
}

/* A subscriber that takes next to nothing by itself: what it has not read counts here too. */
static void *subscribe_audio(struct fixture *f, void *context)
{
	void *socket = zmq_socket(context, ZMQ_SUB);
	kws__frame_set(socket, ZMQ_RCVHWM, 1);
	kws__frame_set(socket, ZMQ_RCVTIMEO, TIMEOUT_MS);
	zmq_setsockopt(socket, ZMQ_SUBSCRIBE, "a", 1);
	assert_int_equal(zmq_connect(socket, f->endpoint), 0);
	return socket;
}

static int publish_audio(struct fixture *f)
{
	static char audio[AUDIO_BYTES];
	json_t *event = json_pack("{s:i}", "v", 1);
	memset(audio, 1, sizeof(audio));
	int rc = kws_publisher_send_data(f->publisher, "a", event, audio, sizeof(audio));
	json_decref(event);
	return rc;
}

static void restart(struct fixture *f, size_t data_bytes)
{
	kws_publisher_destroy(f->publisher);
	f->publisher = NULL;
	snprintf(f->endpoint, sizeof(f->endpoint), "ipc://%s/audio", f->dir);
	assert_int_equal(
		kws_publisher_create(&f->publisher, f->context, f->endpoint, data_bytes, NULL), 0);
}

/* Returns the sequence number. */
static int receive_audio(void *socket)
{
	static char audio[AUDIO_BYTES];
	char text[256];
	int seq;
	assert_int_equal(zmq_recv(socket, text, sizeof(text), 0), 1);
	int size = zmq_recv(socket, text, sizeof(text) - 1, 0);
	assert_true(size > 0 && size < (int)sizeof(text));
	text[size] = '\0';
	assert_int_equal(sscanf(text, "{\"v\":1,\"seq\":%d,", &seq), 1);
	assert_int_equal(zmq_recv(socket, audio, sizeof(audio), 0), AUDIO_BYTES);
	assert_int_equal(audio[AUDIO_BYTES - 1], 1);
	return seq;
}

/* Two readers stand still: the audio for them stays within bounds, and a third one gets all. */
static void test_audio_for_slow_subscribers(void **state)
{
	struct fixture *f = *state;
	void *context = zmq_ctx_new();
	restart(f, AUDIO_BYTES);
	void *slow[] = {subscribe_audio(f, context), subscribe_audio(f, context)};
	void *fast = subscribe_audio(f, context);
	struct kws_subscriber *last = subscribe(f, "b"); /* the others are there, too */
	long before = resident_bytes();
	for (int i = 1; i <= AUDIO_MESSAGES; i++) {
		assert_int_equal(publish_audio(f), 0);
		assert_int_equal(receive_audio(fast), i);
	}
	assert_true(resident_bytes() - before < GROWTH_MAX_BYTES);
	kws_subscriber_destroy(last);
	zmq_close(fast);
	zmq_close(slow[0]);
	zmq_close(slow[1]);
	zmq_ctx_term(context);
}

/* The publisher was not told of audio, as when a reload turns it on: it holds the rest back. */
static void test_audio_without_notice(void **state)
{
	struct fixture *f = *state;
	void *context = zmq_ctx_new();
	restart(f, 0);
	void *slow = subscribe_audio(f, context);
	struct kws_subscriber *fast = subscribe(f, "b");
	long before = resident_bytes();
	int rc = 0;
	for (int i = 0; i < AUDIO_MESSAGES; i++) {
		rc = publish_audio(f);
		assert_true(rc == 0 || rc == KWS_EBUSY);
	}
	assert_int_equal(rc, KWS_EBUSY);
	assert_true(resident_bytes() - before < GROWTH_MAX_BYTES);
	assert_int_equal(publish(f, "b", 1), 0);
	assert_event(fast, "b", 1, 1);
	zmq_close(slow);
	for (int i = 0; i < 500 && rc == KWS_EBUSY; i++) {
		usleep(10000);
		kws_publisher_tick(f->publisher);
		rc = publish_audio(f);
	}
	assert_int_equal(rc, 0);
	kws_subscriber_destroy(fast);
	zmq_ctx_term(context);
}

static void test_subscriber_refuses_what_is_no_event(void **state)
{
	(void)state;
	struct fixture *f = *state;
	char endpoint[KWS_ENDPOINT_BYTES];
	char *topic;
	json_t *event;
	struct kws_subscriber *subscriber;
	void *socket = zmq_socket(f->context, ZMQ_PUB);
	snprintf(endpoint, sizeof(endpoint), "ipc://%s/raw", f->dir);
	assert_int_equal(kws_endpoint_bind(socket, endpoint, false, NULL), 0);
	assert_int_equal(kws_subscriber_create(&subscriber, endpoint, NULL, NULL), 0);
	assert_int_equal(kws_subscriber_add(subscriber, ""), 0);
	int rc = KWS_ETIMEOUT;
	for (int i = 0; i < 500 && rc == KWS_ETIMEOUT; i++) {
		zmq_send(socket, "lonely", 6, 0);
		rc = kws_subscriber_receive(subscriber, 10, &topic, &event);
	}
	while (rc == KWS_EFORMAT) {
		rc = kws_subscriber_receive(subscriber, 100, &topic, &event);
	}
	assert_int_equal(rc, KWS_ETIMEOUT);

	zmq_send(socket, "t", 1, ZMQ_SNDMORE);
	zmq_send(socket, "[1]", 3, 0);
	zmq_send(socket, "t", 1, ZMQ_SNDMORE);
	zmq_send(socket, "{}", 2, ZMQ_SNDMORE);
	zmq_send(socket, "{}", 2, ZMQ_SNDMORE);
	zmq_send(socket, "{}", 2, 0);
	zmq_send(socket, "t", 1, ZMQ_SNDMORE);
	zmq_send(socket, "{\"x\":1}", 7, 0);
	assert_int_equal(
		kws_subscriber_receive(subscriber, TIMEOUT_MS, &topic, &event), KWS_EFORMAT);
	assert_int_equal(
		kws_subscriber_receive(subscriber, TIMEOUT_MS, &topic, &event), KWS_EFORMAT);
	assert_int_equal(kws_subscriber_receive(subscriber, TIMEOUT_MS, &topic, &event), 0);
	assert_string_equal(topic, "t");
	assert_int_equal(json_object_size(event), 1);
	free(topic);
	json_decref(event);
	kws_subscriber_destroy(subscriber);
	zmq_close(socket);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_frames, setup, teardown),
		cmocka_unit_test_setup_teardown(test_sequence_per_topic, setup, teardown),
		cmocka_unit_test_setup_teardown(test_site, setup, teardown),
		cmocka_unit_test_setup_teardown(test_stamp, setup, teardown),
		cmocka_unit_test_setup_teardown(test_late_joiner, setup, teardown),
		cmocka_unit_test_setup_teardown(test_counts, setup, teardown),
		cmocka_unit_test_setup_teardown(test_boot, setup, teardown),
		cmocka_unit_test_setup_teardown(test_create_fails, setup, teardown),
		cmocka_unit_test_setup_teardown(test_slow_subscriber, setup, teardown),
		cmocka_unit_test_setup_teardown(test_audio_for_slow_subscribers, setup, teardown),
		cmocka_unit_test_setup_teardown(test_audio_without_notice, setup, teardown),
		cmocka_unit_test_setup_teardown(
			test_subscriber_refuses_what_is_no_event, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
