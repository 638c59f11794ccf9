/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KWS_TESTS_RANDOM_NETWORK_H
#define KWS_TESTS_RANDOM_NETWORK_H

#include <stddef.h>
#include <stdint.h>

#include "bnn/model.h"

/* Choices come from bytes, of a fuzzer for instance, and when those are used up from a sequence
 * that is the same everywhere. */
struct choices {
	const uint8_t *data;
	size_t size;
	uint32_t state; /* of the sequence; not 0 */
};

/* One of 0 to count - 1; count up to 256. */
size_t choose(struct choices *choices, size_t count);

/* The next number of the sequence, whatever the bytes are. */
uint32_t random_next(struct choices *choices);

/* A small network with random weights: up to eight operations of every kind with kernels of up to
 * three rows, time strides and padding on either side, residuals and joined maps, and up to four
 * exits of both kinds of pooling. The caller destroys it. That it cannot be built ends the program:
 * what is chosen always fits. */
struct kws_model *random_network(struct choices *choices);

#endif
