/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/terminal.h"

#include <stdbool.h>

/* The control characters of ISO 8859-1, U+0080 to U+009F, which many terminals obey. */
static bool is_long_control(const char *text)
{
	unsigned char second = (unsigned char)text[1];
	return (unsigned char)text[0] == 0xC2 && second >= 0x80 && second <= 0x9F;
}

static void put(FILE *out, const char *text, bool lines)
{
	for (; *text != '\0'; text++) {
		unsigned char c = (unsigned char)*text;
		bool is_long = is_long_control(text);
		bool control = (c < 32 && !(lines && c == '\n')) || c == 127 || is_long;
		fputc(control ? '?' : c, out);
		text += is_long;
	}
}

void kws_terminal_text(FILE *out, const char *text)
{
	put(out, text, false);
}

void kws_terminal_lines(FILE *out, const char *text)
{
	put(out, text != NULL ? text : "", true);
}

/* Characters of UTF-8: all bytes but the continuations. */
static int count_characters(const char *text)
{
	int count = 0;
	for (; *text != '\0'; text++) {
		count += ((unsigned char)*text & 0xC0) != 0x80;
	}
	return count;
}

void kws_terminal_column(FILE *out, const char *text, int width)
{
	int padding = width - count_characters(text);
	kws_terminal_text(out, text);
	fprintf(out, "%*s", padding > 0 ? padding : 0, "");
}
