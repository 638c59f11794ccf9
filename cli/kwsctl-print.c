/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/kwsctl-print.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "cli/terminal.h"
#include "common/error.h"
#include "ipc/text.h"

#define INDENT 2

static void print_scalar(FILE *out, const json_t *value)
{
	switch (json_typeof(value)) {
	case JSON_STRING:
		kws_terminal_text(out, json_string_value(value));
		break;
	case JSON_INTEGER:
		fprintf(out, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
		break;
	case JSON_REAL:
		fprintf(out, "%.6g", json_real_value(value));
		break;
	case JSON_TRUE:
		fputs("true", out);
		break;
	case JSON_FALSE:
		fputs("false", out);
		break;
	default:
		fputc('-', out);
		break;
	}
}

static bool is_block(const json_t *value)
{
	if (json_is_array(value)) {
		const json_t *first = json_array_get(value, 0);
		return json_is_object(first) || json_is_array(first);
	}
	return json_object_size(value) > 0;
}

/* What fits on the key's line: a scalar, a list of scalars, an empty object. */
static void print_inline(FILE *out, const json_t *value)
{
	size_t index;
	const json_t *item;
	if (!json_is_array(value)) {
		print_scalar(out, value);
		return;
	}
	if (json_array_size(value) == 0) {
		fputc('-', out);
	}
	json_array_foreach (value, index, item) {
		fputs(index > 0 ? ", " : "", out);
		print_scalar(out, item);
	}
}

static int key_width(json_t *object)
{
	size_t width = 0;
	const char *key;
	json_t *value;
	json_object_foreach (object, key, value) {
		if (!is_block(value) && strlen(key) > width) {
			width = strlen(key);
		}
	}
	return width < 40 ? (int)width : 40;
}

static void print_block(FILE *out, const json_t *value, int indent);

/* `dash`: the object is an item of a list. */
static void print_members(FILE *out, const json_t *object, int indent, bool dash)
{
	json_t *members = (json_t *)object; /* the iteration macro of jansson takes no const */
	int width = key_width(members);
	const char *key;
	json_t *value;
	json_object_foreach (members, key, value) {
		fprintf(out, "%*s", indent, dash ? "- " : "");
		dash = false;
		kws_terminal_text(out, key);
		if (is_block(value)) {
			fputs(":\n", out);
			print_block(out, value, indent + INDENT);
			continue;
		}
		fprintf(out, "%*s", width - (int)strlen(key) + 2, "");
		print_inline(out, value);
		fputc('\n', out);
	}
}

static void print_block(FILE *out, const json_t *value, int indent)
{
	size_t index;
	const json_t *item;
	if (json_is_object(value)) {
		print_members(out, value, indent, false);
		return;
	}
	json_array_foreach (value, index, item) {
		if (json_is_object(item)) {
			print_members(out, item, indent + INDENT, true);
		} else if (is_block(item)) {
			print_block(out, item, indent + INDENT);
		} else {
			fprintf(out, "%*s", indent + INDENT, "- ");
			print_inline(out, item);
			fputc('\n', out);
		}
	}
}

void kwsctl_print_value(FILE *out, const json_t *value)
{
	if (is_block(value)) {
		print_block(out, value, 0);
	} else if (!json_is_null(value)) {
		print_inline(out, value);
		fputc('\n', out);
	}
}

int kwsctl_print_json(FILE *out, const json_t *value)
{
	char *text = kws_text_dump(value);
	if (text == NULL) {
		return KWS_ENOMEM;
	}
	fprintf(out, "%s\n", text);
	free(text);
	return 0;
}
