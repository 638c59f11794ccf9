/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KWS_IPC_PUBLISHER_H
#define KWS_IPC_PUBLISHER_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

#include "common/error.h"
#include "ipc/keys.h"

/* The PUB socket of the events. A message has two frames: the topic and one JSON object;
 * kws.audio has a third one with the samples.
 *
 * Each message carries `seq` and `boot`, so that a subscriber sees what it lost. `seq` counts from
 * 1 per topic and not over all messages: ZeroMQ filters by topic, and a subscriber of one topic
 * would take the messages of the others for losses. `boot` is a random number of this publisher.
 * `site` tells the places of several publishers apart.
 *
 * A subscriber that does not read loses messages beyond its queue; the others and the daemon never
 * wait for it. For that reason ZMQ_XPUB_NODROP must not be set here.
 *
 * Thread: one and the same for all functions, the loop's. RT-safe: no. */
struct kws_publisher;

/* Messages that wait for one slow subscriber (ZMQ_SNDHWM) before the next ones are dropped: fewer
 * where third frames are so large that more would pass KWS_PUBLISHER_QUEUE_BYTES. */
#define KWS_PUBLISHER_QUEUE 1000
#define KWS_PUBLISHER_QUEUE_MIN 16
#define KWS_PUBLISHER_QUEUE_BYTES 16777216

/* The third frames that wait for all subscribers together, in all publishers of the process. */
#define KWS_PUBLISHER_WAITING_BYTES 41943040

/* How long messages under way may hold up the end of the daemon (ZMQ_LINGER). */
#define KWS_PUBLISHER_LINGER_MS 250

struct kws_publisher_counts {
	uint64_t sent;
	uint64_t failed;
};

/* Binds `endpoint` (see kws_endpoint_bind()). `context` is a ZeroMQ context and outlives the
 * publisher. `data_bytes` is the size of the third frames, 0 if there will be none: each
 * subscriber's queue follows from it for good. Larger ones may be sent, but a subscriber that does
 * not read can then bring them to KWS_PUBLISHER_WAITING_BYTES, and nobody gets more until it does.
 * Binding the same ipc endpoint again in this process while libzmq still closes the old socket
 * would lose the new socket file, so another endpoint needs a restart of the daemon. Errors: those
 * of kws_endpoint_bind(), KWS_ENOMEM. */
int kws_publisher_create(struct kws_publisher **out, void *context, const char *endpoint,
	size_t data_bytes, struct kws_error *error);

/* Serves a tcp:// endpoint as well, by CURVE with the server's `keys` (copied), to clients that may
 * read events (ipc/zap.h). Once. Errors: those of kws_endpoint_bind(), KWS_EUNSUPPORTED. */
int kws_publisher_open_remote(struct kws_publisher *publisher, const char *endpoint,
	const struct kws_key_pair *keys, struct kws_error *error);

/* Closes that endpoint and every connection of it; a reopen lets clients come back by themselves,
 * who must then prove again who they are and have lost what was sent meanwhile. Both do nothing
 * where there is nothing to do. Errors: those of kws_endpoint_bind(), KWS_EBUSY while libzmq still
 * closes: try again. */
void kws_publisher_close_remote(struct kws_publisher *publisher);
int kws_publisher_reopen_remote(struct kws_publisher *publisher, struct kws_error *error);

/* Accepts NULL. */
void kws_publisher_destroy(struct kws_publisher *publisher);

/* The `site` of all messages to come; empty, as at first: null. Borrowed until the next call or the
 * end of the publisher. */
void kws_publisher_set_site(struct kws_publisher *publisher, const char *site);

/* Sends `event`, an object of ipc/event.h, which is borrowed and not changed. `topic` is UTF-8. The
 * set of topics is small (one or two per keyword): each one's counter is kept for good.
 * Never blocks. Errors, also counted: KWS_EINVAL (topic), KWS_ENOMEM, KWS_EIO. */
int kws_publisher_send(struct kws_publisher *publisher, const char *topic, json_t *event);

/* The same with a third frame of `size` bytes, copied: the audio that belongs to the event.
 * Errors: also KWS_EBUSY, KWS_PUBLISHER_WAITING_BYTES wait already. */
int kws_publisher_send_data(struct kws_publisher *publisher, const char *topic, json_t *event,
	const void *data, size_t size);

/* A new reference in `*out`: `event` as the next kws_publisher_send() of it to `topic` sends it.
 * Errors: KWS_ENOMEM. */
int kws_publisher_stamp(
	const struct kws_publisher *publisher, const char *topic, json_t *event, json_t **out);

/* Lets ZeroMQ handle subscribers that came and went. A send does it too; a publisher that is silent
 * for hours must be ticked about once a second, or they pile up. */
void kws_publisher_tick(struct kws_publisher *publisher);

/* 16 hexadecimal digits that are new for each publisher. Valid until destroy. */
const char *kws_publisher_boot(const struct kws_publisher *publisher);

struct kws_publisher_counts kws_publisher_counts(const struct kws_publisher *publisher);

#endif
