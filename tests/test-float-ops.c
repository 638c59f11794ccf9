/* SPDX-License-Identifier: Apache-2.0 */
/* Every set of float kernels that this CPU can run against loops written out here, bit for bit. The
 * buffers end where a page ends and the next one may not be touched. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "bnn/float-ops.h"
#include "common/cpu.h"

#define TRIALS 1500
#define GUARD_BYTE 0xa5

/* Memory of a test: `data` ends at a page that is not there; what lies before is looked after. */
struct guarded {
	uint8_t *pages;
	size_t bytes; /* of the pages that are there */
	size_t before;
	float *data;
	size_t count;
};

static struct guarded guarded_alloc(size_t count)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	size_t size = count * sizeof(float);
	struct guarded guarded = {.bytes = (size / page + 2) * page, .count = count};
	guarded.pages = mmap(NULL, guarded.bytes + page, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	assert_true(guarded.pages != MAP_FAILED);
	assert_int_equal(mprotect(guarded.pages + guarded.bytes, page, PROT_NONE), 0);
	guarded.before = guarded.bytes - size;
	guarded.data = (void *)(guarded.pages + guarded.before);
	memset(guarded.pages, GUARD_BYTE, guarded.bytes);
	return guarded;
}

static void guarded_free(struct guarded *guarded)
{
	for (size_t i = 0; i < guarded->before; i++) {
		assert_int_equal(guarded->pages[i], GUARD_BYTE);
	}
	munmap(guarded->pages, guarded->bytes + (size_t)sysconf(_SC_PAGESIZE));
}

static size_t pick(unsigned *seed, size_t lowest, size_t highest)
{
	return lowest + (size_t)rand_r(seed) % (highest - lowest + 1);
}

/* What a trial's numbers look like. */
enum numbers {
	EIGHTHS,  /* few values: equal ones and zeros of both signs are common */
	ROUNDED,  /* every operation rounds */
	TINY,     /* products are below the normal numbers */
	ANYTHING, /* infinities and what is not a number among them */
	NUMBERS,
};

static float draw(unsigned *seed, enum numbers numbers)
{
	static const float odd[] = {INFINITY, -INFINITY, NAN, -0.0f, 3e38f, -1e-45f};
	float unit = (float)rand_r(seed) / (float)RAND_MAX * 2.0f - 1.0f;
	switch (numbers) {
	case EIGHTHS:
		return (float)(int)(unit * 3.0f) / (rand_r(seed) % 2 ? 8.0f : -8.0f);
	case TINY:
		return unit * 1e-19f;
	case ANYTHING:
		return pick(seed, 0, 5) == 0 ? odd[pick(seed, 0, 5)] : unit;
	default:
		return unit;
	}
}

static struct guarded draw_all(unsigned *seed, enum numbers numbers, size_t count)
{
	struct guarded guarded = guarded_alloc(count);
	for (size_t i = 0; i < count; i++) {
		guarded.data[i] = draw(seed, numbers);
	}
	return guarded;
}

/* The same bits; for what is not a number only that it is none. */
static void assert_same(const float *got, const float *wanted, size_t count, const char *what)
{
	for (size_t i = 0; i < count; i++) {
		if (!(isnan(got[i]) && isnan(wanted[i])) &&
			memcmp(&got[i], &wanted[i], sizeof(*got)) != 0) {
			fail_msg("%s: value %zu is %a, wanted %a", what, i, (double)got[i],
				(double)wanted[i]);
		}
	}
}

typedef void set_test(const struct kws_float_ops *ops, unsigned *seed, enum numbers numbers);

static bool can_run(const struct kws_float_ops *ops)
{
	return (ops->cpu_flags & ~kws_cpu_detect()) == 0;
}

/* Every set gets the same trials. */
static void for_every_set(set_test *test)
{
	for (size_t i = 0; kws_float_sets[i] != NULL; i++) {
		const struct kws_float_ops *ops = kws_float_sets[i];
		unsigned seed = 1;
		for (size_t trial = 0; can_run(ops) && trial < TRIALS; trial++) {
			test(ops, &seed, (enum numbers)(trial % NUMBERS));
		}
	}
}

