/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>
#include <zmq.h>

#include "ipc/frame.h"
#include "ipc/zap.h"

#define TIMEOUT_MS 5000

struct fixture {
	struct kws_keyring ring;
	uint8_t reader[32];
	uint8_t operator_[32];
	uint8_t stranger[32];
	struct kws_zap_frame frames[KWS_ZAP_FRAMES];
};

static void add_key(struct kws_keyring *ring, const char *name, enum kws_right right, uint8_t *key)
{
	struct kws_key_pair pair;
	assert_int_equal(kws_keys_make(&pair, NULL), 0);
	assert_non_null(zmq_z85_decode(key, pair.public_key));
	if (right != KWS_RIGHT_NONE) {
		assert_int_equal(kws_keyring_add(ring, name, pair.public_key, right, NULL), 0);
	}
}

static struct kws_zap_frame text(const char *content)
{
	return (struct kws_zap_frame){content, strlen(content)};
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	if (f == NULL) {
		return -1;
	}
	*state = f;
	add_key(&f->ring, "reader", KWS_RIGHT_EVENTS, f->reader);
	add_key(&f->ring, "operator", KWS_RIGHT_CONTROL, f->operator_);
	add_key(&f->ring, "stranger", KWS_RIGHT_NONE, f->stranger);
	f->frames[0] = text("1.0");
	f->frames[1] = text("7");
	f->frames[2] = text(KWS_ZAP_EVENTS);
	f->frames[3] = text("192.168.0.7");
	f->frames[4] = text("");
	f->frames[5] = text("CURVE");
	f->frames[6] = (struct kws_zap_frame){f->reader, 32};
	return 0;
}

static int teardown(void **state)
{
	free(*state);
	return 0;
}

static struct kws_zap_decision decide(const struct fixture *f)
{
	struct kws_zap_decision decision;
	kws_zap_decide(&f->ring, f->frames, KWS_ZAP_FRAMES, &decision);
	assert_true(decision.accepted == (strcmp(decision.status, "200") == 0));
	return decision;
}

static void test_rights(void **state)
{
	struct fixture *f = *state;
	const struct {
		const uint8_t *key;
		const char *domain;
		bool accepted;
		const char *name;
	} cases[] = {
		{f->reader, KWS_ZAP_EVENTS, true, "reader"},
		{f->reader, KWS_ZAP_CONTROL, false, "reader"},
		{f->operator_, KWS_ZAP_EVENTS, true, "operator"},
		{f->operator_, KWS_ZAP_CONTROL, true, "operator"},
		{f->stranger, KWS_ZAP_EVENTS, false, ""},
		{f->stranger, KWS_ZAP_CONTROL, false, ""},
		{f->operator_, "", false, ""},
		{f->operator_, "kwsd", false, ""},
		{f->operator_, "kwsd.controls", false, ""},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		f->frames[2] = text(cases[i].domain);
		f->frames[6].data = cases[i].key;
		struct kws_zap_decision decision = decide(f);
		assert_int_equal(decision.accepted, cases[i].accepted);
		assert_string_equal(decision.name, cases[i].name);
		if (!decision.accepted) {
			assert_string_equal(decision.status, "400");
			assert_string_not_equal(decision.reason, "");
		}
	}
}

static void test_other_mechanisms(void **state)
{
	struct fixture *f = *state;
	static const char *const mechanisms[] = {"", "NULL", "PLAIN", "GSSAPI", "curve", "CURVE "};
	for (size_t i = 0; i < sizeof(mechanisms) / sizeof(mechanisms[0]); i++) {
		f->frames[5] = text(mechanisms[i]);
		assert_string_equal(decide(f).status, "400");
	}
	f->frames[5] = text("CURVE");
	for (size_t size = 0; size < 32; size++) {
		f->frames[6].size = size;
		assert_string_equal(decide(f).status, "400");
	}
}

static void test_malformed(void **state)
{
	struct fixture *f = *state;
	struct kws_zap_decision decision;
	char long_id[256] = "";
	for (size_t count = 0; count <= KWS_ZAP_FRAMES + 1; count++) {
		kws_zap_decide(&f->ring, f->frames, count, &decision);
		assert_string_equal(decision.status, count == KWS_ZAP_FRAMES ? "200" : "500");
	}
	f->frames[1] = (struct kws_zap_frame){long_id, 256};
	assert_string_equal(decide(f).status, "500");
	f->frames[1].size = 255;
	assert_string_equal(decide(f).status, "200");
	f->frames[0] = text("2.0");
	assert_string_equal(decide(f).status, "500");
}

