/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <setjmp.h>

#include <cmocka.h>
#include <math.h>

#include "common/error.h"
#include "ipc/event.h"

static struct kws_detection_event full_detection(void)
{
	return (struct kws_detection_event){
		.name = "marvin",
		.phrase = "hey marvin",
		.model = "kws-12",
		.score = 0.91234567,
		.threshold = 0.85,
		.exit = 2,
		.exits = 5,
		.entropy = 0.31415926,
		.policy = "score",
		.reason = "confirmed",
		.hop = 12345678901,
		.sample = 1975308624160,
		.audio_ms = 123456789010.0,
		.time_ms = 1785585296789,
		.monotonic_ns = 86400000000000,
		.latency_ms = 84.2504,
		.rms_dbfs = -31.26,
		.snr_db = 18.04,
	};
}

/* Takes `event`. */
static void assert_dump(json_t *event, const char *expected)
{
	char *text = kws_event_dump(event);
	assert_non_null(text);
	assert_string_equal(text, expected);
	free(text);
	json_decref(event);
}

static void test_detection(void **state)
{
	(void)state;
	struct kws_detection_event event = full_detection();
	json_t *json = NULL;
	assert_int_equal(kws_event_detection(&event, &json), 0);
	assert_dump(json,
		"{\"v\":1,\"name\":\"marvin\",\"phrase\":\"hey marvin\",\"score\":0.9123,"
		"\"threshold\":0.85,\"exit\":2,\"exits\":5,\"entropy\":0.3142,"
		"\"policy\":\"score\",\"reason\":\"confirmed\","
		"\"hop\":12345678901,\"sample\":1975308624160,\"audio_ms\":123456789010.0,"
		"\"time\":\"2026-08-01T11:54:56.789Z\",\"monotonic_ns\":86400000000000,"
		"\"latency_ms\":84.25,\"rms_dbfs\":-31.3,\"snr_db\":18.0,"
		"\"model\":\"kws-12\"}");
}

static void test_detection_unknowns(void **state)
{
	(void)state;
	struct kws_detection_event event = {
		.name = "go",
		.score = (double)NAN,
		.threshold = (double)INFINITY,
		.exit = 1,
		.exits = 1,
		.entropy = -0.00001,
		.audio_ms = 1e300,
		.time_ms = -1,
		.monotonic_ns = -1,
		.latency_ms = -1.0,
		.rms_dbfs = -(double)INFINITY,
		.snr_db = (double)NAN,
	};
	json_t *json = NULL;
	assert_int_equal(kws_event_detection(&event, &json), 0);
	assert_dump(json,
		"{\"v\":1,\"name\":\"go\",\"phrase\":null,\"score\":null,\"threshold\":null,"
		"\"exit\":1,\"exits\":1,\"entropy\":0.0,\"policy\":null,\"reason\":null,"
		"\"hop\":0,\"sample\":0,"
		"\"audio_ms\":1e300,\"time\":null,\"monotonic_ns\":null,\"latency_ms\":null,"
		"\"rms_dbfs\":null,\"snr_db\":null,\"model\":null}");
}

static void test_detection_needs_a_name(void **state)
{
	(void)state;
	struct kws_detection_event event = full_detection();
	json_t *json = NULL;
	event.name = NULL;
	assert_int_equal(kws_event_detection(&event, &json), KWS_EINVAL);
	assert_null(json);
}

static void assert_text(const char *text, const char *expected)
{
	struct kws_detection_event event = full_detection();
	json_t *json = NULL;
	event.phrase = text;
	assert_int_equal(kws_event_detection(&event, &json), 0);
	assert_string_equal(json_string_value(json_object_get(json, "phrase")), expected);
	json_decref(json);
}

static void test_texts(void **state)
{
	(void)state;
	assert_text("k\xc3\xbc"
		    "che",
		"k\xc3\xbc"
		"che");
	assert_text("k\xfc"
		    "che",
		"k?che"); /* Latin-1 */
	assert_text("cut \xe2\x82", "cut ??");
	assert_text("\xf0\x9f\x8e\xa4", "\xf0\x9f\x8e\xa4");
	assert_text("\xf4\x8f\xbf\xbf", "\xf4\x8f\xbf\xbf");
	assert_text("\xc0\xaf", "??"); /* overlong */
	assert_text("\xe0\x9f\xbf", "???");
	assert_text("\xf0\x8f\xbf\xbf", "????");
	assert_text("\xed\xa0\x80", "???");      /* half of a surrogate pair */
	assert_text("\xf4\x90\x80\x80", "????"); /* beyond Unicode */
	assert_text("\xe2\x28\xa1", "?(?");
	assert_text("a\"b\n", "a\"b\n");
}

static void assert_time(int64_t time_ms, const char *expected)
{
	struct kws_detection_event event = full_detection();
	json_t *json = NULL;
	event.time_ms = time_ms;
	assert_int_equal(kws_event_detection(&event, &json), 0);
	const json_t *time = json_object_get(json, "time");
	if (expected == NULL) {
		assert_true(json_is_null(time));
	} else {
		assert_string_equal(json_string_value(time), expected);
	}
	json_decref(json);
}

