/* SPDX-License-Identifier: Apache-2.0 */
/* Each set of binary convolution kernels that this CPU can run against plain C, bit for bit, on
 * random tiles and transforms, with guards around what they write. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <float.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "bnn/bconv-ops.h"
#include "bnn/spec.h"
#include "common/cpu.h"

#define TRIALS 3000
#define BLOCK KWS_BCONV_BLOCK
#define POSITIONS KWS_BCONV_POSITIONS_MAX
#define BLOCKS_MAX 13
#define ROWS_MAX 7
#define WORDS_MAX 40 /* a run of taps of up to 520 channels, and longer than any counter's room */
#define GAP_MAX 9
#define INPUT_WORDS (ROWS_MAX * (WORDS_MAX + GAP_MAX) + 64)
#define WEIGHT_WORDS (BLOCKS_MAX * ROWS_MAX * (WORDS_MAX + GAP_MAX) * BLOCK)
#define SUMS (POSITIONS * BLOCKS_MAX * BLOCK)
#define GUARD 64
#define GUARD_VALUE 0x5a5a5a5a

static size_t pick(unsigned *seed, size_t lowest, size_t highest)
{
	return lowest + (size_t)rand_r(seed) % (highest - lowest + 1);
}

static uint64_t random_word(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

/* All zeros or all ones in half of the cases: the counters' extremes. */
static void fill_words(unsigned *seed, uint64_t *words, size_t count)
{
	size_t kind = pick(seed, 0, 3);
	uint64_t state = 1 + (uint64_t)rand_r(seed);
	for (size_t i = 0; i < count; i++) {
		words[i] = kind == 0 ? 0 : kind == 1 ? UINT64_MAX : random_word(&state);
	}
}

struct arena {
	uint64_t *input;
	uint64_t *weights;
	int32_t base[BLOCKS_MAX * BLOCK];
};

static void pick_tile(
	unsigned *seed, struct arena *arena, size_t positions, struct kws_bconv_tile *tile)
{
	fill_words(seed, arena->input, INPUT_WORDS);
	fill_words(seed, arena->weights, WEIGHT_WORDS);
	for (size_t o = 0; o < BLOCKS_MAX * BLOCK; o++) {
		arena->base[o] = (int32_t)pick(seed, 0, 20000) - 10000;
	}
	tile->rows = pick(seed, 1, ROWS_MAX);
	tile->words = pick(seed, 1, WORDS_MAX);
	tile->input_step = tile->words + pick(seed, 0, GAP_MAX);
	tile->weight_step = (tile->words + pick(seed, 0, GAP_MAX)) * BLOCK;
	tile->block_step = tile->rows * tile->weight_step;
	tile->blocks = pick(seed, 1, BLOCKS_MAX);
	tile->positions = positions;
	tile->weights = arena->weights;
	tile->base = arena->base;
	for (size_t p = 0; p < positions; p++) {
		tile->inputs[p] = arena->input + pick(seed, 0, 63);
	}
}

static void fill_guarded(int32_t *memory, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		memory[i] = GUARD_VALUE;
	}
}

static void sums_are_those_of_plain_c(const struct kws_bconv_ops *ops)
{
	static int32_t wanted[SUMS + 2 * GUARD];
	static int32_t got[SUMS + 2 * GUARD];
	struct arena arena;
	unsigned seed = 1;
	arena.input = kws_spec_alloc(INPUT_WORDS, sizeof(uint64_t));
	arena.weights = kws_spec_alloc(WEIGHT_WORDS, sizeof(uint64_t));
	for (size_t i = 0; i < TRIALS; i++) {
		struct kws_bconv_tile tile;
		pick_tile(&seed, &arena, 1 + i % ops->positions, &tile);
		fill_guarded(wanted, SUMS + 2 * GUARD);
		fill_guarded(got, SUMS + 2 * GUARD);
		kws_bconv_ops_c.sums(&tile, wanted + GUARD);
		ops->sums(&tile, got + GUARD);
		assert_memory_equal(got, wanted, sizeof(got));
	}
	free(arena.input);
	free(arena.weights);
}

/* Of both signs, zero, small enough to make subnormal products, large enough for infinite ones. */
static float pick_float(unsigned *seed)
{
	static const float special[] = {0.0f, -0.0f, 1.0f, -1.0f, FLT_MIN, -FLT_MIN / 4, 1e38f};
	size_t kind = pick(seed, 0, 15);
	if (kind < sizeof(special) / sizeof(special[0])) {
		return special[kind];
	}
	return ((float)rand_r(seed) / (float)RAND_MAX - 0.5f) * 4.0f;
}

