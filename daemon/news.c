/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/news.h"

#include "common/error.h"
#include "daemon/log.h"

void kws_news_send(struct kws_publisher *publisher, const char *topic, json_t *event)
{
	int result = event != NULL ? kws_publisher_send(publisher, topic, event) : KWS_ENOMEM;
	if (result != 0) {
		kws_log_warning("cannot publish %s: %s", topic, kws_strerror(result));
	}
	json_decref(event);
}
