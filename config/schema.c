/* SPDX-License-Identifier: Apache-2.0 */
#include "config/schema.h"

#include <assert.h>
#include <string.h>

#include "common/error.h"
#include "config/config.h"
#include "config/value.h"

/* Set by meson from prefix and datadir. */
#ifndef KWS_DEFAULT_MODEL
#error "KWS_DEFAULT_MODEL is not defined"
#endif

static_assert(sizeof(enum kws_config_source) == sizeof(int), "enums are written as int");

#define XX(name, text) text,
static const char *const source_names[] = {KWS_CONFIG_SOURCE_MAP(XX) NULL};
static const char *const pace_names[] = {KWS_CONFIG_PACE_MAP(XX) NULL};
static const char *const policy_names[] = {KWS_CONFIG_POLICY_MAP(XX) NULL};
static const char *const level_names[] = {KWS_CONFIG_LEVEL_MAP(XX) NULL};
#undef XX
#define XX(name, text, exit) text,
static const char *const confirm_names[] = {KWS_CONFIG_CONFIRM_MAP(XX) NULL};
#undef XX

/* The first words of a row: the field of struct kws_config is named as section and key are. */
#define KEY(section_, name_, apply_, default_)                             \
	.section = #section_, .name = #name_, .apply = KWS_APPLY_##apply_, \
	.default_text = (default_), .offset = offsetof(struct kws_config, section_.name_)

#define KEYWORD_KEY(name_, default_)                                             \
	.section = KWS_KEYWORD_SECTION, .name = #name_, .apply = KWS_APPLY_LIVE, \
	.default_text = (default_), .offset = offsetof(struct kws_keyword_config, name_)

/* A keyword's default text is that of the other section; it shows in the sample only. */
#define DETECTOR_KEY(name_, default_) KEYWORD_KEY(name_, default_), .inherits = "detector"
#define EXITS_KEY(name_, default_) KEYWORD_KEY(name_, default_), .inherits = "exits"

#define BOOL .type = KWS_KEY_BOOL
#define INT(min_, max_) .type = KWS_KEY_INT, .min = (min_), .max = (max_)
#define INT_OR_ZERO(min_, max_) INT(min_, max_), .zero_allowed = true
#define FLOAT(min_, max_) .type = KWS_KEY_FLOAT, .min = (min_), .max = (max_)
#define FLOAT_OR_MODEL(min_, max_) FLOAT(min_, max_), .model_allowed = true
#define FLOATS(min_, max_) .type = KWS_KEY_FLOATS, .min = (min_), .max = (max_)
#define PATHS .type = KWS_KEY_PATHS
#define STRING(section_, name_) \
	.type = KWS_KEY_STRING, .size = sizeof(((struct kws_config *)NULL)->section_.name_)
#define ENUM(choices_) .type = KWS_KEY_ENUM, .choices = (choices_)

