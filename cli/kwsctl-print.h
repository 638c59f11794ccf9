/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KWS_CLI_KWSCTL_PRINT_H
#define KWS_CLI_KWSCTL_PRINT_H

#include <jansson.h>
#include <stdio.h>

/* Writes a result for people: one "key  value" line per member, nested objects indented, a list of
 * objects with a dash before each. JSON null as the whole result prints nothing. */
void kwsctl_print_value(FILE *out, const json_t *value);

/* Writes one line of JSON. Returns 0 or KWS_ENOMEM. */
int kwsctl_print_json(FILE *out, const json_t *value);

#endif
