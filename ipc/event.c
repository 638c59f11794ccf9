/* SPDX-License-Identifier: Apache-2.0 */
#include "ipc/event.h"

#include <math.h>
#include <stdio.h>
#include <time.h>

#include "common/error.h"
#include "ipc/text.h"

#define SCORE_DECIMALS 4
#define MS_DECIMALS 3
#define DB_DECIMALS 1

/* Fields are added one by one so that their order is fixed; a failure is kept in `rc` and looked at
 * once, at the end. */
struct builder {
	json_t *object;
	int rc;
};

static struct builder begin_event(void)
{
	struct builder builder = {.object = json_object()};
	builder.rc = builder.object != NULL ? 0 : KWS_ENOMEM;
	return builder;
}

/* Takes `value`. */
static void put(struct builder *builder, const char *key, json_t *value)
{
	if (json_object_set_new(builder->object, key, value) != 0) {
		builder->rc = KWS_ENOMEM;
	}
}

static int finish_event(struct builder *builder, json_t **out)
{
	if (builder->rc < 0) {
		json_decref(builder->object);
		return builder->rc;
	}
	*out = builder->object;
	return 0;
}

static json_t *real_or_null(double value, int decimals)
{
	if (!isfinite(value)) {
		return json_null();
	}
	double scale = pow(10.0, decimals);
	double rounded = round(value * scale) / scale;
	if (!isfinite(rounded)) {
		rounded = value; /* so large that it has no decimals */
	}
	return json_real(rounded + 0.0); /* -0.0 would print as "-0.0" */
}

static void put_real(struct builder *builder, const char *key, double value, int decimals)
{
	put(builder, key, real_or_null(value, decimals));
}

static void put_integer(struct builder *builder, const char *key, uint64_t value)
{
	put(builder, key, json_integer((json_int_t)value));
}

static void put_text(struct builder *builder, const char *key, const char *text)
{
	put(builder, key, kws_text_json(text));
}

/* RFC 3339 in UTC with milliseconds; null for a time before 1970 or after the year 9999. */
static void put_time(struct builder *builder, const char *key, int64_t time_ms)
{
	char date[32];
	char text[40];
	struct tm utc;
	time_t seconds = (time_t)(time_ms / 1000);
	if (time_ms < 0 || gmtime_r(&seconds, &utc) == NULL || utc.tm_year > 9999 - 1900) {
		put(builder, key, json_null());
		return;
	}
	strftime(date, sizeof(date), "%Y-%m-%dT%H:%M:%S", &utc);
	snprintf(text, sizeof(text), "%s.%03dZ", date, (int)(time_ms % 1000));
	put_text(builder, key, text);
}

static void put_clocks(struct builder *builder, int64_t time_ms, int64_t monotonic_ns)
{
	put_time(builder, "time", time_ms);
	put(builder, "monotonic_ns", monotonic_ns >= 0 ? json_integer(monotonic_ns) : json_null());
}

int kws_event_detection(const struct kws_detection_event *event, json_t **out)
{
	if (event->name == NULL) {
		return KWS_EINVAL;
	}
	struct builder builder = begin_event();
	put_integer(&builder, "v", KWS_EVENT_VERSION);
	put_text(&builder, "name", event->name);
	put_text(&builder, "phrase", event->phrase);
	put_real(&builder, "score", event->score, SCORE_DECIMALS);
	put_real(&builder, "threshold", event->threshold, SCORE_DECIMALS);
	put_integer(&builder, "exit", event->exit);
	put_integer(&builder, "exits", event->exits);
	put_real(&builder, "entropy", event->entropy, SCORE_DECIMALS);
	put_text(&builder, "policy", event->policy);
	put_text(&builder, "reason", event->reason);
	put_integer(&builder, "hop", event->hop);
	put_integer(&builder, "sample", event->sample);
	put_real(&builder, "audio_ms", event->audio_ms, MS_DECIMALS);
	put_clocks(&builder, event->time_ms, event->monotonic_ns);
	put_real(&builder, "latency_ms", event->latency_ms >= 0.0 ? event->latency_ms : (double)NAN,
		MS_DECIMALS);
	put_real(&builder, "rms_dbfs", event->rms_dbfs, DB_DECIMALS);
	put_real(&builder, "snr_db", event->snr_db, DB_DECIMALS);
	put_text(&builder, "model", event->model);
	return finish_event(&builder, out);
}

