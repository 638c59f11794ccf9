/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KWS_COMMON_UTF8_H
#define KWS_COMMON_UTF8_H

#include <stddef.h>

/* Bytes of the UTF-8 character that begins `text`, of which `length` bytes (at least one) may be
 * read; 0: none does. RFC 3629: no overlong form, no surrogate, nothing above U+10FFFF.
 * Thread: any. */
size_t kws_utf8_character_bytes(const char *text, size_t length);

/* Bytes of the byte order mark that some editors put in front of a text: 3, or 0 where there is
 * none. Thread: any. */
size_t kws_utf8_mark_bytes(const char *text, size_t length);

#endif
