/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KWS_CONFIG_CONFIG_H
#define KWS_CONFIG_CONFIG_H

#include <stdbool.h>
#include <stddef.h>

#include "config/errors.h"
#include "config/schema.h"

#define KWS_CONFIG_KEYWORDS_MAX 64
#define KWS_CONFIG_MODELS_MAX 8
#define KWS_CONFIG_FILE_MAX_BYTES (1 << 20)
#define KWS_CONFIG_ENDPOINT_SIZE 100 /* of tcp://, with the NUL */
#define KWS_KEYWORD_NAME_SIZE 64     /* bytes of UTF-8, with the NUL */
#define KWS_CONFIG_KEY_TEXT_SIZE 128 /* bytes for "keyword NAME.key", with the NUL */

#define KWS_CONFIG_SOURCE_MAP(XX)  \
	XX(PORTAUDIO, "portaudio") \
	XX(FILE, "file")           \
	XX(STDIN, "stdin")         \
	XX(NULL, "null")

#define KWS_CONFIG_PACE_MAP(XX)  \
	XX(REALTIME, "realtime") \
	XX(FAST, "fast")

#define KWS_CONFIG_POLICY_MAP(XX)                  \
	XX(ENTROPY, "entropy")                     \
	XX(SCORE, "score")                         \
	XX(MARGIN, "margin")                       \
	XX(PATIENCE, "patience")                   \
	XX(DIFFERENCE, "difference")               \
	XX(TEMPORAL_PATIENCE, "temporal-patience") \
	XX(ALWAYS_1, "always-1")                   \
	XX(ALWAYS_2, "always-2")                   \
	XX(ALWAYS_3, "always-3")                   \
	XX(ALWAYS_4, "always-4")                   \
	XX(ALWAYS_5, "always-5")

/* The exit that has to confirm a keyword. */
#define KWS_CONFIG_CONFIRM_MAP(XX) \
	XX(OFF, "off", 0)          \
	XX(EXIT_2, "2", 2)         \
	XX(EXIT_3, "3", 3)         \
	XX(EXIT_4, "4", 4)         \
	XX(EXIT_5, "5", 5)

#define KWS_CONFIG_LEVEL_MAP(XX) \
	XX(ERROR, "error")       \
	XX(WARNING, "warning")   \
	XX(INFO, "info")         \
	XX(DEBUG, "debug")

#define XX(name, text) KWS_CONFIG_SOURCE_##name,
enum kws_config_source { KWS_CONFIG_SOURCE_MAP(XX) };
#undef XX

#define XX(name, text) KWS_CONFIG_PACE_##name,
enum kws_config_pace { KWS_CONFIG_PACE_MAP(XX) };
#undef XX

#define XX(name, text) KWS_CONFIG_POLICY_##name,
enum kws_config_policy { KWS_CONFIG_POLICY_MAP(XX) };
#undef XX

#define XX(name, text, exit) KWS_CONFIG_CONFIRM_##name,
enum kws_config_confirm { KWS_CONFIG_CONFIRM_MAP(XX) };
#undef XX

#define XX(name, text) KWS_CONFIG_LEVEL_##name,
enum kws_config_level { KWS_CONFIG_LEVEL_MAP(XX) };
#undef XX

#define KWS_CONFIG_FLOATS_MAX 8

/* One number for all exits or one for each, shallowest first; none: as the model has it. */
struct kws_config_floats {
	size_t count;
	double values[KWS_CONFIG_FLOATS_MAX];
};

/* One file or several, in the order in which they were given. */
struct kws_config_paths {
	size_t count; /* from 1 */
	char items[KWS_CONFIG_MODELS_MAX][KWS_CONFIG_VALUE_SIZE];
};

/* The settings of one keyword, with what it inherits from [detector] and [exits] filled in. */
struct kws_keyword_config {
	char name[KWS_KEYWORD_NAME_SIZE];
	char phrase[256]; /* the name where the file gives none */
	bool enabled;
	double threshold; /* NaN: as the model has it */
	int smoothing_hops;
	int patience_hops;
	int refractory_ms;
	struct kws_config_floats delta;
	struct kws_config_floats score;
	struct kws_config_floats margin;
	struct kws_config_floats distance;
	enum kws_config_confirm confirm;
};

/* A whole, valid configuration: plain data, never changed once others
 * read it. The meaning, range
 * and default of each field stand in schema.c beside its key. */
struct kws_config {
	struct {
		enum kws_config_source source;
		enum kws_config_pace pace;
		char device[256];
		char path[KWS_CONFIG_VALUE_SIZE];
		int rate_hz;
		int channels;
		int channel;
		int buffer_ms;
		int stall_ms;
		int zeros_ms;
	} audio;
	struct {
		int resampler_quality;
		bool denoise;
		int denoise_db;
		bool agc;
		int agc_level;
		bool vad;
		int vad_start_percent;
		int vad_continue_percent;
	} dsp;
	struct {
		struct kws_config_paths path;
		int hop_frames;
	} model;
	struct {
		enum kws_config_policy policy;
		struct kws_config_floats delta;
		struct kws_config_floats score;
		struct kws_config_floats margin;
		struct kws_config_floats distance;
		struct kws_config_floats temperature;
		int patience;
		int max_age_ms;
		int fresh_ms;
		double scene_delta;
		enum kws_config_confirm confirm;
	} exits;
	struct {
		double threshold; /* NaN: as the model has it */
		int smoothing_hops;
		int patience_hops;
		int refractory_ms;
		double rearm;
		double candidate_threshold;
	} detector;
	struct {
		char events[256];
		char control[256];
		char remote_events[KWS_CONFIG_ENDPOINT_SIZE];
		char remote_control[KWS_CONFIG_ENDPOINT_SIZE];
		char keys[KWS_CONFIG_VALUE_SIZE];
		bool scores;
		int level_ms;
		char metrics_path[KWS_CONFIG_VALUE_SIZE];
		char site[128];
	} ipc;
	struct {
		int preroll_ms;
		bool publish;
		char folder[KWS_CONFIG_VALUE_SIZE];
		int quota_mb;
		bool near_misses;
	} clips;
	struct {
		enum kws_config_level level;
	} log;
	struct kws_keyword_config
		keywords[KWS_CONFIG_KEYWORDS_MAX]; /* the [keyword NAME] sections */
	size_t keyword_count;
	struct kws_keyword_config
		keyword_default; /* of a label without a section; name and phrase "" */
};

