/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/path.h"

#include <stdio.h>

#include "ipc/text.h"

bool kws_cli_path_is_text(const char *path)
{
	bool is_text = kws_text_is_utf8(path);
	if (!is_text) {
		fprintf(stderr, "kws: %s: the path is not UTF-8\n", path);
	}
	return is_text;
}
