/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/intake.h"

static void on_wake(void *user)
{
	struct kws_intake *intake = user;
	if (intake->capture != NULL) {
		intake->woken(intake->user);
	}
}

int kws_intake_init(struct kws_intake *intake, uv_loop_t *loop, void (*woken)(void *user),
	void (*emptied)(void *user), void *user)
{
	*intake = (struct kws_intake){.woken = woken, .emptied = emptied, .user = user};
	intake->closing.data = intake;
	return kws_wake_init(&intake->wake, loop, on_wake, intake);
}

int kws_intake_open(struct kws_intake *intake, const struct kws_source_config *source)
{
	struct kws_source_config config = *source;
	config.taken = &intake->taken;
	return kws_capture_create(&intake->capture, &config, kws_wake_send, &intake->wake);
}

void kws_intake_set_debug(struct kws_intake *intake, bool debug)
{
	if (intake->capture != NULL) {
		kws_capture_set_debug(intake->capture, debug);
	}
}

void kws_intake_status(struct kws_intake *intake, struct kws_capture_status *out)
{
	if (intake->capture != NULL) {
		kws_capture_status(intake->capture, out);
	} else {
		*out = (struct kws_capture_status){.state = KWS_CAPTURE_STATE_CLOSING};
	}
}

/* The worker thread. */
static void close_old(uv_work_t *work)
{
	struct kws_intake *intake = work->data;
	kws_capture_destroy(intake->old);
}

static void on_wake_closed(void *user)
{
	struct kws_intake *intake = user;
	intake->finished(intake->user);
}

static void on_closed(uv_work_t *work, int status)
{
	struct kws_intake *intake = work->data;
	(void)status;
	intake->old = NULL;
	if (intake->finished != NULL) {
		/* only now: until its threads were joined, the capture could send a wake-up */
		kws_wake_finish(&intake->wake, on_wake_closed);
	} else {
		intake->emptied(intake->user);
	}
}

void kws_intake_empty(struct kws_intake *intake)
{
	if (intake->old != NULL) {
		return;
	}
	intake->old = intake->capture;
	intake->capture = NULL;
	uv_queue_work(intake->wake.async.loop, &intake->closing, close_old, on_closed);
}

void kws_intake_finish(struct kws_intake *intake, void (*finished)(void *user))
{
	intake->finished = finished;
	kws_intake_empty(intake);
}
