/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KWS_CONFIG_EDIT_H
#define KWS_CONFIG_EDIT_H

#include <stddef.h>

#include "common/error.h"

/* Changes values in a configuration file as a person would: everything else in it, comments, order
 * and line ends too, stays as it is. Thread: any. RT-safe: no. */

struct kws_edit {
	const char *key; /* "section.key" or "keyword NAME.key" */
	const char *value;
};

/* The text with one value changed: in its line, else below the line that shows it commented out,
 * else at the end of its section, else in a new section at the end. The caller frees *out, a
 * string. Does not validate. Errors: KWS_EINVAL for a key without a dot, KWS_ENOMEM. */
int kws_edit_text(const char *text, const struct kws_edit *edit, char **out);

/* Changes the file at `path` (a symbolic link stays one): the new text takes its place in one step,
 * with its owner, group and mode. A result that would not be read back as wanted is refused and
 * nothing changes. Errors: those of kws_config_load(), KWS_EINVAL, KWS_EIO, with a sentence. */
int kws_edit_file(
	const char *path, const struct kws_edit *edits, size_t count, struct kws_error *error);

#endif