/* One key, two to four lines; a help of two lines has the second one's "# ". */
/* clang-format off */
static const struct kws_key key_table[] = {
	{KEY(audio, source, STREAM, "portaudio"), ENUM(source_names),
		.help = "Where the samples come from. stdin is raw: 16 bits, little-endian, channels\n"
			"# interleaved; rate_hz and channels must be set for it."},
	{KEY(audio, device, STREAM, ""), STRING(audio, device),
		.help = "Name of the sound device, or a part of it; empty: the system's default."},
	{KEY(audio, path, STREAM, ""), STRING(audio, path),
		.help = "The file that the source \"file\" plays; a pipe or a device is for stdin."},
	{KEY(audio, pace, STREAM, "realtime"), ENUM(pace_names),
		.help = "Whether a file is played in real time or as fast as it goes."},
	{KEY(audio, rate_hz, STREAM, "0"), INT_OR_ZERO(4000, 384000),
		.help = "Sample rate of the source; 0: the device's own. Must be set for stdin; a file\n"
			"# has its own."},
	{KEY(audio, channels, STREAM, "0"), INT(0, 32),
		.help = "Channels of the source; 0: its own. Of a device at most 2 are opened then,\n"
			"# unless channel is higher. Must be set for stdin; a file has its own."},
	{KEY(audio, channel, STREAM, "0"), INT(0, 32),
		.help = "The channel to listen to, from 1; 0: the mix of all."},
	{KEY(audio, buffer_ms, STREAM, "2000"), INT(100, 60000),
		.help = "Audio that can wait between the device and the network, or somewhat more: the\n"
			"# room is rounded up to a power of two, from 4096 to 2^24 frames."},
	{KEY(audio, stall_ms, STREAM, "2000"), INT(200, 600000),
		.help = "A device that gives no sample for so long counts as lost."},
	{KEY(audio, zeros_ms, LIVE, "10000"), INT_OR_ZERO(100, 3600000),
		.help = "Samples that are all zero for so long are told as kws.state; 0: never. With\n"
			"# channel only those of that channel count."},

	{KEY(dsp, resampler_quality, STREAM, "5"), INT(0, 10),
		.help = "Quality of the resampler: 0 is fastest, 10 is best."},
	{KEY(dsp, denoise, STREAM, "no"), BOOL, .help = "Suppress steady noise."},
	{KEY(dsp, denoise_db, STREAM, "-15"), INT(-60, 0),
		.help = "The most that noise is lowered, in decibels."},
	{KEY(dsp, agc, STREAM, "no"), BOOL, .help = "Bring the voice to an even level."},
	{KEY(dsp, agc_level, STREAM, "8000"), INT(1, 32768),
		.help = "The level that agc aims at; 32768 is full scale."},
	{KEY(dsp, vad, STREAM, "no"), BOOL,
		.help = "Let the network sleep while nobody speaks. SpeexDSP then writes a warning of\n"
				"# its own, of a hack, which means nothing more."},
	/* SpeexDSP's own 35 and 20 take a quiet room for speech: docs/tuning.md. Never is it sure. */
	{KEY(dsp, vad_start_percent, STREAM, "90"), INT(0, 99),
		.help = "Probability of speech at which vad opens."},
	{KEY(dsp, vad_continue_percent, STREAM, "60"), INT(0, 99),
		.help = "Probability of speech at which an open vad stays open."},

	{KEY(model, path, LIVE, KWS_DEFAULT_MODEL), PATHS,
		.help = "The model file, or several that listen side by side. A relative path begins in\n"
			"# the folder that kwsd was started in, that of the system service in /."},
	{KEY(model, hop_frames, STREAM, "4"), INT(1, 32),
		.help = "Frames of 10 ms between two inferences."},

	{KEY(exits, policy, LIVE, "entropy"), ENUM(policy_names),
		.help = "How it is decided to leave the network early."},
	{KEY(exits, delta, LIVE, "model"), FLOATS(0, 10),
		.help = "entropy: leave below this entropy in nats; 0: never early. Else 0.5."},
	{KEY(exits, score, LIVE, "model"), FLOATS(0, 2),
		.help = "score: leave at this best posterior; above 1: never early. Else 0.9."},
	{KEY(exits, margin, LIVE, "model"), FLOATS(0, 2),
		.help = "margin: leave at this lead over the second; above 1: never. Else 0.8."},
	{KEY(exits, distance, LIVE, "model"), FLOATS(0, 1e6),
		.help = "difference, temporal-patience: below this nothing has changed. Else 2."},
	{KEY(exits, temperature, LIVE, "model"), FLOATS(0.01, 100),
		.help = "Posteriors are softmax(logits / temperature). Else 1."},
	{KEY(exits, patience, LIVE, "2"), INT(1, 6),
		.help = "patience: leave when so many exits in a row agreed with the one before."},
	{KEY(exits, max_age_ms, LIVE, "2000"), INT(10, 600000),
		.help = "difference, temporal-patience: how long one answer may be repeated."},
	{KEY(exits, fresh_ms, LIVE, "1000"), INT(0, 600000),
		.help = "The same: no answer is repeated while a keyword sounds and so long after it."},
	{KEY(exits, scene_delta, LIVE, "0"), FLOAT(0, 10),
		.help = "The same: entropy below which a change is answered early; 0: never."},
	{KEY(exits, confirm, LIVE, "off"), ENUM(confirm_names),
		.help = "The exit that a keyword needs at least, however sure an earlier one was."},

	{KEY(detector, threshold, LIVE, "model"), FLOAT_OR_MODEL(0, 1),
		.help = "Smoothed score at which a keyword is detected. Else 0.8."},
	{KEY(detector, smoothing_hops, LIVE, "5"), INT(1, 100),
		.help = "Inferences that the score is averaged over."},
	{KEY(detector, patience_hops, LIVE, "2"), INT(1, 100),
		.help = "Inferences in a row that the score must stay above the threshold."},
	{KEY(detector, refractory_ms, LIVE, "750"), INT(0, 60000),
		.help = "Time after a detection in which there is no other one."},
	{KEY(detector, rearm, LIVE, "0.5"), FLOAT(0, 1),
		.help = "Fraction of the threshold below which the score must fall to fire again.\n"
			"# 0, or a threshold of 0: it fires once, until the audio is interrupted."},
	{KEY(detector, candidate_threshold, LIVE, "0"), FLOAT(0, 1),
		.help = "A score that rises to here and falls again without a detection is published as\n"
			"# a near miss, also one that did not last for patience_hops; 0: off."},

	{KEY(ipc, events, RESTART, ""), STRING(ipc, events),
		.help = "Endpoint of the events; empty: in the runtime directory."},
	{KEY(ipc, control, RESTART, ""), STRING(ipc, control),
		.help = "Endpoint of the control protocol; empty: in the runtime directory."},
	{KEY(ipc, remote_events, RESTART, ""), STRING(ipc, remote_events),
		.help = "tcp:// endpoint of the events for other machines, with CURVE; empty: none."},
	{KEY(ipc, remote_control, RESTART, ""), STRING(ipc, remote_control),
		.help = "tcp:// endpoint of the control protocol, likewise; empty: none."},
	{KEY(ipc, keys, RESTART, "/etc/kwsd/keys"), STRING(ipc, keys),
		.help = "Directory of server.key and of authorized, the list of clients."},
	{KEY(ipc, scores, LIVE, "no"), BOOL,
		.help = "Publish the scores of each inference as kws.score."},
	{KEY(ipc, level_ms, LIVE, "0"), INT_OR_ZERO(100, 60000),
		.help = "Period of kws.level, the audio level; 0: off."},
	{KEY(ipc, metrics_path, LIVE, ""), STRING(ipc, metrics_path),
		.help = "File for node_exporter's textfile collector, every 15 s; empty: none.\n"
			"# The system service may write in /var/lib/kwsd and /run/kwsd only."},
	{KEY(ipc, site, LIVE, ""), STRING(ipc, site),
		.help = "Name of this place, part of every event."},

	{KEY(clips, preroll_ms, STREAM, "0"), INT_OR_ZERO(100, 30000),
		.help = "Audio before a detection that kws.audio and clips carry; 0: none is kept."},
	{KEY(clips, publish, LIVE, "no"), BOOL,
		.help = "Publish that audio with each detection as kws.audio; needs preroll_ms."},
	{KEY(clips, folder, LIVE, ""), STRING(clips, folder),
		.help = "Save that audio as WAV with its event as JSON there; needs preroll_ms; empty:\n"
			"# nowhere. The system service may write in /var/lib/kwsd and /run/kwsd only."},
	{KEY(clips, quota_mb, LIVE, "100"), INT(1, 1000000),
		.help = "The oldest clips in the folder are removed beyond this."},
	{KEY(clips, near_misses, LIVE, "no"), BOOL,
		.help = "Save near misses too; needs folder and detector.candidate_threshold."},

	{KEY(log, level, LIVE, "info"), ENUM(level_names),
		.help = "The least severe messages that are logged; with debug ALSA and JACK write,\n"
			"# too, from the next time that a device is opened or tried."},

	{KEYWORD_KEY(phrase, ""), .type = KWS_KEY_STRING,
		.size = sizeof(((struct kws_keyword_config *)NULL)->phrase),
		.help = "What is spoken, as the events tell it; empty: the keyword's name."},
	{KEYWORD_KEY(enabled, "yes"), BOOL, .help = "Whether the keyword is detected."},
	{DETECTOR_KEY(threshold, "model"), FLOAT_OR_MODEL(0, 1), .help = "As in [detector]."},
	{DETECTOR_KEY(smoothing_hops, "5"), INT(1, 100), .help = "As in [detector]."},
	{DETECTOR_KEY(patience_hops, "2"), INT(1, 100), .help = "As in [detector]."},
	{DETECTOR_KEY(refractory_ms, "750"), INT(0, 60000), .help = "As in [detector]."},
	{EXITS_KEY(delta, "model"), FLOATS(0, 10),
		.help = "As in [exits], where an exit names this keyword."},
	{EXITS_KEY(score, "model"), FLOATS(0, 2), .help = "The same."},
	{EXITS_KEY(margin, "model"), FLOATS(0, 2), .help = "The same."},
	{EXITS_KEY(distance, "model"), FLOATS(0, 1e6),
		.help = "The same, where the answer in question names it."},
	{EXITS_KEY(confirm, "off"), ENUM(confirm_names), .help = "As in [exits]."},
};
/* clang-format on */

