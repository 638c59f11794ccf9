/* SPDX-License-Identifier: Apache-2.0 */
#include "config/errors.h"

#include <stdarg.h>
#include <stdio.h>

#include "config/text.h"

void kws_config_errors_add(struct kws_config_errors *errors, const char *format, ...)
{
	errors->total++;
	if (errors->total > KWS_CONFIG_ERRORS_MAX) {
		errors->count = KWS_CONFIG_ERRORS_MAX + 1;
		snprintf(errors->text[KWS_CONFIG_ERRORS_MAX],
			sizeof(errors->text[KWS_CONFIG_ERRORS_MAX]), "and %zu more",
			errors->total - KWS_CONFIG_ERRORS_MAX);
		return;
	}
	char *text = errors->text[errors->count++];
	va_list args;
	va_start(args, format);
	vsnprintf(text, sizeof(errors->text[0]), format, args);
	va_end(args);
	/* The line goes into logs and JSON: a path may hold any byte, and the cut may split a
	 * character. */
	kws__text_clean(text);
}
