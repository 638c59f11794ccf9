/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KWS_PIPELINE_SPOTTER_H
#define KWS_PIPELINE_SPOTTER_H

#include <stddef.h>
#include <stdint.h>

#include "bnn/model.h"
#include "bnn/net.h"
#include "common/error.h"
#include "config/config.h"
#include "dsp/level.h"
#include "pipeline/decider.h"
#include "pipeline/front-end.h"

/* One model at work on a stream: its network, exit policy and detector, with all that they remember
 * of the stream. A pipeline shows every window to each of its spotters; they know nothing of each
 * other. */
struct kws_spotter;

/* Since create. */
struct kws_spotter_stats {
	uint64_t hops;
	uint64_t hops_at_exit[KWS_EXITS_MAX + 1]; /* [0]: without speech, see kws_hop.exit */
	uint64_t detections;
	struct kws_net_stats net;
};

/* `model` must outlive it; `config` is not kept. Errors: KWS_ENOMEM, KWS_EMISMATCH (the model's
 * window is not ours), those of kws_resolve_policy(), with a sentence. Thread: any; all calls on
 * one spotter must come from one thread. */
int kws_spotter_create(struct kws_spotter **out, const struct kws_model *model,
	const struct kws_config *config, struct kws_error *error);

/* Accepts NULL. */
void kws_spotter_destroy(struct kws_spotter *spotter);

/* As kws_decider_configure() and kws_decider_reset(). RT-safe: yes, like the ones below. */
void kws_spotter_configure(struct kws_spotter *spotter, const struct kws_config *config);
void kws_spotter_reset(struct kws_spotter *spotter);

/* Fills the rest of `hop`, whose hop and sample are set, from the next window of the stream: the
 * first one that it sees may be any. Returns the time that it took in nanoseconds. */
uint64_t kws_spotter_decide(struct kws_spotter *spotter, const struct kws_front_end_window *window,
	struct kws_hop *hop);

/* What comes of that hop; see kws_decider_detect(). */
size_t kws_spotter_detect(struct kws_spotter *spotter, const struct kws_hop *hop,
	const struct kws_level *level, const struct kws_detector_event **events);

const struct kws_model *kws_spotter_model(const struct kws_spotter *spotter);

void kws_spotter_stats(const struct kws_spotter *spotter, struct kws_spotter_stats *out);

/* The time of the network that `share` (0..1) of the hops do not exceed; see
 * kws_histogram_percentile_ns(). */
uint64_t kws_spotter_hop_ns(const struct kws_spotter *spotter, double share);

#endif
