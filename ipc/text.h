/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KWS_IPC_TEXT_H
#define KWS_IPC_TEXT_H

#include <jansson.h>
#include <stdbool.h>

/* Whether all of it is UTF-8 as jansson has it: no surrogates, nothing longer than needed. Where
 * this is true and jansson refuses the text, memory ran out. Thread: any. */
bool kws_text_is_utf8(const char *text);

/* A JSON string of any C string: JSON null for NULL, and if `text` is not UTF-8 (a device name in
 * an old encoding, a sentence cut inside a character) each byte above 127 becomes '?', because an
 * event or an answer must not be lost for a name. The caller owns the result; NULL when out of
 * memory. Thread: any. */
json_t *kws_text_json(const char *text);

/* One line of compact JSON, numbers with up to 15 digits, so that 0.9123 stays 0.9123. The caller
 * frees the text; NULL when out of memory. Thread: any. */
char *kws_text_dump(const json_t *json);

#endif
