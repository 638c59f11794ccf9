/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KWS_COMMON_JSON_H
#define KWS_COMMON_JSON_H

#include <jansson.h>
#include <stddef.h>

#include "common/error.h"

/* json_loadb() that bears a lack of memory. jansson calls that a mistake in the text, or leaves a
 * character out and goes on, even beyond the end of its memory. To notice it in time this file has
 * jansson allocate through it, in the whole program.
 *
 * `flags` are jansson's. The caller owns *out, set only on success. `error` (may be NULL) gets
 * "WHAT is not JSON: why"; `what` NULL: why. Errors: KWS_EFORMAT, KWS_ENOMEM. Thread: any. */
int kws_json_load(json_t **out, const char *what, const void *text, size_t length, size_t flags,
	struct kws_error *error);

/* The same for an object whose keys differ, `text` NULL standing for an empty one: then *out is
 * NULL, as on failure; jansson takes that for an object without members. `error` gets "WHAT must be
 * a JSON object" for anything else. */
int kws_json_load_object(json_t **out, const char *what, const char *text, struct kws_error *error);

/* json_dumps(), which for lack of memory leaves keys of objects out. The caller frees the text;
 * NULL when out of memory. Thread: any. */
char *kws_json_dump(const json_t *json, size_t flags);

/* How many allocations of jansson's have failed so far, in this thread. Building an object or an
 * array goes on without what it had no memory for: who does not check each step compares this
 * number before and after. Thread: any. */
size_t kws_json_lacks(void);

#endif
