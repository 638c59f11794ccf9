/* SPDX-License-Identifier: Apache-2.0 */
#include "pipeline/resolve.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "dsp/mel.h"

#define FRAME_MS (KWS_HOP_SAMPLES * 1000 / KWS_SAMPLE_RATE_HZ)

static_assert(KWS_POLICY_EXITS_MAX >= KWS_EXITS_MAX && KWS_CONFIG_FLOATS_MAX >= KWS_EXITS_MAX,
	"every exit of a model has its settings");
static_assert(KWS_KEYWORD_NAME_SIZE >= KWS_LABEL_SIZE, "every label may have settings");
static_assert(KWS_POLICY_CLASSES_MAX >= KWS_CLASSES_MAX, "and so has every class");

size_t kws_resolve_keyword(const struct kws_model *model, const char *name)
{
	for (size_t i = 0; i < kws_model_label_count(model) && kws_label_is_keyword(name); i++) {
		if (strcmp(kws_model_label(model, i), name) == 0) {
			return i;
		}
	}
	return SIZE_MAX;
}

static const struct kws_policy_ops *policy_of(const struct kws_config *config)
{
	return kws_policy_find(kws_config_policy_name(config->exits.policy));
}

static uint8_t confirm_exit_of(enum kws_config_confirm confirm)
{
	static const uint8_t exits[] = {
#define XX(name, text, exit) [KWS_CONFIG_CONFIRM_##name] = exit,
		KWS_CONFIG_CONFIRM_MAP(XX)
#undef XX
	};
	return exits[confirm];
}

/* The keyword's list of thresholds; it has inherited that of [exits]. */
static const struct kws_config_floats *list_of(
	const struct kws_keyword_config *keyword, const char *key)
{
	return kws_config_keyword_list(keyword, key);
}

static double value_at(const struct kws_config_floats *list, size_t exit)
{
	return list->values[list->count > 1 ? exit : 0];
}

static int check_list(const struct kws_config_floats *list, const char *section, const char *key,
	size_t exits, struct kws_error *error)
{
	if (list->count > 1 && list->count != exits) {
		return kws_fail(error, KWS_EMISMATCH,
			"[%s].%s: %zu numbers, but the model has %zu exits", section, key,
			list->count, exits);
	}
	return 0;
}

/* All lists of a section, so that a change of the policy cannot fail for one that is there already.
 */
static int check_section(const struct kws_keyword_config *keyword, const char *section,
	size_t exits, struct kws_error *error)
{
	for (size_t k = 0; k < KWS_THRESHOLD_KEYS; k++) {
		const char *key = kws_threshold_keys[k];
		int result = check_list(list_of(keyword, key), section, key, exits, error);
		if (result != 0) {
			return result;
		}
	}
	if (confirm_exit_of(keyword->confirm) > exits) {
		return kws_fail(error, KWS_EMISMATCH,
			"[%s].confirm: there is no exit %d, the model has %zu", section,
			confirm_exit_of(keyword->confirm), exits);
	}
	return 0;
}

static int check_sections(
	const struct kws_model *model, const struct kws_config *config, struct kws_error *error)
{
	size_t exits = kws_model_graph(model)->exit_count;
	/* what every keyword inherits, so it names the section that it comes from */
	int result = check_section(&config->keyword_default, "exits", exits, error);
	if (result == 0) {
		result = check_list(
			&config->exits.temperature, "exits", "temperature", exits, error);
	}
	for (size_t i = 0; i < config->keyword_count && result == 0; i++) {
		char section[sizeof(KWS_KEYWORD_SECTION) + 1 + KWS_KEYWORD_NAME_SIZE];
		const struct kws_keyword_config *keyword = &config->keywords[i];
		snprintf(section, sizeof(section), KWS_KEYWORD_SECTION " %s", keyword->name);
		if (kws_resolve_keyword(model, keyword->name) != SIZE_MAX) {
			result = check_section(keyword, section, exits, error);
		}
	}
	return result;
}

