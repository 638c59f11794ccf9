/* SPDX-License-Identifier: Apache-2.0 */
#include "common/utf8.h"

#include <stdbool.h>
#include <string.h>

size_t kws_utf8_character_bytes(const char *text, size_t length)
{
	const unsigned char *c = (const unsigned char *)text;
	if (c[0] < 0x80) {
		return 1;
	}
	size_t bytes = c[0] >= 0xf0 ? 4 : c[0] >= 0xe0 ? 3 : 2;
	if (c[0] < 0xc2 || c[0] > 0xf4 || bytes > length) {
		return 0;
	}
	for (size_t i = 1; i < bytes; i++) {
		if ((c[i] & 0xc0) != 0x80) {
			return 0;
		}
	}
	bool overlong = (c[0] == 0xe0 && c[1] < 0xa0) || (c[0] == 0xf0 && c[1] < 0x90);
	bool surrogate = c[0] == 0xed && c[1] > 0x9f;
	bool too_large = c[0] == 0xf4 && c[1] > 0x8f;
	return overlong || surrogate || too_large ? 0 : bytes;
}

size_t kws_utf8_mark_bytes(const char *text, size_t length)
{
	static const char mark[] = {'\xef', '\xbb', '\xbf'};
	return length >= sizeof(mark) && memcmp(text, mark, sizeof(mark)) == 0 ? sizeof(mark) : 0;
}
