/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KWS_CONFIG_ERRORS_H
#define KWS_CONFIG_ERRORS_H

#include <stddef.h>

#define KWS_CONFIG_ERRORS_MAX 32

/* Everything that is wrong with one configuration, so that a person mends the file in one go.
 * Each line reads `path:line: [section].key: value 'xx': what is wrong`, of a setting from
 * elsewhere `section.key: value 'xx': what is wrong`, is valid UTF-8 and has no control character.
 * When there are more than KWS_CONFIG_ERRORS_MAX, one further line says how many were left out.
 * Start from {0}; kws_config_load() and kws_config_parse() empty it themselves. */
struct kws_config_errors {
	size_t count; /* lines in `text` */
	size_t total; /* errors found, also those left out */
	char text[KWS_CONFIG_ERRORS_MAX + 1][512];
};

/* Adds one line; a text that is too long is cut. Thread: the owner of `errors`. */
void kws_config_errors_add(struct kws_config_errors *errors, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

#endif
