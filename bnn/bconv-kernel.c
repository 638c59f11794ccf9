/* SPDX-License-Identifier: Apache-2.0 */
#include "bnn/bconv-kernel.h"

#include <string.h>

#define BLOCK KWS_BCONV_BLOCK
/* A byte counter grows by at most 8 a word, so 31 words fit before it must be emptied. */
#define WORDS_PER_FLUSH 31

/* Adds the differing bits of one word to eight byte counters for each output. */
static inline void count_word(
	uint64_t x, const uint64_t *restrict weights, uint64_t *restrict bytes)
{
	for (size_t o = 0; o < BLOCK; o++) {
		uint64_t v = x ^ weights[o];
		v = v - (v >> 1 & 0x5555555555555555u);
		v = (v & 0x3333333333333333u) + (v >> 2 & 0x3333333333333333u);
		v = (v + (v >> 4)) & 0x0f0f0f0f0f0f0f0fu;
		bytes[o] += v;
	}
}

/* Adds the byte counters to the totals and empties them. */
static inline void flush(uint64_t *restrict bytes, uint32_t *restrict counts)
{
	for (size_t o = 0; o < BLOCK; o++) {
		uint64_t v = bytes[o];
		v = (v & 0x00ff00ff00ff00ffu) + (v >> 8 & 0x00ff00ff00ff00ffu);
		v = v + (v >> 16);
		v = v + (v >> 32);
		counts[o] += (uint32_t)(v & 0xffff);
		bytes[o] = 0;
	}
}

static void count_block(const struct kws_bconv_weights *weights, const uint64_t *data,
	const uint64_t *const *taps, uint32_t *counts)
{
	uint64_t bytes[BLOCK] = {0};
	size_t room = WORDS_PER_FLUSH;
	memset(counts, 0, BLOCK * sizeof(*counts));
	for (size_t t = 0; t < weights->taps; t++, data += weights->words * BLOCK) {
		if (taps[t] == NULL) {
			continue;
		}
		for (size_t w = 0; w < weights->words; w++) {
			count_word(taps[t][w], data + w * BLOCK, bytes);
			if (--room == 0) {
				flush(bytes, counts);
				room = WORDS_PER_FLUSH;
			}
		}
	}
	flush(bytes, counts);
}

void kws_bconv_count(
	const struct kws_bconv_weights *weights, const uint64_t *const *taps, uint32_t *counts)
{
	size_t block_words = weights->taps * weights->words * BLOCK;
	for (size_t b = 0; b < weights->blocks; b++) {
		count_block(weights, weights->data + b * block_words, taps, counts + b * BLOCK);
	}
}
