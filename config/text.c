/* SPDX-License-Identifier: Apache-2.0 */
#include "config/text.h"

#include <stdbool.h>
#include <string.h>

#include "common/utf8.h"

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
		size_t step = kws_utf8_character_bytes(text + i, length - i);
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
		size_t step = kws_utf8_character_bytes(text + i, length - i);
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
