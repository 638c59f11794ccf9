/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/sweep.h"

#include <stdlib.h>

struct kws_sweep {
	const struct kws_model *model;
	size_t count;
	struct kws_decider *deciders[KWS_SWEEP_MAX];
};

static int add_threshold(struct kws_sweep *sweep, double threshold, const struct kws_model *model,
	const struct kws_config *config, struct kws_error *error)
{
	struct kws_config *changed = malloc(sizeof(*changed));
	if (changed == NULL) {
		return kws_fail(error, KWS_ENOMEM, "out of memory");
	}
	*changed = *config;
	kws_config_set_thresholds(changed, threshold);
	int result = kws_decider_create(&sweep->deciders[sweep->count], model, changed, error);
	free(changed);
	sweep->count += result == 0;
	return result;
}

static int add_thresholds(struct kws_sweep *sweep, const char *text, const struct kws_model *model,
	const struct kws_config *config, struct kws_error *error)
{
	const char *at = text;
	for (;;) {
		char *end;
		double threshold = strtod(at, &end);
		if (end == at || (*end != ',' && *end != '\0') ||
			!(threshold >= 0.0 && threshold <= 1.0)) {
			return kws_fail(error, KWS_EINVAL,
				"'%s': not a list of thresholds from 0 to 1", text);
		}
		if (sweep->count == KWS_SWEEP_MAX) {
			return kws_fail(
				error, KWS_EINVAL, "more than %d thresholds", KWS_SWEEP_MAX);
		}
		int result = add_threshold(sweep, threshold, model, config, error);
		if (result != 0 || *end == '\0') {
			return result;
		}
		at = end + 1;
	}
}

int kws_sweep_create(struct kws_sweep **out, const char *text, const struct kws_model *model,
	const struct kws_config *config, struct kws_error *error)
{
	struct kws_sweep *sweep = calloc(1, sizeof(*sweep));
	if (sweep == NULL) {
		return kws_fail(error, KWS_ENOMEM, "out of memory");
	}
	sweep->model = model;
	int result = add_thresholds(sweep, text, model, config, error);
	if (result != 0) {
		kws_sweep_destroy(sweep);
		return result;
	}
	*out = sweep;
	return 0;
}

void kws_sweep_destroy(struct kws_sweep *sweep)
{
	for (size_t i = 0; sweep != NULL && i < sweep->count; i++) {
		kws_decider_destroy(sweep->deciders[i]);
	}
	free(sweep);
}

void kws_sweep_restart(struct kws_sweep *sweep)
{
	for (size_t i = 0; i < sweep->count; i++) {
		kws_decider_restart(sweep->deciders[i]);
	}
}

void kws_sweep_push(struct kws_sweep *sweep, const struct kws_hop *hop,
	const struct kws_level *level, const struct kws_pipeline_sink *sink)
{
	for (size_t i = 0; i < sweep->count; i++) {
		const struct kws_detector_event *events;
		size_t count = kws_decider_detect(sweep->deciders[i], hop,
			kws_level_rms_dbfs(level), kws_level_snr_db(level), &events);
		for (size_t k = 0; k < count; k++) {
			sink->event(sink->user, sweep->model, &events[k]);
		}
	}
}
