/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KWS_COMMON_ERROR_H
#define KWS_COMMON_ERROR_H

/* The result codes that every folder shares: 0 is success, an error is negative.
 * One list makes the enum, the names and the texts, so they cannot drift apart. */
#define KWS_ERROR_MAP(XX)                                       \
	XX(EINVAL, -1, "invalid argument")                      \
	XX(ENOMEM, -2, "out of memory")                         \
	XX(EIO, -3, "input or output failed")                   \
	XX(ENOENT, -4, "not found")                             \
	XX(EFORMAT, -5, "malformed data")                       \
	XX(EUNSUPPORTED, -6, "not supported")                   \
	XX(EMISMATCH, -7, "does not match the running program") \
	XX(EBUSY, -8, "in use")                                 \
	XX(ETIMEOUT, -9, "timed out")                           \
	XX(EDEVICE, -10, "audio device failed")                 \
	XX(EPERM, -11, "not permitted")

enum kws_error_code {
#define XX(name, value, text) KWS_##name = value,
	KWS_ERROR_MAP(XX)
#undef XX
};

/* One sentence for a human, filled by the function that failed. It says what was wrong and where;
 * the caller adds the name of the file or the device. */
struct kws_error {
	char text[256];
};

/* The fixed text of a result code; "success" for 0, "unknown error" for others.
 * Thread: any. The string is static. */
const char *kws_strerror(int code);

/* Formats the sentence into `error` (which may be NULL) and returns `code`, so that a function can
 * `return kws_fail(error, KWS_EFORMAT, "...")`. A text that is too long is cut. Thread: any. */
int kws_fail(struct kws_error *error, int code, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

#endif
