/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KWS_CLI_TERMINAL_H
#define KWS_CLI_TERMINAL_H

#include <stdio.h>

/* Text for people that others made: names come from devices, model files and the network, and must
 * not command a terminal. Control characters become '?'. Thread: any. */

void kws_terminal_text(FILE *out, const char *text);

/* Several lines; NULL is none. */
void kws_terminal_lines(FILE *out, const char *text);

/* Filled up with spaces to `width` characters. */
void kws_terminal_column(FILE *out, const char *text, int width);

#endif
