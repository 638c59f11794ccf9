/* SPDX-License-Identifier: Apache-2.0 */
#include "ipc/text.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "common/json.h"

/* Bytes of the sequence that begins with `first`; 0: none does. */
static size_t sequence_bytes(unsigned char first)
{
	if (first < 0x80) {
		return 1;
	}
	if (first < 0xc2 || first > 0xf4) {
		return 0;
	}
	return first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
}

/* The second byte of some sequences has a smaller range (Unicode 15.0, table 3-7). */
static bool second_is_valid(unsigned char first, unsigned char second)
{
	unsigned char least = first == 0xe0 ? 0xa0 : first == 0xf0 ? 0x90 : 0x80;
	unsigned char most = first == 0xed ? 0x9f : first == 0xf4 ? 0x8f : 0xbf;
	return second >= least && second <= most;
}

bool kws_text_is_utf8(const char *text)
{
	const unsigned char *c = (const unsigned char *)text;
	while (*c != '\0') {
		size_t bytes = sequence_bytes(*c);
		if (bytes == 0 || (bytes > 1 && !second_is_valid(c[0], c[1]))) {
			return false;
		}
		for (size_t i = 2; i < bytes; i++) {
			if ((c[i] & 0xc0) != 0x80) {
				return false;
			}
		}
		c += bytes;
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
