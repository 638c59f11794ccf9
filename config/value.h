/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KWS_CONFIG_VALUE_H
#define KWS_CONFIG_VALUE_H

#include <stdbool.h>
#include <stddef.h>

#include "common/error.h"
#include "config/schema.h"

/* One value between its text and its field. `object` is the struct that the key's offset counts in:
 * struct kws_config or struct kws_keyword_config. Internal to config/. Thread: any. */

/* Strict: the whole text must be a value of the key's type and within its range. On failure the
 * field stays as it was and `error` says what is wrong ("must be 0..1"). Errors: KWS_EINVAL. */
int kws__value_parse(
	const struct kws_key *key, void *object, const char *text, struct kws_error *error);

/* Writes what kws__value_parse() would read back as the same value. Errors: KWS_EINVAL when it does
 * not fit. */
int kws__value_format(const struct kws_key *key, const void *object, char *text, size_t size);

/* Copies the field of `from_key` in `from` to that of `key` in `to`. The keys have the same type,
 * which is not KWS_KEY_STRING. */
void kws__value_copy(
	const struct kws_key *key, void *to, const struct kws_key *from_key, const void *from);

/* The values that the key takes, in words, e.g. "0 or 4000..384000". */
void kws__value_describe(const struct kws_key *key, char *text, size_t size);

#endif
