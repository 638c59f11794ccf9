/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KWS_DAEMON_LOG_H
#define KWS_DAEMON_LOG_H

#include <stdbool.h>

/* The daemon's log: one line on stderr for each message. Where that is the journal's, as
 * $JOURNAL_STREAM tells when the first is written, a line begins with its syslog priority, "<6>"
 * for instance, which the journal takes off again. Library folders never log. Of errors and
 * warnings from one place in the code at most 30 a minute are written, with the number of those
 * left out. Thread: loop. RT-safe: no. */

enum kws_log_level {
	KWS_LOG_ERROR,
	KWS_LOG_WARNING,
	KWS_LOG_INFO,
	KWS_LOG_DEBUG,
};

/* Messages above `level` are dropped from now on; KWS_LOG_INFO before the first call. */
void kws_log_set_level(enum kws_log_level level);

/* `place`: in the code, the same address each time; NULL: the message is never left out. */
void kws_log(enum kws_log_level level, const char *place, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

#define KWS_LOG_STRING(x) #x
#define KWS_LOG_LINE(x) KWS_LOG_STRING(x)
/* Not the format: "%s" in several places is one string for the linker. */
#define KWS_LOG_PLACE __FILE__ ":" KWS_LOG_LINE(__LINE__)

#define kws_log_error(...) kws_log(KWS_LOG_ERROR, KWS_LOG_PLACE, __VA_ARGS__)
#define kws_log_warning(...) kws_log(KWS_LOG_WARNING, KWS_LOG_PLACE, __VA_ARGS__)
#define kws_log_info(...) kws_log(KWS_LOG_INFO, KWS_LOG_PLACE, __VA_ARGS__)
#define kws_log_debug(...) kws_log(KWS_LOG_DEBUG, KWS_LOG_PLACE, __VA_ARGS__)

/* An error that tells who asked for something, by an edit, a signal or kwsctl, what is wrong with
 * it. They mend it by these lines, so that none is left out, however often they ask. */
#define kws_log_answer(...) kws_log(KWS_LOG_ERROR, NULL, __VA_ARGS__)

#endif