/* Random extents and pitches of at least what is needed. Returns the floats of the map. */
static size_t draw_taps(unsigned *seed, struct kws_float_taps *taps, size_t channels_max)
{
	taps->positions = pick(seed, 1, 20);
	taps->rows = pick(seed, 1, 4);
	taps->taps = pick(seed, 1, 4);
	taps->channels = pick(seed, 1, channels_max);
	taps->tap_pitch = taps->channels + pick(seed, 0, 3);
	taps->position_pitch = taps->tap_pitch * pick(seed, 1, 3);
	taps->row_pitch = taps->positions * taps->position_pitch + pick(seed, 0, 5);
	return (taps->rows - 1) * taps->row_pitch + (taps->positions - 1) * taps->position_pitch +
	       (taps->taps - 1) * taps->tap_pitch + taps->channels;
}

static const float *tap_of(const struct kws_float_taps *taps, size_t position, size_t tap)
{
	return taps->input + position * taps->position_pitch + tap / taps->taps * taps->row_pitch +
	       tap % taps->taps * taps->tap_pitch;
}

static float relu(float x, bool wanted)
{
	return wanted && !(x > 0.0f) ? 0.0f : x;
}

static float naive_conv(const struct kws_float_conv *conv, size_t position, size_t output)
{
	size_t block = output / KWS_FLOAT_BLOCK;
	size_t lane = output % KWS_FLOAT_BLOCK;
	size_t channels = conv->taps.channels;
	float sum = conv->bias[output];
	for (size_t tap = 0; tap < conv->taps.rows * conv->taps.taps; tap++) {
		const float *x = tap_of(&conv->taps, position, tap);
		const float *weight = conv->weight + block * conv->weight_block_pitch +
				      tap / conv->taps.taps * conv->weight_row_pitch +
				      tap % conv->taps.taps * channels * KWS_FLOAT_BLOCK + lane;
		x += lane < KWS_FLOAT_BLOCK / 2 ? 0 : conv->half_pitch;
		for (size_t c = 0; c < channels; c++) {
			float product = x[c] * weight[c * KWS_FLOAT_BLOCK];
			sum += product;
		}
	}
	return relu(sum, conv->relu);
}

static float naive_depthwise(const struct kws_float_conv *conv, size_t position, size_t output)
{
	float sum = conv->bias[output];
	for (size_t tap = 0; tap < conv->taps.rows * conv->taps.taps; tap++) {
		float product = tap_of(&conv->taps, position, tap)[output] *
				conv->weight[tap / conv->taps.taps * conv->weight_row_pitch +
					     tap % conv->taps.taps * conv->taps.channels + output];
		sum += product;
	}
	return relu(sum, conv->relu);
}

/* Calls the kernel and compares all outputs, and what lies between those of two positions. */
static void check_conv(struct kws_float_conv *conv, void (*kernel)(const struct kws_float_conv *),
	float (*naive)(const struct kws_float_conv *, size_t, size_t), const char *what)
{
	size_t gap = conv->output_pitch - conv->outputs;
	struct guarded output = guarded_alloc(conv->taps.positions * conv->output_pitch - gap);
	float wanted[256];
	conv->output = output.data;
	kernel(conv);
	for (size_t p = 0; p < conv->taps.positions; p++) {
		const float *got = output.data + p * conv->output_pitch;
		for (size_t o = 0; o < conv->outputs; o++) {
			wanted[o] = naive(conv, p, o);
		}
		assert_same(got, wanted, conv->outputs, what);
		const uint8_t *between = (const void *)(got + conv->outputs);
		for (size_t i = 0; p + 1 < conv->taps.positions && i < gap * sizeof(float); i++) {
			assert_int_equal(between[i], GUARD_BYTE);
		}
	}
	guarded_free(&output);
}

