/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KWS_CONFIG_PARSER_H
#define KWS_CONFIG_PARSER_H

#include <stddef.h>

#include "config/config.h"

/* Fills `config` (zeroed) from the defaults, then `length` bytes of the text of a file that errors
 * call `name`, then the overrides; at last each keyword inherits what it was not given. Every error
 * is added to `errors`: with one, the content of `config` is not to be used.
 * Internal to config/. Thread: any. */
void kws__parser_run(struct kws_config *config, const char *name, const char *text, size_t length,
	const char *const *overrides, size_t override_count, struct kws_config_errors *errors);

/* The name in a section "keyword NAME", "" in a bare "keyword", NULL in any other. */
const char *kws__parser_keyword_name(const char *section);

#endif
