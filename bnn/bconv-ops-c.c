/* SPDX-License-Identifier: Apache-2.0 */
/* Plain C: XOR and a population count by shifts and masks, which every compiler turns into vector
 * code, also for machines without a popcount instruction. The set that defines what the others
 * compute. */
#include <assert.h>
#include <float.h>

#include "bnn/bconv-ops.h"

static_assert(FLT_EVAL_METHOD == 0,
	"every operation rounds to a float; 32-bit x86 needs -msse2 -mfpmath=sse for that");

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

static void block_sums(const struct kws_bconv_tile *tile, const uint64_t *weights,
	const uint64_t *input, const int32_t *base, int32_t *sums)
{
	uint64_t bytes[BLOCK] = {0};
	uint32_t counts[BLOCK] = {0};
	size_t room = WORDS_PER_FLUSH;
	for (size_t r = 0; r < tile->rows; r++) {
		for (size_t w = 0; w < tile->words; w++) {
			count_word(input[w], weights + w * BLOCK, bytes);
			if (--room == 0) {
				flush(bytes, counts);
				room = WORDS_PER_FLUSH;
			}
		}
		input += tile->input_step;
		weights += tile->weight_step;
	}
	flush(bytes, counts);
	for (size_t o = 0; o < BLOCK; o++) {
		sums[o] = base[o] - 2 * (int32_t)counts[o];
	}
}

static void sums_c(const struct kws_bconv_tile *tile, int32_t *sums)
{
	for (size_t p = 0; p < tile->positions; p++) {
		for (size_t b = 0; b < tile->blocks; b++, sums += BLOCK) {
			block_sums(tile, tile->weights + b * tile->block_step, tile->inputs[p],
				tile->base + b * BLOCK, sums);
		}
	}
}

static void transform_position(const struct kws_bconv_transform *transform,
	const int32_t *restrict sums, const float *residual, float *restrict out)
{
	for (size_t c = 0; c < transform->channels; c++) {
		float a = (float)sums[c];
		a = a >= 0.0f ? a : a * transform->slope[c];
		out[c] = a * transform->scale[c] + transform->bias[c];
	}
	for (size_t c = 0; residual != NULL && c < transform->channels; c++) {
		out[c] += residual[c];
	}
}

static void transform_c(const struct kws_bconv_transform *transform, const int32_t *sums)
{
	for (size_t p = 0; p < transform->positions; p++) {
		transform_position(transform, sums + p * transform->sums_step,
			transform->residuals[p], transform->outputs[p]);
	}
}

const struct kws_bconv_ops kws_bconv_ops_c = {
	.name = "c",
	.positions = 1,
	.blocks = 1,
	.sums = sums_c,
	.transform = transform_c,
};