/* Any number of outputs, full blocks, or a block of two halves with inputs of their own. */
static void draw_outputs(unsigned *seed, struct kws_float_conv *conv)
{
	size_t kind = pick(seed, 0, 2);
	conv->outputs = kind == 0 ? pick(seed, 1, 150) : KWS_FLOAT_BLOCK * pick(seed, 1, 9);
	if (kind == 2 && conv->taps.channels > 1) {
		conv->outputs = KWS_FLOAT_BLOCK;
		conv->half_pitch = pick(seed, 1, conv->taps.channels - 1);
		conv->taps.channels -= conv->half_pitch;
	}
	conv->output_pitch = conv->outputs + pick(seed, 0, 2);
}

static void try_conv(const struct kws_float_ops *ops, unsigned *seed, enum numbers numbers)
{
	struct kws_float_conv conv = {.relu = pick(seed, 0, 1) == 1};
	struct guarded input = draw_all(seed, numbers, draw_taps(seed, &conv.taps, 12));
	draw_outputs(seed, &conv);
	size_t blocks = (conv.outputs + KWS_FLOAT_BLOCK - 1) / KWS_FLOAT_BLOCK;
	size_t row = conv.taps.taps * conv.taps.channels * KWS_FLOAT_BLOCK;
	conv.weight_row_pitch = row + KWS_FLOAT_BLOCK * pick(seed, 0, 2);
	size_t block = (conv.taps.rows - 1) * conv.weight_row_pitch + row;
	conv.weight_block_pitch = block + KWS_FLOAT_BLOCK * pick(seed, 0, 2);
	struct guarded weight =
		draw_all(seed, numbers, (blocks - 1) * conv.weight_block_pitch + block);
	struct guarded bias = draw_all(seed, numbers, blocks * KWS_FLOAT_BLOCK);
	conv.taps.input = input.data;
	conv.weight = weight.data;
	conv.bias = bias.data;
	check_conv(&conv, ops->conv, naive_conv, ops->name);
	guarded_free(&bias);
	guarded_free(&weight);
	guarded_free(&input);
}

static void try_depthwise(const struct kws_float_ops *ops, unsigned *seed, enum numbers numbers)
{
	struct kws_float_conv conv = {.relu = pick(seed, 0, 1) == 1};
	struct guarded input = draw_all(seed, numbers, draw_taps(seed, &conv.taps, 140));
	conv.outputs = conv.taps.channels;
	conv.output_pitch = conv.outputs + pick(seed, 0, 2);
	size_t row = conv.taps.taps * conv.taps.channels;
	conv.weight_row_pitch = row + pick(seed, 0, 2);
	struct guarded weight =
		draw_all(seed, numbers, (conv.taps.rows - 1) * conv.weight_row_pitch + row);
	struct guarded bias = draw_all(seed, numbers, conv.outputs);
	conv.taps.input = input.data;
	conv.weight = weight.data;
	conv.bias = bias.data;
	check_conv(&conv, ops->depthwise, naive_depthwise, ops->name);
	guarded_free(&bias);
	guarded_free(&weight);
	guarded_free(&input);
}

static void try_max(const struct kws_float_ops *ops, unsigned *seed, enum numbers numbers)
{
	struct kws_float_taps taps;
	bool rectified = pick(seed, 0, 1) == 1;
	struct guarded input = draw_all(seed, numbers, draw_taps(seed, &taps, 140));
	struct guarded output = guarded_alloc(taps.positions * taps.channels);
	taps.input = input.data;
	ops->max(&taps, rectified, output.data);
	for (size_t i = 0; i < output.count; i++) {
		size_t position = i / taps.channels;
		float most = tap_of(&taps, position, 0)[i % taps.channels];
		for (size_t tap = 1; tap < taps.rows * taps.taps; tap++) {
			float x = tap_of(&taps, position, tap)[i % taps.channels];
			most = x > most ? x : most;
		}
		most = relu(most, rectified);
		assert_same(&output.data[i], &most, 1, ops->name);
	}
	guarded_free(&output);
	guarded_free(&input);
}