static json_t *posteriors_json(const struct kws_score_event *event)
{
	struct builder builder = begin_event();
	json_t *object = NULL;
	for (size_t i = 0; i < event->count; i++) {
		put_real(&builder, event->labels[i], (double)event->posteriors[i], SCORE_DECIMALS);
	}
	finish_event(&builder, &object);
	return object;
}

int kws_event_score(const struct kws_score_event *event, json_t **out)
{
	struct builder builder = begin_event();
	put_integer(&builder, "v", KWS_EVENT_VERSION);
	put_integer(&builder, "hop", event->hop);
	put_integer(&builder, "sample", event->sample);
	put_integer(&builder, "exit", event->exit);
	put_integer(&builder, "exits", event->exits);
	put_real(&builder, "entropy", event->entropy, SCORE_DECIMALS);
	put_text(&builder, "policy", event->policy);
	put_text(&builder, "reason", event->reason);
	put_real(&builder, "change", event->change, SCORE_DECIMALS);
	put_integer(&builder, "disagreement", event->disagreement);
	put_text(&builder, "label", event->label);
	put_real(&builder, "score", event->score, SCORE_DECIMALS);
	put(&builder, "posteriors", posteriors_json(event));
	put_text(&builder, "model", event->model);
	return finish_event(&builder, out);
}

int kws_event_audio(const struct kws_audio_event *event, json_t **out)
{
	if (event->name == NULL) {
		return KWS_EINVAL;
	}
	struct builder builder = begin_event();
	put_integer(&builder, "v", KWS_EVENT_VERSION);
	put_text(&builder, "name", event->name);
	put_text(&builder, "format", "S16LE");
	put_integer(&builder, "channels", 1);
	put_integer(&builder, "rate_hz", event->rate_hz);
	put_integer(&builder, "start_sample", event->start_sample);
	put_integer(&builder, "end_sample", event->end_sample);
	put_integer(&builder, "hop", event->hop);
	put_integer(&builder, "sample", event->sample);
	put_clocks(&builder, event->time_ms, event->monotonic_ns);
	put_text(&builder, "model", event->model);
	return finish_event(&builder, out);
}

int kws_event_level(double rms_dbfs, double peak_dbfs, json_t **out)
{
	struct builder builder = begin_event();
	put_integer(&builder, "v", KWS_EVENT_VERSION);
	put_real(&builder, "rms_dbfs", rms_dbfs, DB_DECIMALS);
	put_real(&builder, "peak_dbfs", peak_dbfs, DB_DECIMALS);
	return finish_event(&builder, out);
}

int kws_event_state(const struct kws_state_event *event, json_t **out)
{
	if (event->state == NULL) {
		return KWS_EINVAL;
	}
	struct builder builder = begin_event();
	put_integer(&builder, "v", KWS_EVENT_VERSION);
	put_text(&builder, "state", event->state);
	put_text(&builder, "reason", event->reason);
	put_clocks(&builder, event->time_ms, event->monotonic_ns);
	return finish_event(&builder, out);
}

int kws_event_stamp(json_t *event, uint64_t seq, const char *boot, const char *site, json_t **out)
{
	struct builder builder = begin_event();
	put_integer(&builder, "v", KWS_EVENT_VERSION);
	put_integer(&builder, "seq", seq);
	put_text(&builder, "boot", boot);
	if (json_object_update(builder.object, event) != 0) {
		builder.rc = KWS_ENOMEM;
	}
	/* a setting: not configured it is empty */
	put_text(&builder, "site", site != NULL && site[0] != '\0' ? site : NULL);
	return finish_event(&builder, out);
}

char *kws_event_dump(const json_t *event)
{
	return kws_text_dump(event);
}