#define KEY_COUNT (sizeof(key_table) / sizeof(key_table[0]))

const struct kws_key *kws_schema_keys(size_t *count)
{
	*count = KEY_COUNT;
	return key_table;
}

const struct kws_key *kws_schema_find(const char *section, const char *name)
{
	for (size_t i = 0; i < KEY_COUNT; i++) {
		if (strcmp(key_table[i].section, section) == 0 &&
			strcmp(key_table[i].name, name) == 0) {
			return &key_table[i];
		}
	}
	return NULL;
}

bool kws_schema_has_section(const char *section)
{
	for (size_t i = 0; i < KEY_COUNT; i++) {
		if (strcmp(key_table[i].section, section) == 0) {
			return true;
		}
	}
	return false;
}

static const char preamble[] =
	"# kwsd.conf: the configuration of kwsd.\n"
	"#\n"
	"# Every key stands here with its default; remove the '#' in front to change it.\n"
	"# A file with an error is refused as a whole, every error is named, and kwsd\n"
	"# keeps the configuration it has.\n"
	"#\n"
	"# A comment starts with '#' or ';' at the start of a line, or with ';' after a\n"
	"# space; a '#' after a value is part of the value. No line continues another,\n"
	"# and none but a comment may be longer than 197 bytes.\n";

