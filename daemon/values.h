/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KWS_DAEMON_VALUES_H
#define KWS_DAEMON_VALUES_H

#include <jansson.h>

#include "common/error.h"
#include "daemon/options.h"

/* What `set` changes: objects of "section.key": "value", which nobody alters once they are made.
 * Thread: loop. */

/* What a client wrote, whose values may be strings, numbers and booleans, as they stand in the
 * file: a number in the fewest decimals that read back the same, "yes" or "no". *out is a new
 * reference, set only on success. Errors: KWS_EINVAL (a value is something else), KWS_ENOMEM, with
 * a sentence. */
int kws_values_read(const json_t *written, json_t **out, struct kws_error *error);

/* `values` on top of `before`, each of which may be NULL; a new reference, NULL without memory. */
json_t *kws_values_combine(const json_t *before, const json_t *values);

/* The first key that is not the one spelling of a key that exists, or NULL: `set` takes no other,
 * for two spellings would be two values of one key. */
const char *kws_values_unknown(const json_t *values);

/* The first key that only a restart brings about, or NULL. */
const char *kws_values_futile(const json_t *values);

/* Writes `values` into the configuration file. Errors: KWS_EUNSUPPORTED (there is no file),
 * KWS_EPERM (the command line sets one of them and wins over the file) and those of
 * kws_edit_file(), with what follows "not in the file: ". */
int kws_values_write(
	const struct kws_options *options, const json_t *values, struct kws_error *error);

#endif
