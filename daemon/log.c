/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#define LINE_BYTES 1024

static enum kws_log_level threshold = KWS_LOG_INFO;

static const struct {
	int priority; /* syslog's */
	const char *name;
} levels[] = {
	[KWS_LOG_ERROR] = {3, "error: "},
	[KWS_LOG_WARNING] = {4, "warning: "},
	[KWS_LOG_INFO] = {6, ""},
	[KWS_LOG_DEBUG] = {7, "debug: "},
};

void kws_log_set_level(enum kws_log_level level)
{
	threshold = level;
}

void kws_log(enum kws_log_level level, const char *format, ...)
{
	char line[LINE_BYTES];
	va_list args;
	if (level > threshold) {
		return;
	}
	va_start(args, format);
	vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	for (char *c = line; *c != '\0'; c++) {
		/* names come from files and devices: they must not forge a second line */
		*c = (unsigned char)*c < ' ' ? '?' : *c;
	}
	if (getenv("JOURNAL_STREAM") != NULL) {
		fprintf(stderr, "<%d>%s\n", levels[level].priority, line);
	} else {
		fprintf(stderr, "kwsd: %s%s\n", levels[level].name, line);
	}
}