static void test_address_is_printable(void **state)
{
	struct fixture *f = *state;
	f->frames[3] = text("10.0.0.1\n\x1b[2J\xff");
	assert_string_equal(decide(f).address, "10.0.0.1??[2J?");
	char long_address[100];
	memset(long_address, '1', sizeof(long_address));
	f->frames[3] = (struct kws_zap_frame){long_address, sizeof(long_address)};
	assert_int_equal(strlen(decide(f).address), sizeof(decide(f).address) - 1);
}

struct server {
	uv_loop_t loop;
	void *context;
	void *client;
	struct kws_zap *zap;
	int decided;
	bool malformed;
};

static void on_decided(void *user, const struct kws_zap_decision *decision)
{
	struct server *server = user;
	assert_string_equal(decision->address, server->malformed ? "" : "192.168.0.7");
	server->decided++;
}

static void send_request(struct server *server, const struct kws_zap_frame *frames, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		assert_int_equal(kws__frame_send(server->client, frames[i].data, frames[i].size,
					 i + 1 < count ? ZMQ_SNDMORE : 0),
			0);
	}
}

static void assert_reply(struct server *server, const char *const *expected)
{
	int64_t deadline_ms = kws__frame_deadline(TIMEOUT_MS);
	while (kws__frame_wait(server->client, kws__frame_deadline(1)) != 0) {
		assert_true(kws__frame_deadline(0) < deadline_ms);
		uv_run(&server->loop, UV_RUN_NOWAIT);
	}
	for (size_t i = 0; i < 6; i++) {
		char frame[256];
		int more;
		size_t size = sizeof(more);
		int got = zmq_recv(server->client, frame, sizeof(frame) - 1, ZMQ_DONTWAIT);
		assert_true(got >= 0);
		frame[got] = '\0';
		assert_string_equal(frame, expected[i]);
		assert_int_equal(zmq_getsockopt(server->client, ZMQ_RCVMORE, &more, &size), 0);
		assert_int_equal(more, i < 5);
	}
}

/* As libzmq does it, through inproc. */
static void test_handler(void **state)
{
	struct fixture *f = *state;
	struct server server = {.decided = 0};
	struct kws_zap *second;
	struct kws_zap_decision decision = decide(f);
	uv_loop_init(&server.loop);
	server.context = zmq_ctx_new();
	assert_int_equal(kws_zap_create(&server.zap, &server.loop, server.context, &f->ring,
				 on_decided, &server, NULL),
		0);
	assert_int_equal(
		kws_zap_create(&second, &server.loop, server.context, &f->ring, NULL, NULL, NULL),
		KWS_EIO);
	server.client = zmq_socket(server.context, ZMQ_REQ);
	kws__frame_set(server.client, ZMQ_LINGER, 0);
	assert_int_equal(zmq_connect(server.client, KWS_ZAP_ENDPOINT), 0);

	send_request(&server, f->frames, KWS_ZAP_FRAMES);
	assert_reply(
		&server, (const char *const[]){"1.0", "7", "200", "", decision.public_key, ""});
	f->frames[6].data = f->stranger;
	send_request(&server, f->frames, KWS_ZAP_FRAMES);
	assert_reply(&server,
		(const char *const[]){"1.0", "7", "400", "the key is not authorized", "", ""});
	assert_int_equal(server.decided, 2);
	f->frames[6].data = f->reader;
	assert_int_equal(kws_keyring_remove(&f->ring, "reader", NULL), 0);
	send_request(&server, f->frames, KWS_ZAP_FRAMES);
	assert_reply(&server,
		(const char *const[]){"1.0", "7", "400", "the key is not authorized", "", ""});

	/* one frame or too many get an answer as well, or the client of a REQ would wait for ever
	 */
	server.malformed = true;
	send_request(&server, f->frames, 1);
	assert_reply(&server, (const char *const[]){"1.0", "", "500", "malformed request", "", ""});
	struct kws_zap_frame many[2 * KWS_ZAP_FRAMES];
	memcpy(many, f->frames, sizeof(f->frames));
	memcpy(many + KWS_ZAP_FRAMES, f->frames, sizeof(f->frames));
	send_request(&server, many, 2 * KWS_ZAP_FRAMES);
	assert_reply(
		&server, (const char *const[]){"1.0", "7", "500", "malformed request", "", ""});

	kws_zap_close(server.zap);
	kws_zap_close(NULL);
	uv_run(&server.loop, UV_RUN_DEFAULT);
	assert_int_equal(uv_loop_close(&server.loop), 0);
	zmq_close(server.client);
	zmq_ctx_term(server.context);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_rights),
		TEST(test_other_mechanisms),
		TEST(test_malformed),
		TEST(test_address_is_printable),
		TEST(test_handler),
	};
	if (kws_keys_supported(NULL) != 0) {
		return 77;
	}
	return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
