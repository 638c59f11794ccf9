/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/intake.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define SAMPLES 4096

static const struct kws_source_config silence = {.type = "null"};

struct owner {
	struct kws_intake intake;
	uv_loop_t loop;
	unsigned streams; /* opened */
	size_t frames;    /* read */
	unsigned emptied;
	unsigned finished;
};

static void on_woken(void *user)
{
	struct owner *owner = user;
	static int16_t samples[SAMPLES];
	struct kws_capture_event event;
	size_t count;
	do {
		count = kws_capture_read(owner->intake.capture, samples, SAMPLES, &event);
		owner->frames += count;
		owner->streams += event.type == KWS_CAPTURE_OPENED;
	} while (count > 0 || event.type != KWS_CAPTURE_NONE);
}

static void on_emptied(void *user)
{
	struct owner *owner = user;
	owner->emptied++;
	assert_null(owner->intake.capture);
	assert_int_equal(kws_intake_open(&owner->intake, &silence), 0);
}

static void on_finished(void *user)
{
	struct owner *owner = user;
	owner->finished++;
}

static void begin(struct owner *owner)
{
	*owner = (struct owner){0};
	assert_int_equal(uv_loop_init(&owner->loop), 0);
	assert_int_equal(
		kws_intake_init(&owner->intake, &owner->loop, on_woken, on_emptied, owner), 0);
	assert_int_equal(kws_intake_open(&owner->intake, &silence), 0);
}

static void listen_to(struct owner *owner, unsigned stream)
{
	owner->frames = 0;
	while (owner->streams < stream || owner->frames == 0) {
		uv_run(&owner->loop, UV_RUN_ONCE);
	}
}

static void end(struct owner *owner)
{
	kws_intake_finish(&owner->intake, on_finished);
	assert_int_equal(uv_run(&owner->loop, UV_RUN_DEFAULT), 0);
	assert_int_equal(owner->finished, 1);
	assert_int_equal(uv_loop_close(&owner->loop), 0);
}

static void exchanges_the_capture(void **state)
{
	(void)state;
	struct owner owner;
	begin(&owner);
	listen_to(&owner, 1);
	kws_intake_empty(&owner.intake);
	assert_null(owner.intake.capture);
	assert_int_equal(owner.emptied, 0); /* not before a later turn */
	kws_intake_empty(&owner.intake);    /* changed again meanwhile */
	listen_to(&owner, 2);
	assert_int_equal(owner.emptied, 1);
	end(&owner);
}

static void ends_during_an_exchange(void **state)
{
	(void)state;
	struct owner owner;
	begin(&owner);
	listen_to(&owner, 1);
	kws_intake_empty(&owner.intake);
	end(&owner);
	assert_int_equal(owner.emptied, 0);
}

static void ends_without_a_capture(void **state)
{
	(void)state;
	struct owner owner = {0};
	assert_int_equal(uv_loop_init(&owner.loop), 0);
	assert_int_equal(
		kws_intake_init(&owner.intake, &owner.loop, on_woken, on_emptied, &owner), 0);
	end(&owner);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(exchanges_the_capture),
		cmocka_unit_test(ends_during_an_exchange),
		cmocka_unit_test(ends_without_a_capture),
	};
	return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
