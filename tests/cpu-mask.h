/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KWS_TESTS_CPU_MASK_H
#define KWS_TESTS_CPU_MASK_H

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/cpu.h"

/* What meson takes for "skipped". */
#define TEST_SKIPPED 77

/* For the start of a test program: takes the mask of the environment's KWS_CPU_MASK. Returns false
 * if this CPU lacks what the mask names, so that the test would only repeat another one; a mask
 * that is none ends the program. */
static inline bool take_cpu_mask(void)
{
	struct kws_error error;
	uint32_t mask;
	const char *text = getenv("KWS_CPU_MASK");
	if (text == NULL) {
		return true;
	}
	if (kws_cpu_parse_mask(text, &mask, &error) != 0) {
		fprintf(stderr, "%s\n", error.text);
		exit(1);
	}
	kws_cpu_set_mask(mask);
	return mask == KWS_CPU_ALL || (mask & ~kws_cpu_detect()) == 0;
}

#endif
