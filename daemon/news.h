/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KWS_DAEMON_NEWS_H
#define KWS_DAEMON_NEWS_H

#include <jansson.h>

#include "ipc/publisher.h"

/* Publishes `event`, whose reference it takes; NULL is a failure to build it. Whatever keeps it
 * from being sent is logged. Thread: loop. */
void kws_news_send(struct kws_publisher *publisher, const char *topic, json_t *event);

#endif