static const char exits_preamble[] =
	"# The words before a colon are the policies that look at the key. A threshold\n"
	"# comes from [keyword NAME], for the exits that name this keyword; else from\n"
	"# here; else, with \"model\", from the model; else it is the one named last.\n";

static const char detector_preamble[] =
	"# A threshold comes from [keyword NAME]; else from here; else, with \"model\",\n"
	"# from the model; else it is the one named last.\n";

static const char keyword_preamble[] =
	"# The settings of one keyword, named by its label in the model; each keyword\n"
	"# may have such a section. What is not set in it is as in [detector] or [exits].\n"
	"# From the shell: kwsctl set 'keyword yes.threshold' 0.9\n"
	"#[" KWS_KEYWORD_SECTION " yes]\n";

static const char *describe_apply(enum kws_apply apply)
{
	switch (apply) {
	case KWS_APPLY_LIVE:
		return "A change takes effect at once.";
	case KWS_APPLY_STREAM:
		return "A change restarts the audio stream.";
	case KWS_APPLY_RESTART:
		return "A change needs a restart of kwsd.";
	case KWS_APPLY_NONE:
		break;
	}
	return "";
}

static void print_key(const struct kws_key *key, FILE *file)
{
	char range[128];
	kws__value_describe(key, range, sizeof(range));
	/* a second line where both would be too long for one */
	const char *apply = describe_apply(key->apply);
	const char *gap = strlen(range) + strlen(apply) > 68 ? "\n# " : " ";
	fprintf(file, "\n# %s\n# Takes %s.%s%s\n", key->help, range, gap, apply);
	fprintf(file, "#%s =%s%s\n", key->name, key->default_text[0] != '\0' ? " " : "",
		key->default_text);
}

static const char *preamble_of(const char *section)
{
	if (strcmp(section, "exits") == 0) {
		return exits_preamble;
	}
	return strcmp(section, "detector") == 0 ? detector_preamble : "";
}

static void print_section(const char *section, FILE *file)
{
	if (strcmp(section, KWS_KEYWORD_SECTION) == 0) {
		fprintf(file, "\n%s", keyword_preamble);
	} else {
		fprintf(file, "\n[%s]\n%s", section, preamble_of(section));
	}
}

int kws_schema_print(FILE *file)
{
	const char *section = "";
	fputs(preamble, file);
	for (size_t i = 0; i < KEY_COUNT; i++) {
		if (strcmp(key_table[i].section, section) != 0) {
			section = key_table[i].section;
			print_section(section, file);
		}
		print_key(&key_table[i], file);
	}
	return fflush(file) != 0 || ferror(file) ? KWS_EIO : 0;
}
