/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/models.h"

#include <stdbool.h>
#include <stdio.h>

#include "cli/kws.h"
#include "cli/terminal.h"
#include "dsp/mel.h"

void kws_cli_models_complain(const char *path, const struct kws_error *error)
{
	fprintf(stderr, "kws: %s: ", path);
	kws_terminal_text(stderr, error->text);
	fputc('\n', stderr);
}

static bool load(struct kws_model **out, const char *path)
{
	struct kws_error error = {""};
	int result = kws_model_load(out, path, kws_mel_describe(), &error);
	if (result == 0) {
		result = kws_model_set_check_input(*out, &error);
		if (result != 0) {
			kws_model_destroy(*out);
		}
	}
	if (result != 0) {
		kws_cli_models_complain(path, &error);
	}
	return result == 0;
}

int kws_cli_models_load(struct kws_model_set *set, const struct kws_config *config)
{
	struct kws_error error = {""};
	struct kws_model_set made = {0};
	const struct kws_config_paths *paths = &config->model.path;
	while (made.count < paths->count) {
		if (!load(&made.models[made.count], paths->items[made.count])) {
			kws_model_set_finish(&made);
			return KWS_EXIT_FAILED;
		}
		made.count++;
	}
	if (kws_model_set_check(&made, config, &error) != 0) {
		kws_cli_models_complain(made.count == 1 ? paths->items[0] : "[model].path", &error);
		kws_model_set_finish(&made);
		return KWS_EXIT_USAGE;
	}
	*set = made;
	return KWS_EXIT_OK;
}

int kws_cli_model_load(struct kws_model **out, const struct kws_config *config)
{
	if (config->model.path.count > 1) {
		fprintf(stderr,
			"kws: the configuration has %zu models, and this tool works on one at a "
			"time: choose it with a single --model FILE\n",
			config->model.path.count);
		return KWS_EXIT_USAGE;
	}
	return load(out, config->model.path.items[0]) ? KWS_EXIT_OK : KWS_EXIT_FAILED;
}
