/* SPDX-License-Identifier: Apache-2.0 */
/* NEON, on 64-bit and 32-bit ARM. Floats are vectors on 64-bit ARM only, where they round as
 * scalars do: 32-bit NEON takes subnormal numbers for 0, so there they stay on the VFP. */
#include "bnn/bconv-ops.h"

#ifndef __ARM_NEON
#error "compile this file with -mfpu=neon"
#endif
#include <stdbool.h>
#include <string.h>

#include "bnn/bconv-neon.h"
#include "common/cpu.h"
#include "common/size.h"
#ifdef __aarch64__
#include "bnn/bconv-neon-a64.h"
#endif

#define BLOCK KWS_BCONV_BLOCK

/* sums -= 2 * counts */
KWS_NEON_INLINE void subtract_twice(uint16x8_t counts, int32_t *sums)
{
	int16x8_t twice = vreinterpretq_s16_u16(vshlq_n_u16(counts, 1));
	vst1q_s32(sums, vsubw_s16(vld1q_s32(sums), vget_low_s16(twice)));
	vst1q_s32(sums + 4, vsubw_s16(vld1q_s32(sums + 4), vget_high_s16(twice)));
}

/* One part of a block; `positions` is a constant where this is inlined. */
KWS_NEON_INLINE void count_part(
	const struct kws_neon_part *part, size_t positions, size_t sums_step, int32_t *sums)
{
	uint16x8_t counts[KWS_NEON_POSITIONS];
#ifdef __aarch64__
	if (positions == 4) {
		kws_neon_count4(part, counts);
	} else
#endif
	{
		kws_neon_count(part, positions, counts);
	}
	for (size_t p = 0; p < positions; p++) {
		subtract_twice(counts[p], sums + p * sums_step);
	}
}

KWS_NEON_INLINE void block_sums(const struct kws_bconv_tile *tile, size_t positions,
	const uint64_t *weights, size_t sums_step, int32_t *sums)
{
	size_t words = kws_size_min(tile->words, KWS_NEON_WORDS_MAX);
	size_t rows = KWS_NEON_WORDS_MAX / words;
	struct kws_neon_part part = {
		.input_step = tile->input_step,
		.weight_step = tile->weight_step,
	};
	for (size_t r = 0; r < tile->rows; r += rows) {
		part.rows = kws_size_min(rows, tile->rows - r);
		for (size_t w = 0; w < tile->words; w += words) {
			part.words = kws_size_min(words, tile->words - w);
			part.weights = weights + r * tile->weight_step + w * BLOCK;
			for (size_t p = 0; p < positions; p++) {
				part.inputs[p] = tile->inputs[p] + r * tile->input_step + w;
			}
			count_part(&part, positions, sums_step, sums);
		}
	}
}

KWS_NEON_INLINE void all_blocks(const struct kws_bconv_tile *tile, size_t positions, int32_t *sums)
{
	size_t step = tile->blocks * BLOCK;
	for (size_t p = 0; p < positions; p++) {
		memcpy(sums + p * step, tile->base, step * sizeof(*sums));
	}
	for (size_t b = 0; b < tile->blocks; b++) {
		block_sums(tile, positions, tile->weights + b * tile->block_step, step,
			sums + b * BLOCK);
	}
}

static void sums_neon(const struct kws_bconv_tile *tile, int32_t *sums)
{
	switch (tile->positions) {
#ifdef __aarch64__
	case 4:
		all_blocks(tile, 4, sums);
		break;
	case 3:
		all_blocks(tile, 3, sums);
		break;
#endif
	case 2:
		all_blocks(tile, 2, sums);
		break;
	case 1:
		all_blocks(tile, 1, sums);
		break;
	}
}

/* The channels from `first` on, one by one. */
static void transform_rest(
	const struct kws_bconv_transform *transform, const int32_t *sums, size_t first)
{
	for (size_t p = 0; p < transform->positions; p++, sums += transform->sums_step) {
		const float *residual = transform->residuals[p];
		float *out = transform->outputs[p];
		for (size_t c = first; c < transform->channels; c++) {
			float a = (float)sums[c];
			a = a >= 0.0f ? a : a * transform->slope[c];
			a = a * transform->scale[c] + transform->bias[c];
			out[c] = residual != NULL ? a + residual[c] : a;
		}
	}
}

#ifdef __aarch64__

/* Vectors that are under way together, so that an in-order core need not wait for each result. */
#define TRANSFORM_VECTORS 4

/* `vectors` times four channels from c on, at all positions. */
KWS_NEON_INLINE void transform_vectors(const struct kws_bconv_transform *transform,
	const int32_t *sums, size_t c, size_t vectors, bool add)
{
	float32x4_t slope[TRANSFORM_VECTORS];
	float32x4_t scale[TRANSFORM_VECTORS];
	float32x4_t bias[TRANSFORM_VECTORS];
	for (size_t v = 0; v < vectors; v++) {
		slope[v] = vld1q_f32(transform->slope + c + 4 * v);
		scale[v] = vld1q_f32(transform->scale + c + 4 * v);
		bias[v] = vld1q_f32(transform->bias + c + 4 * v);
	}
	sums += c;
	for (size_t p = 0; p < transform->positions; p++, sums += transform->sums_step) {
		float32x4_t a[TRANSFORM_VECTORS];
		for (size_t v = 0; v < vectors; v++) {
			a[v] = vcvtq_f32_s32(vld1q_s32(sums + 4 * v));
			a[v] = vbslq_f32(vcltzq_f32(a[v]), vmulq_f32(a[v], slope[v]), a[v]);
			a[v] = vaddq_f32(vmulq_f32(a[v], scale[v]), bias[v]);
			if (add) {
				const float *residual = transform->residuals[p] + c + 4 * v;
				a[v] = vaddq_f32(a[v], vld1q_f32(residual));
			}
		}
		for (size_t v = 0; v < vectors; v++) {
			vst1q_f32(transform->outputs[p] + c + 4 * v, a[v]);
		}
	}
}

KWS_NEON_INLINE void transform_channels(
	const struct kws_bconv_transform *transform, const int32_t *sums, bool add)
{
	size_t c = 0;
	for (; c + 4 * TRANSFORM_VECTORS <= transform->channels; c += 4 * TRANSFORM_VECTORS) {
		transform_vectors(transform, sums, c, TRANSFORM_VECTORS, add);
	}
	for (; c + 4 <= transform->channels; c += 4) {
		transform_vectors(transform, sums, c, 1, add);
	}
	transform_rest(transform, sums, c);
}

static void transform_neon(const struct kws_bconv_transform *transform, const int32_t *sums)
{
	if (transform->residuals[0] != NULL) {
		transform_channels(transform, sums, true);
	} else {
		transform_channels(transform, sums, false);
	}
}

#else

static void transform_neon(const struct kws_bconv_transform *transform, const int32_t *sums)
{
	transform_rest(transform, sums, 0);
}

#endif

const struct kws_bconv_ops kws_bconv_ops_neon = {
	.name = "neon",
	.cpu_flags = KWS_CPU_NEON,
	.positions = KWS_NEON_POSITIONS,
	.blocks = 1,
	.sums = sums_neon,
	.transform = transform_neon,
};
