/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline/spotter.h"

#include <stdbool.h>
#include <stdlib.h>

#include "common/clock.h"
#include "pipeline/histogram.h"
#include "pipeline/model-set.h"

struct kws_spotter {
	const struct kws_model *model;
	struct kws_net *net;
	bool begun; /* the net has seen a window to go on from */
	struct kws_decider *decider;
	struct kws_spotter_stats stats;
	struct kws_histogram hop_times;
};

int kws_spotter_create(struct kws_spotter **out, const struct kws_model *model,
	const struct kws_config *config, struct kws_error *error)
{
	int result = kws_model_set_check_input(model, error);
	if (result != 0) {
		return result;
	}
	struct kws_spotter *spotter = calloc(1, sizeof(*spotter));
	if (spotter == NULL) {
		return kws_fail(error, KWS_ENOMEM, "out of memory");
	}
	spotter->model = model;
	result = kws_net_create(&spotter->net, model, (size_t)config->model.hop_frames);
	if (result != 0) {
		kws_fail(error, result, "cannot set up the network: %s", kws_strerror(result));
	} else {
		result = kws_decider_create(&spotter->decider, model, config, error);
	}
	if (result != 0) {
		kws_spotter_destroy(spotter);
		return result;
	}
	*out = spotter;
	return 0;
}

void kws_spotter_destroy(struct kws_spotter *spotter)
{
	if (spotter == NULL) {
		return;
	}
	kws_net_destroy(spotter->net);
	kws_decider_destroy(spotter->decider);
	free(spotter);
}

void kws_spotter_configure(struct kws_spotter *spotter, const struct kws_config *config)
{
	kws_decider_configure(spotter->decider, config);
}

void kws_spotter_reset(struct kws_spotter *spotter)
{
	kws_decider_reset(spotter->decider);
}

static const float *run_exit(void *user, size_t exit)
{
	struct kws_spotter *spotter = user;
	return kws_net_run_exit(spotter->net, exit);
}

uint64_t kws_spotter_decide(
	struct kws_spotter *spotter, const struct kws_front_end_window *window, struct kws_hop *hop)
{
	uint64_t began_ns = kws_clock_monotonic_ns();
	if (window->first || !spotter->begun) {
		kws_net_begin(spotter->net, window->frames);
		spotter->begun = true;
	} else {
		kws_net_advance(spotter->net, window->frames);
	}
	kws_decider_decide(spotter->decider, window->speech ? run_exit : NULL, spotter, hop);
	uint64_t time_ns = kws_clock_monotonic_ns() - began_ns;
	kws_histogram_add(&spotter->hop_times, time_ns);
	spotter->stats.hops++;
	spotter->stats.hops_at_exit[hop->exit]++;
	return time_ns;
}

size_t kws_spotter_detect(struct kws_spotter *spotter, const struct kws_hop *hop,
	const struct kws_level *level, const struct kws_detector_event **events)
{
	size_t count = kws_decider_detect(
		spotter->decider, hop, kws_level_rms_dbfs(level), kws_level_snr_db(level), events);
	for (size_t i = 0; i < count; i++) {
		spotter->stats.detections += (*events)[i].type == KWS_DETECTOR_DETECTION;
	}
	return count;
}

const struct kws_model *kws_spotter_model(const struct kws_spotter *spotter)
{
	return spotter->model;
}

void kws_spotter_stats(const struct kws_spotter *spotter, struct kws_spotter_stats *out)
{
	*out = spotter->stats;
	out->net = kws_net_stats(spotter->net);
}

uint64_t kws_spotter_hop_ns(const struct kws_spotter *spotter, double share)
{
	return kws_histogram_percentile_ns(&spotter->hop_times, share);
}
