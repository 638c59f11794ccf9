/* SPDX-License-Identifier: Apache-2.0 */
#include "config/text.h"

#include <stdbool.h>
#include <string.h>

/* Bytes of the UTF-8 character that starts `text`, or 0: RFC 3629, that is no overlong form, no
 * surrogate, nothing above U+10FFFF. */
static size_t character_length(const unsigned char *text, size_t length)
{
	unsigned char lead = text[0];
	if (lead < 0x80) {
		return 1;
	}
	size_t bytes = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
	if (lead < 0xc2 || lead > 0xf4 || bytes > length) {
		return 0;
	}
	for (size_t i = 1; i < bytes; i++) {
		if ((text[i] & 0xc0) != 0x80) {
			return 0;
		}
	}
	bool overlong = (lead == 0xe0 && text[1] < 0xa0) || (lead == 0xf0 && text[1] < 0x90);
	bool surrogate = lead == 0xed && text[1] > 0x9f;
	bool too_large = lead == 0xf4 && text[1] > 0x8f;
	return overlong || surrogate || too_large ? 0 : bytes;
}

static bool is_control(unsigned char c)
{
	return (c < 0x20 && c != '\t') || c == 0x7f;
}

const char *kws__text_problem(const char *text, size_t length)
{
	const unsigned char *bytes = (const unsigned char *)text;
	for (size_t i = 0; i < length;) {
		if (bytes[i] == '\0') {
			return "holds a NUL byte";
		}
		if (is_control(bytes[i])) {
			return "holds a control character";
		}
		size_t step = character_length(bytes + i, length - i);
		if (step == 0) {
			return "is not UTF-8";
		}
		i += step;
	}
	return NULL;
}

void kws__text_clean(char *text)
{
	unsigned char *bytes = (unsigned char *)text;
	size_t length = strlen(text);
	for (size_t i = 0; i < length;) {
		size_t step = character_length(bytes + i, length - i);
		if (step == 0 || is_control(bytes[i])) {
			bytes[i] = '?';
			step = 1;
		}
		i += step;
	}
}

static bool is_space(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

char *kws__text_trim(char *text)
{
	while (is_space(*text)) {
		text++;
	}
	char *end = text + strlen(text);
	while (end > text && is_space(end[-1])) {
		*--end = '\0';
	}
	return text;
}
