/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/log.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/clock.h"
#include "daemon/log-limit.h"

#define LINE_BYTES 1024

static enum kws_log_level threshold = KWS_LOG_INFO;
static struct kws_log_limit limit;

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

/* $JOURNAL_STREAM names the file that systemd gave the service for its stderr, which a child of the
 * service may have another one for: systemd.exec(5). */
static bool stderr_is_journal(void)
{
	const char *stream = getenv("JOURNAL_STREAM");
	uintmax_t device;
	uintmax_t inode;
	struct stat status;
	return stream != NULL && sscanf(stream, "%" SCNuMAX ":%" SCNuMAX, &device, &inode) == 2 &&
	       fstat(STDERR_FILENO, &status) == 0 && status.st_dev == device &&
	       status.st_ino == inode;
}

static void write_line(enum kws_log_level level, char *line)
{
	static enum { UNKNOWN, JOURNAL, OTHER } target;
	if (target == UNKNOWN) {
		target = stderr_is_journal() ? JOURNAL : OTHER;
	}
	for (char *c = line; *c != '\0'; c++) {
		/* names come from files and devices: they must not forge a second line */
		*c = (unsigned char)*c < ' ' ? '?' : *c;
	}
	if (target == JOURNAL) {
		fprintf(stderr, "<%d>%s\n", levels[level].priority, line);
	} else {
		fprintf(stderr, "kwsd: %s%s\n", levels[level].name, line);
	}
}

void kws_log(enum kws_log_level level, const char *place, const char *format, ...)
{
	char line[LINE_BYTES];
	va_list args;
	unsigned dropped = 0;
	if (level > threshold ||
		/* what is asked for (detections, changes) is never too much; faults may be */
		(level <= KWS_LOG_WARNING && !kws_log_limit_pass(&limit, place,
						     kws_clock_ms(CLOCK_MONOTONIC), &dropped))) {
		return;
	}
	if (dropped > 0) {
		snprintf(line, sizeof(line), "%u messages like the next were left out", dropped);
		write_line(level, line);
	}
	va_start(args, format);
	vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	write_line(level, line);
}
