/* SPDX-License-Identifier: Apache-2.0 */
#include "systemd/watchdog.h"

#include <stdlib.h>
#include <unistd.h>

#include "systemd/notify.h"

static bool read_number(const char *name, unsigned long long *value)
{
	const char *text = getenv(name);
	char *end;
	if (text == NULL || *text < '0' || *text > '9') {
		return false;
	}
	*value = strtoull(text, &end, 10);
	return *end == '\0';
}

void kws_watchdog_init(struct kws_watchdog *watchdog, uint64_t now_ms)
{
	unsigned long long period_us = 0;
	unsigned long long pid = (unsigned long long)getpid();
	*watchdog = (struct kws_watchdog){0};
	if (!read_number("WATCHDOG_USEC", &period_us) ||
		(getenv("WATCHDOG_PID") != NULL && !read_number("WATCHDOG_PID", &pid)) ||
		pid != (unsigned long long)getpid()) {
		return;
	}
	watchdog->period_ms = period_us / 1000;
	watchdog->due_ms = now_ms + watchdog->period_ms / 2;
}

bool kws_watchdog_tick(
	struct kws_watchdog *watchdog, uint64_t now_ms, const struct kws_progress *progress)
{
	const struct kws_progress *told = &watchdog->told;
	if (watchdog->period_ms == 0 || now_ms < watchdog->due_ms) {
		return true;
	}
	watchdog->due_ms = now_ms + watchdog->period_ms / 2;
	bool alive = (progress->frames != told->frames && progress->hops != told->hops) ||
		     progress->excuses != told->excuses;
	watchdog->told = *progress;
	if (alive) {
		kws_notify("WATCHDOG=1");
	}
	return alive;
}
