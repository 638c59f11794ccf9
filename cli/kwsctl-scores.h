/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KWS_CLI_KWSCTL_SCORES_H
#define KWS_CLI_KWSCTL_SCORES_H

#include <jansson.h>
#include <stdio.h>

/* kws.score events as a table: hop, seconds of audio, best label and its score, exit of how many,
 * entropy, the reason for stopping there, change since the reference, exits that disagree. A value
 * that is unknown shows as '-'. */
void kwsctl_print_score_heading(FILE *out);
void kwsctl_print_score(FILE *out, const json_t *event);

#endif