/* Reads the file at `path` (NULL: no file, only defaults) and then the overrides, each
 * "section.key=value" or "keyword NAME.key=value"; a later one wins. The caller owns *out, which is
 * set only on success. On failure `errors` (not NULL) says why in at least one line.
 * Errors: KWS_EFORMAT for anything wrong in the text, KWS_ENOENT, KWS_EIO, KWS_ENOMEM, KWS_EPERM
 * (see common/trust.h). Numbers are read in the current locale. Blocks on the file system. Thread:
 * any. */
int kws_config_load(struct kws_config **out, const char *path, const char *const *overrides,
	size_t override_count, struct kws_config_errors *errors);

/* Like kws_config_load() from `length` bytes of text; `name` stands for the file in errors.
 * Errors: KWS_EFORMAT, KWS_ENOMEM. Thread: any. */
int kws_config_parse(struct kws_config **out, const char *name, const char *text, size_t length,
	const char *const *overrides, size_t override_count, struct kws_config_errors *errors);

/* Accepts NULL. */
void kws_config_destroy(struct kws_config *config);

/* The settings of a label: those of its section, or of [detector] and [exits] where it has none.
 * Never fails: a label unknown to the model is the caller's to refuse. Thread: any. RT-safe: yes.
 */
struct kws_keyword_config kws_config_keyword(const struct kws_config *config, const char *label);

/* The section of a label, added with what it inherits where there is none; NULL: there is no room
 * for it. This and the next are for those who make a configuration of another, on a copy. Thread:
 * the owner of `config`. */
struct kws_keyword_config *kws_config_add_keyword(struct kws_config *config, const char *label);

/* One threshold for all keywords, with a section or without. */
void kws_config_set_thresholds(struct kws_config *config, double threshold);

/* The thresholds of that name, "delta" for instance, of [exits] and of a keyword; as strchr() does,
 * what is not to be changed may come in. The name must be a key of KWS_KEY_FLOATS there. Thread:
 * any. RT-safe: yes. */
struct kws_config_floats *kws_config_exits_list(const struct kws_config *config, const char *name);
struct kws_config_floats *kws_config_keyword_list(
	const struct kws_keyword_config *keyword, const char *name);

/* What these are called in a file, "entropy" for instance. Thread: any. RT-safe: yes. */
const char *kws_config_policy_name(enum kws_config_policy policy);
const char *kws_config_source_name(enum kws_config_source source);
const char *kws_config_confirm_name(enum kws_config_confirm confirm);

/* Writes the value of "section.key" or "keyword NAME.key" as it would stand in the file; for a
 * keyword without a section what kws_config_keyword() gives. KWS_CONFIG_VALUE_SIZE bytes always
 * suffice. Errors: KWS_ENOENT for a key that does not exist, KWS_EINVAL for too small a buffer.
 * Thread: any. */
int kws_config_get(const struct kws_config *config, const char *key, char *text, size_t size);

/* What a change of the key asks of the daemon; KWS_APPLY_NONE when there is no such key. Thread:
 * any. */
enum kws_apply kws_config_apply(const char *key);

/* Whether it is a key in the spelling of kws_config_each(), the only one that may be compared: with
 * other blanks an override means the same key. One with '=', which a keyword's name may have in a
 * file, is none here: in an override the value begins there. Thread: any. */
bool kws_config_key_is_exact(const char *key);

/* Whether the override of kws_config_load(), with whatever blanks, is one of the key in the
 * spelling of kws_config_each(). Thread: any. */
bool kws_config_override_sets(const char *override, const char *key);

/* Whether it is a key of a keyword, whose name is written then. Thread: any. */
bool kws_config_key_keyword(const char *key, char name[KWS_CONFIG_KEY_TEXT_SIZE]);

/* Called once for each key; the strings live only during the call. */
typedef void kws_config_visit_fn(
	void *user, const char *key, const char *value, enum kws_apply apply);

/* Visits every key with its value, the keywords that have a section last. Thread: any. */
void kws_config_each(const struct kws_config *config, kws_config_visit_fn *visit, void *user);

/* Visits every key whose effective value differs, with its value in `to`, and returns the strongest
 * class among them, KWS_APPLY_NONE when there is none. A keyword whose section came or went is
 * compared with what it inherits. `visit` may be NULL. Thread: any. */
enum kws_apply kws_config_diff(const struct kws_config *from, const struct kws_config *to,
	kws_config_visit_fn *visit, void *user);

#endif
