/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KWS_BNN_BCONV_NEON_A64_H
#define KWS_BNN_BCONV_NEON_A64_H

#include "bnn/bconv-neon.h"

/* Four positions on aarch64, in assembly because the order of the instructions decides on an
 * in-order Cortex-A53: compilers put a load or the use of a result where the core waits, and spill
 * a counter. Here eight results are under way at any time and the next word is loaded while this
 * one is counted. bench/arm_mca.py shows the cycles of the loop between the markers.
 *
 *   v0-v3    the input word of each position, twice
 *   v4-v7    the weights of outputs 0-1, 2-3, 4-5, 6-7
 *   v8-v15   what differs, then how many bits of each byte
 *   v16-v31  the byte counters, [vector][position] */

/* clang-format off */
#define EOR4(a, b, c, d, weight)                            \
	"eor v" a ".16b, v" weight ".16b, v0.16b\n"         \
	"eor v" b ".16b, v" weight ".16b, v1.16b\n"         \
	"eor v" c ".16b, v" weight ".16b, v2.16b\n"         \
	"eor v" d ".16b, v" weight ".16b, v3.16b\n"
#define CNT(v) "cnt v" v ".16b, v" v ".16b\n"
#define CNT_9_TO_15 CNT("9") CNT("10") CNT("11") CNT("12") CNT("13") CNT("14") CNT("15")
#define ADD(counter, v) "add v" counter ".16b, v" counter ".16b, v" v ".16b\n"
#define ADD8(a, b, c, d, e, f, g, h)                        \
	ADD(a, "8") ADD(b, "9") ADD(c, "10") ADD(d, "11")   \
	ADD(e, "12") ADD(f, "13") ADD(g, "14") ADD(h, "15")
/* No post-increment: it would hold up the next load on a Cortex-A53. */
#define LOAD_WEIGHTS "ld1 {v4.2d-v7.2d}, [%[weights]]\n"
#define LOAD_INPUT(v, x) "ld1r {v" v ".2d}, [%[" x "]]\n" "add %[" x "], %[" x "], #8\n"
#define LOAD_INPUTS                                         \
	LOAD_INPUT("0", "x0") LOAD_INPUT("1", "x1")         \
	LOAD_INPUT("2", "x2") LOAD_INPUT("3", "x3")
/* Counts the loaded word, loads the next one, and takes 1 from `left`. */
#define COUNT_AND_LOAD                                      \
	EOR4("8", "9", "10", "11", "4")                     \
	EOR4("12", "13", "14", "15", "5")                   \
	CNT("8") CNT_9_TO_15                                \
	ADD8("16", "17", "18", "19", "20", "21", "22", "23") \
	EOR4("8", "9", "10", "11", "6")                     \
	EOR4("12", "13", "14", "15", "7")                   \
	LOAD_WEIGHTS                                        \
	CNT("8")                                            \
	LOAD_INPUTS                                         \
	"subs %[left], %[left], #1\n"                       \
	"add %[weights], %[weights], #64\n"                 \
	CNT_9_TO_15                                         \
	ADD8("24", "25", "26", "27", "28", "29", "30", "31")
#define ZERO(v) "movi v" v ".16b, #0\n"
#define ZERO8(a, b, c, d, e, f, g, h) \
	ZERO(a) ZERO(b) ZERO(c) ZERO(d) ZERO(e) ZERO(f) ZERO(g) ZERO(h)
/* kws_neon_counts() of one position */
#define REDUCE(result, a, b, c, d)                          \
	"uaddlp v" a ".8h, v" a ".16b\n"                    \
	"uaddlp v" b ".8h, v" b ".16b\n"                    \
	"uaddlp v" c ".8h, v" c ".16b\n"                    \
	"uaddlp v" d ".8h, v" d ".16b\n"                    \
	"addp v" a ".8h, v" a ".8h, v" b ".8h\n"            \
	"addp v" c ".8h, v" c ".8h, v" d ".8h\n"            \
	"addp v" result ".8h, v" a ".8h, v" c ".8h\n"
