/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KWS_AUDIO_MONITOR_H
#define KWS_AUDIO_MONITOR_H

#include <pthread.h>
#include <stdint.h>

/* A lock and the one condition "something that it guards has changed", with deadlines on
 * CLOCK_MONOTONIC: a jump of the wall clock must not move a timeout. */
struct kws_monitor {
	pthread_mutex_t lock;
	pthread_cond_t changed;
};

/* Errors: KWS_ENOMEM; then there is nothing to finish. */
int kws_monitor_init(struct kws_monitor *monitor);
void kws_monitor_finish(struct kws_monitor *monitor);

/* RT-safe: no, like all that follow. Thread: any. */
void kws_monitor_lock(struct kws_monitor *monitor);
void kws_monitor_unlock(struct kws_monitor *monitor);

/* Wakes all that wait. */
void kws_monitor_notify(struct kws_monitor *monitor);

/* With the lock held: gives it up until a notify (or for no reason: look at the condition again),
 * the second at most until CLOCK_MONOTONIC is `deadline_ns`. */
void kws_monitor_wait(struct kws_monitor *monitor);
void kws_monitor_wait_until(struct kws_monitor *monitor, uint64_t deadline_ns);

#endif
