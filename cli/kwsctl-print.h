/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KWS_CLI_KWSCTL_PRINT_H
#define KWS_CLI_KWSCTL_PRINT_H

#include <jansson.h>
#include <stdio.h>

/* Writes `text` with control characters as '?': names come from devices, files and the network, and
 * must not command a terminal. */
void kwsctl_print_text(FILE *out, const char *text);

/* The same for a text of several lines; NULL is none. */
void kwsctl_print_lines(FILE *out, const char *text);

/* Writes a result for people: one "key  value" line per member, nested objects indented, a list of
 * objects with a dash before each. JSON null as the whole result prints nothing. */
void kwsctl_print_value(FILE *out, const json_t *value);

/* Writes one line of JSON. Returns 0 or KWS_ENOMEM. */
int kwsctl_print_json(FILE *out, const json_t *value);

#endif
