/* SPDX-License-Identifier: Apache-2.0 */
#include "audio/monitor.h"

#include <time.h>

#include "common/error.h"

#define NS_PER_S 1000000000u

int kws_monitor_init(struct kws_monitor *monitor)
{
	pthread_condattr_t attr;
	if (pthread_condattr_init(&attr) != 0) {
		return KWS_ENOMEM;
	}
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	int failed = pthread_cond_init(&monitor->changed, &attr);
	pthread_condattr_destroy(&attr);
	if (failed != 0) {
		return KWS_ENOMEM;
	}
	if (pthread_mutex_init(&monitor->lock, NULL) != 0) {
		pthread_cond_destroy(&monitor->changed);
		return KWS_ENOMEM;
	}
	return 0;
}

void kws_monitor_finish(struct kws_monitor *monitor)
{
	pthread_mutex_destroy(&monitor->lock);
	pthread_cond_destroy(&monitor->changed);
}

void kws_monitor_lock(struct kws_monitor *monitor)
{
	pthread_mutex_lock(&monitor->lock);
}

void kws_monitor_unlock(struct kws_monitor *monitor)
{
	pthread_mutex_unlock(&monitor->lock);
}

void kws_monitor_notify(struct kws_monitor *monitor)
{
	pthread_cond_broadcast(&monitor->changed);
}

void kws_monitor_wait(struct kws_monitor *monitor)
{
	pthread_cond_wait(&monitor->changed, &monitor->lock);
}

void kws_monitor_wait_until(struct kws_monitor *monitor, uint64_t deadline_ns)
{
	struct timespec deadline = {
		.tv_sec = (time_t)(deadline_ns / NS_PER_S),
		.tv_nsec = (long)(deadline_ns % NS_PER_S),
	};
	pthread_cond_timedwait(&monitor->changed, &monitor->lock, &deadline);
}
