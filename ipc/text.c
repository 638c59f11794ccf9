/* SPDX-License-Identifier: Apache-2.0 */
#include "ipc/text.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "common/json.h"
#include "common/utf8.h"

bool kws_text_is_utf8(const char *text)
{
	size_t length = strlen(text);
	for (size_t i = 0; i < length;) {
		size_t bytes = kws_utf8_character_bytes(text + i, length - i);
		if (bytes == 0) {
			return false;
		}
		i += bytes;
	}
	return true;
}

json_t *kws_text_json(const char *text)
{
	if (text == NULL) {
		return json_null();
	}
	if (kws_text_is_utf8(text)) {
		return json_string(text);
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
	json_t *string = json_string(plain);
	free(plain);
	return string;
}

char *kws_text_dump(const json_t *json)
{
	return kws_json_dump(json, JSON_COMPACT | JSON_ENCODE_ANY | JSON_REAL_PRECISION(15));
}