static void try_mean(const struct kws_float_ops *ops, unsigned *seed, enum numbers numbers)
{
	struct kws_float_taps taps;
	struct guarded input = draw_all(seed, numbers, draw_taps(seed, &taps, 140));
	struct guarded output = guarded_alloc(taps.positions * taps.channels);
	taps.input = input.data;
	ops->mean(&taps, output.data);
	for (size_t i = 0; i < output.count; i++) {
		float sum = 0.0f;
		for (size_t tap = 0; tap < taps.rows * taps.taps; tap++) {
			sum += tap_of(&taps, i / taps.channels, tap)[i % taps.channels];
		}
		sum /= (float)(taps.rows * taps.taps);
		assert_same(&output.data[i], &sum, 1, ops->name);
	}
	guarded_free(&output);
	guarded_free(&input);
}

/* int16_t behind the same guard: few values, or all with the extremes. */
static struct guarded draw_int16(unsigned *seed, size_t count)
{
	struct guarded guarded = guarded_alloc((count + 1) / 2);
	int16_t *values = (int16_t *)(void *)(guarded.data + guarded.count) - count;
	size_t range = pick(seed, 0, 1) == 0 ? 2 : 65535;
	for (size_t i = 0; i < count; i++) {
		values[i] = (int16_t)(pick(seed, 0, range) - range / 2 - range % 2);
	}
	return guarded;
}

static const int16_t *int16_of(const struct guarded *guarded, size_t count)
{
	return (const int16_t *)(const void *)(guarded->data + guarded->count) - count;
}

/* Bit `bit` of a position's words, without the kernel's arithmetic. */
static bool wanted_bit(const struct kws_float_pack *pack, bool int16, size_t position, size_t bit,
	const uint64_t *before)
{
	if (bit < pack->shift) {
		return *before >> bit & 1;
	}
	size_t c = bit - pack->shift;
	size_t at = position * pack->channels + c;
	if (c >= pack->channels) {
		return false;
	}
	return int16 ? ((const int16_t *)pack->input)[at] < ((const int16_t *)pack->threshold)[c]
		     : ((const float *)pack->input)[at] < ((const float *)pack->threshold)[c];
}

static void check_pack(
	const struct kws_float_ops *ops, struct kws_float_pack *pack, bool int16, unsigned *seed)
{
	size_t words = (pack->shift + pack->channels + 63) / 64;
	pack->output_pitch = words + pick(seed, 0, 2);
	size_t all = (pack->positions - 1) * pack->output_pitch + words;
	struct guarded output = guarded_alloc(all * 2);
	uint64_t before;
	memset(&before, GUARD_BYTE, sizeof(before));
	pack->output = (void *)output.data;
	(int16 ? ops->pack_int16 : ops->pack)(pack);
	for (size_t i = 0; i < all; i++) {
		size_t word = i % pack->output_pitch;
		uint64_t wanted = word < words ? 0 : before;
		for (size_t bit = 0; bit < 64 && word < words; bit++) {
			wanted |= (uint64_t)wanted_bit(pack, int16, i / pack->output_pitch,
					  word * 64 + bit, &before)
				  << bit;
		}
		if (pack->output[i] != wanted) {
			fail_msg("%s: word %zu of %zu channels behind %u bits is %llx, wanted %llx",
				ops->name, i, pack->channels, pack->shift,
				(unsigned long long)pack->output[i], (unsigned long long)wanted);
		}
	}
	guarded_free(&output);
}

