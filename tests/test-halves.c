/* SPDX-License-Identifier: Apache-2.0 */
#include "tune/halves.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "bnn/graph.h"

#define CLIPS_MAX 16
#define YES 0
#define LAST (KWS_CLASSES_MAX - 1) /* the last label that a model can have */

/* Divides clips of 'y' and 'l' (keywords) and 'x' (another word), whose speakers are letters too,
 * '-' for none, and compares with the halves wanted: 's' or 'c'. */
static void assert_halves(
	const char *words, const char *speakers, const char *halves, enum kws_halves_by wanted)
{
	static const char *const names[] = {"ann", "bob", "cat"};
	struct kws_halves_clip clips[CLIPS_MAX];
	enum kws_halves_by by;
	char got[CLIPS_MAX + 1] = "";
	size_t count = strlen(words);
	for (size_t i = 0; i < count; i++) {
		char word = words[i];
		clips[i].label = word == 'y' ? YES : word == 'l' ? LAST : KWS_SPOKEN_OTHER;
		clips[i].speaker = speakers[i] != '-' ? names[speakers[i] - 'a'] : NULL;
	}
	assert_int_equal(kws_halves_divide(clips, count, &by), 0);
	for (size_t i = 0; i < count; i++) {
		got[i] = clips[i].half == KWS_HALF_CHECK ? 'c' : 's';
	}
	assert_string_equal(got, halves);
	assert_int_equal(by, wanted);
}

static void every_second_speaker(void **state)
{
	(void)state;
	assert_halves("yyyyyy", "abcabc", "scsscs", KWS_HALVES_BY_SPEAKER);
	assert_halves("yylxyx", "bbaaba", "ssccsc", KWS_HALVES_BY_SPEAKER);
	assert_halves("xxx", "aab", "ssc", KWS_HALVES_BY_SPEAKER);
}

/* However keywords and other words take turns, both halves have both. */
static void by_label_where_nobody_is_named(void **state)
{
	(void)state;
	assert_halves("yxyx", "----", "sccs", KWS_HALVES_BY_LABEL);
	assert_halves("xyxy", "----", "sscc", KWS_HALVES_BY_LABEL);
	assert_halves("yyllyx", "------", "scscsc", KWS_HALVES_BY_LABEL);
	assert_halves("yl", "--", "sc", KWS_HALVES_BY_LABEL); /* each word once */
	assert_halves("xy", "--", "ss", KWS_HALVES_BY_LABEL); /* nothing to halve */
}

static void some_without_a_speaker(void **state)
{
	(void)state;
	assert_halves("yyyy", "a-b-", "sccs", KWS_HALVES_BY_SPEAKER);
	assert_halves("yyyy", "a---", "scsc", KWS_HALVES_BY_SPEAKER);
}

static void too_few_speakers(void **state)
{
	(void)state;
	assert_halves("yyyyx", "aaaaa", "scscs", KWS_HALVES_TOO_FEW);
	assert_halves("yyxx", "aabb", "scsc", KWS_HALVES_TOO_FEW);
	assert_halves("xy", "ab", "ss", KWS_HALVES_TOO_FEW); /* else there is none to search on */
	assert_halves("xxx", "aaa", "scs", KWS_HALVES_TOO_FEW);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_second_speaker),
		cmocka_unit_test(by_label_where_nobody_is_named),
		cmocka_unit_test(some_without_a_speaker),
		cmocka_unit_test(too_few_speakers),
	};
	return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
