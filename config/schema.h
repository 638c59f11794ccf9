/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KWS_CONFIG_SCHEMA_H
#define KWS_CONFIG_SCHEMA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/* The longest value as text, with its NUL: no key takes or gives more. */
#define KWS_CONFIG_VALUE_SIZE 1024

/* The section of the keys that every keyword has: `[keyword NAME]`. */
#define KWS_KEYWORD_SECTION "keyword"

/* What a change of a key asks of the daemon, weakest first, so that the strongest is the largest.
 */
enum kws_apply {
	KWS_APPLY_NONE = 0, /* nothing changed */
	KWS_APPLY_LIVE,     /* taken over between two hops */
	KWS_APPLY_STREAM,   /* the audio stream and its pipeline are built again */
	KWS_APPLY_RESTART,  /* only a restart of the daemon brings it about */
};

enum kws_key_type {
	KWS_KEY_BOOL,   /* bool */
	KWS_KEY_INT,    /* int */
	KWS_KEY_FLOAT,  /* double */
	KWS_KEY_STRING, /* char[size] */
	KWS_KEY_ENUM,   /* enum, from 0, in the order of `choices` */
	KWS_KEY_FLOATS, /* struct kws_config_floats */
	KWS_KEY_PATHS,  /* struct kws_config_paths */
};

/* One key of the configuration. */
struct kws_key {
	const char *section;
	const char *name;
	enum kws_key_type type;
	enum kws_apply apply;
	const char *default_text; /* as it would be written in the file */
	const char *help;         /* one line, or two, the second with "# " in front */
	double min;               /* KWS_KEY_INT, KWS_KEY_FLOAT, KWS_KEY_FLOATS: inclusive */
	double max;
	bool zero_allowed;    /* 0 is valid too, though below `min` */
	bool model_allowed;   /* KWS_KEY_FLOAT: NaN, "model", leaves the choice to the model */
	const char *inherits; /* a keyword's key: unless set, it is that of this section */
	const char *const *choices; /* KWS_KEY_ENUM: names, NULL-terminated */
	size_t offset;              /* in struct kws_config, in KWS_KEYWORD_SECTION in
				     * struct kws_keyword_config */
	size_t size;                /* KWS_KEY_STRING: of the array, with the NUL */
};

/* All keys, those of a section side by side, the keywords' last. Static; `count` gets their number.
 * Thread: any. */
const struct kws_key *kws_schema_keys(size_t *count);

/* One key, e.g. ("audio", "rate_hz"); NULL when there is none. Thread: any. */
const struct kws_key *kws_schema_find(const char *section, const char *name);

/* Whether the section has keys. Thread: any. */
bool kws_schema_has_section(const char *section);

/* Writes a sample file: every key with its help, range and when a change takes effect, as a comment
 * with its default. Removing the '#' in front of a key makes it a setting; the file as it is means
 * all defaults. Errors: KWS_EIO. Thread: the owner of `file`. */
int kws_schema_print(FILE *file);

#endif
