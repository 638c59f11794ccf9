/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KWS_CONFIG_TEXT_H
#define KWS_CONFIG_TEXT_H

#include <stddef.h>

/* Text that is safe to hand on: what passes here can be logged and put into JSON as it is.
 * Internal to config/. Thread: any. */

/* What is wrong with the bytes, as a static phrase, or NULL: they must be UTF-8 without control
 * characters; a tab is allowed. */
const char *kws__text_problem(const char *text, size_t length);

/* Replaces each byte that is not part of such text by '?'. */
void kws__text_clean(char *text);

/* Cuts the white space (ASCII) off both ends in place; returns the new start. */
char *kws__text_trim(char *text);

#endif
