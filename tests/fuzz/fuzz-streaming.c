/* SPDX-License-Identifier: Apache-2.0 */
/* A random network and a stream through it, with its hop and each window's deepest exit: the
 * streaming answers are those of the windows alone. The input's first four bytes are the seed of
 * weights and samples, the next two hop and number of windows, the others the choices of the
 * network and of the walk. STREAMING_STEPS in the environment names a file that tells, at the end,
 * how many windows were compared. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "tests/stream-walk.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define HEADER_BYTES 6

static unsigned long long steps_done;

static void tell_steps(void)
{
	const char *path = getenv("STREAMING_STEPS");
	FILE *file = path != NULL ? fopen(path, "w") : NULL;
	if (file != NULL) {
		fprintf(file, "%llu\n", steps_done);
		fclose(file);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < HEADER_BYTES) {
		return 0;
	}
	if (steps_done == 0) {
		atexit(tell_steps);
	}
	uint32_t seed = data[0] | (uint32_t)data[1] << 8 | (uint32_t)data[2] << 16 |
			(uint32_t)data[3] << 24;
	size_t hop_frames = 1 + data[4] % WALK_HOP_MAX;
	size_t steps = 1 + data[5] % WALK_STEPS_MAX;
	struct choices choices = {
		.data = data + HEADER_BYTES, .size = size - HEADER_BYTES, .state = seed | 1};
	struct kws_model *model = random_network(&choices);
	char place[128];
	if (!stream_walk(model, hop_frames, steps, &choices, place)) {
		fprintf(stderr, "%s\n", place);
		abort();
	}
	kws_model_destroy(model);
	steps_done += steps;
	return 0;
}