static void test_times(void **state)
{
	(void)state;
	assert_time(0, "1970-01-01T00:00:00.000Z");
	assert_time(951827696007, "2000-02-29T12:34:56.007Z");
	assert_time(253402300799999, "9999-12-31T23:59:59.999Z");
	assert_time(253402300800000, NULL);
	assert_time(INT64_MAX, NULL);
	assert_time(INT64_MIN, NULL);
}

static void test_score(void **state)
{
	(void)state;
	const char *labels[] = {"yes", "no", "silence"};
	const float posteriors[] = {0.9f, 0.099994f, NAN};
	struct kws_score_event event = {.hop = 7,
		.sample = 16960,
		.exit = 1,
		.exits = 3,
		.entropy = 0.5,
		.policy = "difference",
		.reason = "unchanged",
		.change = 1.23456,
		.disagreement = 2,
		.label = "yes",
		.score = 0.9,
		.labels = labels,
		.posteriors = posteriors,
		.count = 3,
		.model = "commands"};
	json_t *json = NULL;
	assert_int_equal(kws_event_score(&event, &json), 0);
	assert_dump(json,
		"{\"v\":1,\"hop\":7,\"sample\":16960,\"exit\":1,\"exits\":3,\"entropy\":0.5,"
		"\"policy\":\"difference\",\"reason\":\"unchanged\",\"change\":1.2346,"
		"\"disagreement\":2,"
		"\"label\":\"yes\",\"score\":0.9,"
		"\"posteriors\":{\"yes\":0.9,\"no\":0.1,\"silence\":null},\"model\":\"commands\"}");
}

static void test_audio(void **state)
{
	(void)state;
	struct kws_audio_event event = {.start_sample = 13440,
		.end_sample = 29440,
		.rate_hz = 16000,
		.name = "marvin",
		.hop = 21,
		.sample = 29360,
		.time_ms = 1,
		.monotonic_ns = 2,
		.model = "kws-12"};
	json_t *json = NULL;
	assert_int_equal(kws_event_audio(&event, &json), 0);
	assert_dump(json,
		"{\"v\":1,\"name\":\"marvin\",\"format\":\"S16LE\",\"channels\":1,"
		"\"rate_hz\":16000,\"start_sample\":13440,\"end_sample\":29440,\"hop\":21,"
		"\"sample\":29360,\"time\":\"1970-01-01T00:00:00.001Z\",\"monotonic_ns\":2,"
		"\"model\":\"kws-12\"}");
	event.name = NULL;
	assert_int_equal(kws_event_audio(&event, &json), KWS_EINVAL);
}

static void test_level(void **state)
{
	(void)state;
	json_t *json = NULL;
	assert_int_equal(kws_event_level(-42.04, -(double)INFINITY, &json), 0);
	assert_dump(json, "{\"v\":1,\"rms_dbfs\":-42.0,\"peak_dbfs\":null}");
}

static void test_state(void **state)
{
	(void)state;
	struct kws_state_event event = {.state = "listening", .time_ms = 1, .monotonic_ns = 2};
	json_t *json = NULL;
	assert_int_equal(kws_event_state(&event, &json), 0);
	assert_dump(json, "{\"v\":1,\"state\":\"listening\",\"reason\":null,"
			  "\"time\":\"1970-01-01T00:00:00.001Z\",\"monotonic_ns\":2}");
	event.state = NULL;
	assert_int_equal(kws_event_state(&event, &json), KWS_EINVAL);
}

static void test_stamp(void **state)
{
	(void)state;
	json_t *event = NULL;
	json_t *stamped = NULL;
	assert_int_equal(kws_event_level(-1.0, -0.5, &event), 0);
	assert_int_equal(kws_event_stamp(event, 41, "00ff", "kitchen", &stamped), 0);
	assert_dump(stamped,
		"{\"v\":1,\"seq\":41,\"boot\":\"00ff\",\"rms_dbfs\":-1.0,\"peak_dbfs\":-0.5,"
		"\"site\":\"kitchen\"}");
	assert_dump(event, "{\"v\":1,\"rms_dbfs\":-1.0,\"peak_dbfs\":-0.5}");
}

static void assert_no_site(const char *site)
{
	json_t *event = NULL;
	json_t *stamped = NULL;
	assert_int_equal(kws_event_level(-1.0, -0.5, &event), 0);
	assert_int_equal(kws_event_stamp(event, 1, NULL, site, &stamped), 0);
	assert_true(json_is_null(json_object_get(stamped, "site")));
	json_decref(stamped);
	json_decref(event);
}

static void test_stamp_without_a_site(void **state)
{
	(void)state;
	assert_no_site("");
	assert_no_site(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_detection),
		cmocka_unit_test(test_detection_unknowns),
		cmocka_unit_test(test_detection_needs_a_name),
		cmocka_unit_test(test_texts),
		cmocka_unit_test(test_times),
		cmocka_unit_test(test_score),
		cmocka_unit_test(test_audio),
		cmocka_unit_test(test_level),
		cmocka_unit_test(test_state),
		cmocka_unit_test(test_stamp),
		cmocka_unit_test(test_stamp_without_a_site),
	};
	return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