#define CHANNELS_MAX 130
#define SUMS_STEP 136

struct vectors {
	float slope[CHANNELS_MAX];
	float scale[CHANNELS_MAX];
	float bias[CHANNELS_MAX];
	float residual[POSITIONS * CHANNELS_MAX];
	int32_t sums[POSITIONS * SUMS_STEP];
};

static void pick_vectors(unsigned *seed, struct vectors *vectors)
{
	for (size_t c = 0; c < CHANNELS_MAX; c++) {
		vectors->slope[c] = pick_float(seed);
		vectors->scale[c] = pick_float(seed);
		vectors->bias[c] = pick_float(seed);
	}
	for (size_t i = 0; i < POSITIONS * CHANNELS_MAX; i++) {
		vectors->residual[i] = pick_float(seed);
	}
	for (size_t i = 0; i < POSITIONS * SUMS_STEP; i++) {
		vectors->sums[i] = (int32_t)pick(seed, 0, 1200) - 600;
		vectors->sums[i] *= pick(seed, 0, 30) == 0 ? 100003 : 1; /* not all fit a float */
	}
}

static void transform(const struct kws_bconv_ops *ops, const struct vectors *vectors,
	size_t channels, size_t positions, bool add, int32_t *memory)
{
	struct kws_bconv_transform transform = {
		.channels = channels,
		.positions = positions,
		.sums_step = SUMS_STEP,
		.slope = vectors->slope,
		.scale = vectors->scale,
		.bias = vectors->bias,
	};
	fill_guarded(memory, POSITIONS * (CHANNELS_MAX + GUARD) + GUARD);
	for (size_t p = 0; p < positions; p++) {
		transform.residuals[p] = add ? vectors->residual + p * CHANNELS_MAX : NULL;
		transform.outputs[p] = (float *)memory + GUARD + p * (CHANNELS_MAX + GUARD);
	}
	ops->transform(&transform, vectors->sums);
}

static void transforms_are_those_of_plain_c(const struct kws_bconv_ops *ops)
{
	static int32_t wanted[POSITIONS * (CHANNELS_MAX + GUARD) + GUARD];
	static int32_t got[POSITIONS * (CHANNELS_MAX + GUARD) + GUARD];
	static struct vectors vectors;
	unsigned seed = 2;
	for (size_t i = 0; i < TRIALS; i++) {
		pick_vectors(&seed, &vectors);
		size_t channels = pick(&seed, 1, CHANNELS_MAX);
		size_t positions = 1 + i % ops->positions;
		bool add = pick(&seed, 0, 1) == 1;
		transform(&kws_bconv_ops_c, &vectors, channels, positions, add, wanted);
		transform(ops, &vectors, channels, positions, add, got);
		assert_memory_equal(got, wanted, sizeof(got));
	}
}

static void every_set_gives_the_bits_of_plain_c(void **state)
{
	(void)state;
	for (size_t i = 0; kws_bconv_sets[i] != NULL; i++) {
		if ((kws_bconv_sets[i]->cpu_flags & ~kws_cpu_detect()) == 0) {
			print_message("kernels: %s\n", kws_bconv_sets[i]->name);
			sums_are_those_of_plain_c(kws_bconv_sets[i]);
			transforms_are_those_of_plain_c(kws_bconv_sets[i]);
		}
	}
}

static void the_first_set_that_the_cpu_serves_is_found(void **state)
{
	(void)state;
	assert_ptr_equal(kws_bconv_ops_find(0), &kws_bconv_ops_c);
	assert_ptr_equal(kws_bconv_ops_find(KWS_CPU_ALL), kws_bconv_sets[0]);
	for (size_t i = 0; kws_bconv_sets[i] != NULL; i++) {
		const struct kws_bconv_ops *found =
			kws_bconv_ops_find(kws_bconv_sets[i]->cpu_flags);
		assert_int_equal(found->cpu_flags & ~kws_bconv_sets[i]->cpu_flags, 0);
		assert_in_range(found->positions, 1, KWS_BCONV_POSITIONS_MAX);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_set_gives_the_bits_of_plain_c),
		cmocka_unit_test(the_first_set_that_the_cpu_serves_is_found),
	};
	return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