double kws_resolve_threshold(
	const struct kws_model *model, const struct kws_config *config, size_t label)
{
	double wanted = kws_config_keyword(config, kws_model_label(model, label)).threshold;
	double own = kws_model_keyword_defaults(model)->threshold[label];
	if (!isnan(wanted)) {
		return wanted;
	}
	return !isnan(own) ? own : KWS_RESOLVE_THRESHOLD;
}

/* The level that a keyword must fall below to be armed again, or that makes a near miss. */
static float hold_below(const struct kws_config *config, double threshold)
{
	double level = config->detector.rearm * threshold;
	double near = config->detector.candidate_threshold;
	return (float)(near > 0.0 && near < level ? near : level);
}

static void set_thresholds(struct kws_policy_settings *settings, const struct kws_model *model,
	const struct kws_keyword_config *keyword, size_t label)
{
	const struct kws_graph *graph = kws_model_graph(model);
	const char *key = kws_policy_threshold_key(settings->policy);
	if (key == NULL) {
		return;
	}
	const struct kws_config_floats *list = list_of(keyword, key);
	const float *own = kws_exit_defaults_thresholds(kws_model_exit_defaults(model), key);
	for (size_t i = 0; i < graph->exit_count; i++) {
		if (list->count > 0) {
			settings->thresholds[i][label] = (float)value_at(list, i);
		} else if (own != NULL) {
			settings->thresholds[i][label] = own[i * graph->classes + label];
		}
	}
}

static void set_label(struct kws_policy_settings *settings, const struct kws_model *model,
	const struct kws_config *config, size_t label)
{
	const char *name = kws_model_label(model, label);
	struct kws_keyword_config keyword = kws_config_keyword(config, name);
	set_thresholds(settings, model, &keyword, label);
	if (kws_label_is_keyword(name) && keyword.enabled) {
		settings->confirm_exit[label] = confirm_exit_of(keyword.confirm);
		settings->hold_below[label] =
			hold_below(config, kws_resolve_threshold(model, config, label));
	}
}

static uint64_t hops_of(const struct kws_config *config, int ms)
{
	return (uint64_t)ms / (FRAME_MS * (uint64_t)config->model.hop_frames);
}

int kws_resolve_policy(struct kws_policy_settings *out, const struct kws_model *model,
	const struct kws_config *config, struct kws_error *error)
{
	const struct kws_graph *graph = kws_model_graph(model);
	const struct kws_config_floats *temperature = &config->exits.temperature;
	int result = check_sections(model, config, error);
	if (result != 0) {
		return result;
	}
	kws_policy_settings_init(out, policy_of(config));
	for (size_t i = 0; i < graph->exit_count; i++) {
		out->temperature[i] = temperature->count > 0
					      ? (float)value_at(temperature, i)
					      : kws_model_exit_defaults(model)->temperature[i];
	}
	for (size_t c = 0; c < graph->classes; c++) {
		set_label(out, model, config, c);
	}
	out->patience = (unsigned)config->exits.patience;
	out->max_age_hops = hops_of(config, config->exits.max_age_ms);
	out->fresh_hops = hops_of(config, config->exits.fresh_ms);
	out->scene_delta = (float)config->exits.scene_delta;
	struct kws_error reason;
	result = kws_policy_check(out, graph->exit_count, graph->classes, &reason);
	return result == 0 ? 0 : kws_fail(error, result, "[exits].%s", reason.text);
}

struct kws_detector_settings kws_resolve_detector(
	const struct kws_model *model, const struct kws_config *config, size_t label)
{
	const char *name = kws_model_label(model, label);
	struct kws_keyword_config keyword = kws_config_keyword(config, name);
	return (struct kws_detector_settings){
		.enabled = kws_label_is_keyword(name) && keyword.enabled,
		.threshold = (float)kws_resolve_threshold(model, config, label),
		.smoothing_hops = (unsigned)keyword.smoothing_hops,
		.patience_hops = (unsigned)keyword.patience_hops,
		.refractory_samples = (uint64_t)keyword.refractory_ms * KWS_SAMPLE_RATE_HZ / 1000,
		.rearm = (float)config->detector.rearm,
		.candidate_threshold = (float)config->detector.candidate_threshold,
	};
}