/* clang-format on */

/* C99 promises strings of 4095 characters; gcc and clang take any. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Woverlength-strings"

/* kws_neon_count() of 4 positions. The last word of all is loaded a second time where no next one
 * is left, so that nothing outside the part is read. */
static inline void kws_neon_count4(const struct kws_neon_part *part, uint16x8_t *counts)
{
	const uint64_t *weights = part->weights;
	const uint64_t *x0 = part->inputs[0];
	const uint64_t *x1 = part->inputs[1];
	const uint64_t *x2 = part->inputs[2];
	const uint64_t *x3 = part->inputs[3];
	size_t rows = part->rows;
	/* from the end of a row to the next one, in bytes */
	size_t input_gap = (part->input_step - part->words) * sizeof(uint64_t);
	size_t weight_gap = (part->weight_step - part->words * KWS_BCONV_BLOCK) * sizeof(uint64_t);
	size_t left;
	register uint16x8_t count0 __asm__("v0");
	register uint16x8_t count1 __asm__("v1");
	register uint16x8_t count2 __asm__("v2");
	register uint16x8_t count3 __asm__("v3");
	/* clang-format off */
	__asm__ volatile(
		LOAD_WEIGHTS
		LOAD_INPUTS
		"add %[weights], %[weights], #64\n"
		ZERO8("16", "17", "18", "19", "20", "21", "22", "23")
		ZERO8("24", "25", "26", "27", "28", "29", "30", "31")
		"1:\n" /* a row */
		"subs %[left], %[words], #1\n"
		"b.eq 3f\n"
		"// LLVM-MCA-BEGIN tile\n"
		"2:\n"
		COUNT_AND_LOAD
		"b.ne 2b\n"
		"// LLVM-MCA-END\n"
		"3:\n" /* its last word */
		"sub %[rows], %[rows], #1\n"
		"cbnz %[rows], 4f\n"
		"mov %[input_gap], #-8\n"
		"mov %[weight_gap], #-64\n"
		"4:\n"
		"add %[x0], %[x0], %[input_gap]\n"
		"add %[x1], %[x1], %[input_gap]\n"
		"add %[x2], %[x2], %[input_gap]\n"
		"add %[x3], %[x3], %[input_gap]\n"
		"add %[weights], %[weights], %[weight_gap]\n"
		COUNT_AND_LOAD
		"cbnz %[rows], 1b\n"
		REDUCE("0", "16", "20", "24", "28")
		REDUCE("1", "17", "21", "25", "29")
		REDUCE("2", "18", "22", "26", "30")
		REDUCE("3", "19", "23", "27", "31")
		: "=w"(count0), "=w"(count1), "=w"(count2), "=w"(count3),
		  [weights] "+&r"(weights), [x0] "+&r"(x0), [x1] "+&r"(x1), [x2] "+&r"(x2),
		  [x3] "+&r"(x3), [rows] "+&r"(rows), [input_gap] "+&r"(input_gap),
		  [weight_gap] "+&r"(weight_gap), [left] "=&r"(left)
		: [words] "r"(part->words)
		: "v4", "v5", "v6", "v7", "v8", "v9", "v10", "v11", "v12", "v13", "v14", "v15",
		  "v16", "v17", "v18", "v19", "v20", "v21", "v22", "v23", "v24", "v25", "v26",
		  "v27", "v28", "v29", "v30", "v31", "cc", "memory");
	/* clang-format on */
	counts[0] = count0;
	counts[1] = count1;
	counts[2] = count2;
	counts[3] = count3;
}

#pragma GCC diagnostic pop

#undef EOR4
#undef CNT
#undef CNT_9_TO_15
#undef ADD
#undef ADD8
#undef LOAD_WEIGHTS
#undef LOAD_INPUT
#undef LOAD_INPUTS
#undef COUNT_AND_LOAD
#undef ZERO
#undef ZERO8
#undef REDUCE

#endif
