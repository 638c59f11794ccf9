/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/network.h"

#include "common/trust.h"
#include "dsp/mel.h"

void kws_network_finish(struct kws_network *network)
{
	kws_pipeline_destroy(network->pipeline);
	kws_model_destroy(network->model);
}

int kws_network_init(struct kws_network *network, const struct kws_config *config,
	const struct kws_pipeline_sink *sink, struct kws_error *error)
{
	struct kws_error reason;
	struct kws_network made = {0};
	stat(config->model.path, &made.model_file); /* without the file the load says so */
	int result = kws_trust_check_privileged(config->model.path, &reason);
	if (result == 0) {
		result = kws_model_load(
			&made.model, config->model.path, kws_mel_describe(), &reason);
	}
	if (result != 0) {
		return kws_fail(error, result, "%.120s: %s", config->model.path, reason.text);
	}
	result = kws_pipeline_check(made.model, config, error);
	if (result == 0) {
		result = kws_pipeline_create(&made.pipeline, made.model, config, sink, error);
	}
	if (result != 0) {
		kws_network_finish(&made);
		return result;
	}
	*network = made;
	return 0;
}

bool kws_network_is_outdated(const struct kws_network *network, const char *path)
{
	const struct stat *old = &network->model_file;
	struct stat now;
	if (stat(path, &now) != 0) {
		return false;
	}
	return now.st_dev != old->st_dev || now.st_ino != old->st_ino ||
	       now.st_size != old->st_size || now.st_mtim.tv_sec != old->st_mtim.tv_sec ||
	       now.st_mtim.tv_nsec != old->st_mtim.tv_nsec;
}

json_t *kws_network_status(const struct kws_network *network)
{
	struct kws_pipeline_stats stats;
	uint64_t asked = 0;
	uint64_t exits = 0;
	json_t *at_exit = json_array();
	kws_pipeline_stats(network->pipeline, &stats);
	for (size_t i = 0; i <= kws_model_graph(network->model)->exit_count; i++) {
		asked += i > 0 ? stats.hops_at_exit[i] : 0;
		exits += i * stats.hops_at_exit[i];
		json_array_append_new(at_exit, json_integer((json_int_t)stats.hops_at_exit[i]));
	}
	double hops = stats.hops > 0 ? (double)stats.hops : 1.0;
	return json_pack("{s:s, s:b, s:I, s:f, s:o, s:I, s:I, s:I, s:f, s:f, s:f, s:f}", "model",
		kws_model_name(network->model), "warm", stats.warm, "hops", (json_int_t)stats.hops,
		"mean_exit", asked > 0 ? (double)exits / (double)asked : 0.0, "hops_at_exit",
		at_exit, "detections", (json_int_t)stats.detections, "gaps", (json_int_t)stats.gaps,
		"rows", (json_int_t)stats.net.rows, "binary_macs_per_hop",
		(double)stats.net.binary_macs / hops, "float_macs_per_hop",
		(double)stats.net.float_macs / hops, "hop_us_p50",
		(double)kws_pipeline_hop_ns(network->pipeline, 0.5) / 1e3, "hop_us_p99",
		(double)kws_pipeline_hop_ns(network->pipeline, 0.99) / 1e3);
}