static void try_pack(const struct kws_float_ops *ops, unsigned *seed, enum numbers numbers)
{
	struct kws_float_pack pack = {.positions = pick(seed, 1, 9)};
	bool int16 = pick(seed, 0, 1) == 1;
	pack.channels = pick(seed, 0, 1) == 0 ? pick(seed, 1, 200) : 64 * pick(seed, 1, 4);
	pack.shift = (unsigned)(pick(seed, 0, 1) * pick(seed, 0, 63));
	size_t count = pack.positions * pack.channels;
	struct guarded input = int16 ? draw_int16(seed, count) : draw_all(seed, numbers, count);
	struct guarded threshold =
		int16 ? draw_int16(seed, pack.channels) : draw_all(seed, numbers, pack.channels);
	pack.input = int16 ? (const void *)int16_of(&input, count) : input.data;
	pack.threshold = int16 ? (const void *)int16_of(&threshold, pack.channels) : threshold.data;
	check_pack(ops, &pack, int16, seed);
	guarded_free(&threshold);
	guarded_free(&input);
}

static void try_affine(const struct kws_float_ops *ops, unsigned *seed, enum numbers numbers)
{
	struct kws_float_affine affine = {
		.positions = pick(seed, 1, 9),
		.channels = pick(seed, 1, 140),
		.relu = pick(seed, 0, 1) == 1,
	};
	bool int16 = pick(seed, 0, 1) == 1;
	size_t count = affine.positions * affine.channels;
	struct guarded input = int16 ? draw_int16(seed, count) : draw_all(seed, numbers, count);
	struct guarded scale = draw_all(seed, numbers, affine.channels);
	struct guarded bias = draw_all(seed, numbers, affine.channels);
	affine.output_pitch = affine.channels + pick(seed, 0, 2);
	struct guarded output =
		guarded_alloc((affine.positions - 1) * affine.output_pitch + affine.channels);
	affine.input = int16 ? (const void *)int16_of(&input, count) : input.data;
	affine.scale = scale.data;
	affine.bias = bias.data;
	affine.output = output.data;
	(int16 ? ops->affine_int16 : ops->affine)(&affine);
	for (size_t i = 0; i < count; i++) {
		size_t c = i % affine.channels;
		float x = int16 ? (float)((const int16_t *)affine.input)[i]
				: ((const float *)affine.input)[i];
		float product = x * scale.data[c];
		float wanted = relu(product + bias.data[c], affine.relu);
		assert_same(&output.data[i / affine.channels * affine.output_pitch + c], &wanted, 1,
			ops->name);
	}
	guarded_free(&output);
	guarded_free(&bias);
	guarded_free(&scale);
	guarded_free(&input);
}

static void try_sum_rows(const struct kws_float_ops *ops, unsigned *seed, enum numbers numbers)
{
	struct kws_float_rows rows = {
		.rows = pick(seed, 1, 40),
		.features = pick(seed, 1, 150),
		.relu = pick(seed, 0, 1) == 1,
		.divisor = (float)pick(seed, 1, 40),
	};
	rows.row_pitch = rows.features + pick(seed, 0, 5);
	struct guarded input =
		draw_all(seed, numbers, (rows.rows - 1) * rows.row_pitch + rows.features);
	struct guarded output = draw_all(seed, numbers, rows.features);
	float wanted[150];
	for (size_t f = 0; f < rows.features; f++) {
		float sum = 0.0f;
		for (size_t r = 0; r < rows.rows; r++) {
			sum += relu(input.data[r * rows.row_pitch + f], rows.relu);
		}
		wanted[f] = sum / rows.divisor;
	}
	rows.input = input.data;
	rows.output = output.data;
	ops->sum_rows(&rows);
	assert_same(output.data, wanted, rows.features, ops->name);
	guarded_free(&output);
	guarded_free(&input);
}

static void convolution_is_the_same_everywhere(void **state)
{
	(void)state;
	for_every_set(try_conv);
}

static void depthwise_is_the_same_everywhere(void **state)
{
	(void)state;
	for_every_set(try_depthwise);
}

static void maximum_is_the_same_everywhere(void **state)
{
	(void)state;
	for_every_set(try_max);
}

static void mean_is_the_same_everywhere(void **state)
{
	(void)state;
	for_every_set(try_mean);
}

static void affine_is_the_same_everywhere(void **state)
{
	(void)state;
	for_every_set(try_affine);
}

