/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KWS_TESTS_STREAM_WALK_H
#define KWS_TESTS_STREAM_WALK_H

#include <stdbool.h>
#include <stddef.h>

#include "bnn/net.h"
#include "tests/random-network.h"

#define WALK_HOP_MAX 32
#define WALK_STEPS_MAX 64

/* One random stream through `model`, `steps` windows up to WALK_STEPS_MAX that lie `hop_frames`
 * apart: some ask no exit, some only a few, some pass exits over, some begin anew. Each answer is
 * compared, bit for bit, with that of the window alone, and what was computed with what the account
 * says. Returns false at the first difference, with its place in `place`. Running out of memory
 * ends the program. */
bool stream_walk(const struct kws_model *model, size_t hop_frames, size_t steps,
	struct choices *choices, char place[128]);

#endif
