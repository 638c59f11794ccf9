/* SPDX-License-Identifier: Apache-2.0 */
#include "ipc/text.h"

#include <stdlib.h>
#include <string.h>

json_t *kws__text_json(const char *text)
{
	if (text == NULL) {
		return json_null();
	}
	json_t *string = json_string(text);
	if (string != NULL) {
		return string;
	}
	char *plain = strdup(text);
	if (plain == NULL) {
		return NULL;
	}
	for (char *c = plain; *c != '\0'; c++) {
		if ((unsigned char)*c > 127) {
			*c = '?';
		}
	}
	string = json_string(plain);
	free(plain);
	return string;
}

char *kws__text_dump(const json_t *json)
{
	return json_dumps(json, JSON_COMPACT | JSON_ENCODE_ANY | JSON_REAL_PRECISION(15));
}
