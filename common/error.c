/* SPDX-License-Identifier: Apache-2.0 */
#include "common/error.h"

#include <stdarg.h>
#include <stdio.h>

const char *kws_strerror(int code)
{
	switch (code) {
	case 0:
		return "success";
#define XX(name, value, text) \
	case KWS_##name:      \
		return text;
		KWS_ERROR_MAP(XX)
#undef XX
	default:
		return "unknown error";
	}
}

int kws_fail(struct kws_error *error, int code, const char *format, ...)
{
	if (error != NULL) {
		va_list args;
		va_start(args, format);
		vsnprintf(error->text, sizeof(error->text), format, args);
		va_end(args);
	}
	return code;
}
