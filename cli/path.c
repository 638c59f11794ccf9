/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/path.h"

#include <jansson.h>
#include <stdio.h>

bool kws_cli_path_is_text(const char *path)
{
	json_t *text = json_string(path);
	bool is_text = text != NULL;
	if (!is_text) {
		fprintf(stderr, "kws: %s: the path is not UTF-8\n", path);
	}
	json_decref(text);
	return is_text;
}
