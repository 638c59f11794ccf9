/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KWS_BNN_OP_H
#define KWS_BNN_OP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bnn/spec.h"

/* Operations of a graph. An operation reads one map, or, if its class joins, several that lie side
 * by side as slices of the channels. Every map is [rows][bands][channels]: rows are time, bands
 * frequency, channels innermost. A row of an output depends on `kernel` rows of the input that
 * begin at row * stride - pad, and on nothing else, so that any range of rows can be computed
 * alone. */

enum kws_map_type {
	KWS_MAP_FLOAT, /* float[channels] a position */
	KWS_MAP_BITS,  /* uint64_t[kws_map_words(channels)] a position; bit c of the row of words is
			  channel c, 1 means negative; the bits after the last channel are 0 */
	KWS_MAP_INT16, /* int16_t[channels] a position */
};

struct kws_map_shape {
	enum kws_map_type type;
	size_t rows;
	size_t bands;
	size_t channels;
};

/* 64-bit words that hold one bit for each channel. */
static inline size_t kws_map_words(size_t channels)
{
	return (channels + 63) / 64;
}

/* Elements (floats or words) and bytes of one row of a map. */
size_t kws_map_row_elements(const struct kws_map_shape *shape);
size_t kws_map_row_bytes(const struct kws_map_shape *shape);

/* Where an output row comes from, in rows of the input. */
struct kws_op_reach {
	size_t kernel;
	size_t stride;
	size_t pad;
};

/* What one output row costs, and what the operation stores. */
struct kws_op_cost {
	uint64_t valid_macs; /* binary, of all rows, without the taps that lie in the padding */
	uint64_t binary_macs;
	uint64_t float_macs;
	uint64_t binary_weights;
	uint64_t float_weights;
};

struct kws_op;

/* Most maps that one operation joins. */
#define KWS_OP_INPUTS_MAX 16

/* The maps of one call; each pointer is that map's row 0. */
struct kws_op_maps {
	union {
		const void *input; /* the only one, or the first */
		const void *inputs[KWS_OP_INPUTS_MAX];
	};
	const void *residual; /* bconv2d with a residual only; of the output's type */
	void *output;         /* of an exit: the logits */
};

/* One kind of operation. */
struct kws_op_class {
	const char *name;
	bool joins; /* takes several inputs, of the types float and int16 */
	/* Reads the attributes, checks them against op->in (known) and fills op->out, reach, cost
	 * and op->state. Returns 0 or a code with spec's error sentence set. */
	int (*create)(struct kws_op *op, struct kws_spec *spec);
	void (*destroy)(void *state);
	/* Computes the output rows [begin, end). Never fails; RT-safe; `scratch` has
	 * op->scratch_bytes. */
	void (*run)(const struct kws_op *op, const struct kws_op_maps *maps, size_t begin,
		size_t end, void *scratch);
};

#define KWS_OP_NO_RESIDUAL SIZE_MAX

struct kws_op {
	const struct kws_op_class *class;
	union {               /* indices of maps in the graph */
		size_t input; /* the only one, or the first */
		size_t inputs[KWS_OP_INPUTS_MAX];
	};
	size_t input_count;
	struct kws_map_shape slices[KWS_OP_INPUTS_MAX]; /* each input */
	size_t residual;                                /* or KWS_OP_NO_RESIDUAL */
	size_t output;
	int exit; /* index of the exit that alone needs it: an exit or its bandsum; or -1 */
	size_t summed_bands;     /* of an exit: bands that each element of the input sums over */
	struct kws_map_shape in; /* the inputs side by side: channels of all, type of the first */
	struct kws_map_shape out;
	int32_t limit; /* of int16 outputs: the largest magnitude that they can have */
	struct kws_op_reach reach;
	struct kws_op_cost cost;
	size_t scratch_bytes;
	void *state;
};

/* For create(): fills the output's rows and bands, and reach, for a window that slides over op->in.
 */
void kws_op_slide(struct kws_op *op, const struct kws_window *window);

/* For create(): kws_spec_vector(), and counts the vector among the weights if the file has it. */
int kws_op_vector(struct kws_op *op, const struct kws_spec *spec, const char *key, size_t count,
	float fallback, float **out);

extern const struct kws_op_class kws_op_conv2d;
extern const struct kws_op_class kws_op_sign;
extern const struct kws_op_class kws_op_bconv2d;
extern const struct kws_op_class kws_op_maxpool2d;
extern const struct kws_op_class kws_op_avgpool2d;
extern const struct kws_op_class kws_op_concat;
extern const struct kws_op_class kws_op_exit;
extern const struct kws_op_class kws_op_bandsum; /* of exits only, not of files */

/* A residual's rows lie around the output's: output row r adds residual row r + offset, because a
 * kernel without padding eats (kernel - 1) / 2 rows on either side. With a stride the residual has
 * come another way, and its row r belongs to the output's. */
static inline size_t kws_op_residual_offset(const struct kws_op *op)
{
	return op->reach.stride > 1 ? 0 : (op->reach.kernel - 1) / 2 - op->reach.pad;
}

#endif