static void packing_is_the_same_everywhere(void **state)
{
	(void)state;
	for_every_set(try_pack);
}

static void sums_are_the_same_everywhere(void **state)
{
	(void)state;
	for_every_set(try_sum_rows);
}

/* The bits of the maximum of two taps, computed in a vector's lane and in what is left over. */
static void assert_max(const struct kws_float_ops *ops, float first, float second, float wanted)
{
	float input[2][17];
	float output[17];
	for (size_t i = 0; i < 17; i++) {
		input[0][i] = first;
		input[1][i] = second;
	}
	ops->max(&(struct kws_float_taps){.input = input[0],
			 .positions = 1,
			 .rows = 1,
			 .taps = 2,
			 .tap_pitch = 17,
			 .channels = 17},
		false, output);
	for (size_t i = 0; i < 17; i++) {
		assert_memory_equal(&output[i], &wanted, sizeof(wanted));
	}
}

static void maximum_keeps_the_first_of_equals(void **state)
{
	(void)state;
	for (size_t i = 0; kws_float_sets[i] != NULL; i++) {
		const struct kws_float_ops *ops = kws_float_sets[i];
		if (can_run(ops)) {
			assert_max(ops, 0.0f, -0.0f, 0.0f);
			assert_max(ops, -0.0f, 0.0f, -0.0f);
			assert_max(ops, NAN, 1.0f, NAN);
			assert_max(ops, 1.0f, NAN, 1.0f);
			assert_max(ops, -INFINITY, -1.0f, -1.0f);
			assert_max(ops, 1.0f, INFINITY, INFINITY);
		}
	}
}

static void assert_bit(const struct kws_float_ops *ops, float x, float threshold, bool negative)
{
	float input[65];
	float thresholds[65];
	uint64_t output[2];
	for (size_t i = 0; i < 65; i++) {
		input[i] = x;
		thresholds[i] = threshold;
	}
	ops->pack(&(struct kws_float_pack){.input = input,
		.threshold = thresholds,
		.positions = 1,
		.channels = 65,
		.output = output});
	assert_true(output[0] == (negative ? UINT64_MAX : 0));
	assert_true(output[1] == (negative ? 1 : 0));
}

static void sign_of_zero_and_of_no_number_is_plus(void **state)
{
	(void)state;
	for (size_t i = 0; kws_float_sets[i] != NULL; i++) {
		const struct kws_float_ops *ops = kws_float_sets[i];
		if (can_run(ops)) {
			assert_bit(ops, -0.0f, 0.0f, false);
			assert_bit(ops, 0.0f, -0.0f, false);
			assert_bit(ops, 0.25f, 0.25f, false);
			assert_bit(ops, NAN, 1.0f, false);
			assert_bit(ops, -1.0f, NAN, false);
			assert_bit(ops, -1e-45f, 0.0f, true);
			assert_bit(ops, -INFINITY, 0.0f, true);
			assert_bit(ops, INFINITY, INFINITY, false);
		}
	}
}

static void a_mask_takes_sets_away(void **state)
{
	(void)state;
	assert_ptr_equal(kws_float_ops_find(0), &kws_float_ops_c);
	for (size_t i = 0; kws_float_sets[i] != NULL; i++) {
		assert_ptr_equal(
			kws_float_ops_find(kws_float_sets[i]->cpu_flags), kws_float_sets[i]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(convolution_is_the_same_everywhere),
		cmocka_unit_test(depthwise_is_the_same_everywhere),
		cmocka_unit_test(maximum_is_the_same_everywhere),
		cmocka_unit_test(mean_is_the_same_everywhere),
		cmocka_unit_test(affine_is_the_same_everywhere),
		cmocka_unit_test(packing_is_the_same_everywhere),
		cmocka_unit_test(sums_are_the_same_everywhere),
		cmocka_unit_test(maximum_keeps_the_first_of_equals),
		cmocka_unit_test(sign_of_zero_and_of_no_number_is_plus),
		cmocka_unit_test(a_mask_takes_sets_away),
	};
	return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
