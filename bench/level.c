/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/level.h"

#include "common/cpu.h"

size_t bench_levels_find(struct bench_level levels[BENCH_LEVELS_MAX])
{
	size_t count = 0;
	for (size_t i = 0; kws_bconv_sets[i] != NULL && count < BENCH_LEVELS_MAX; i++) {
		const struct kws_bconv_ops *ops = kws_bconv_sets[i];
		struct bench_level level = {.name = ops->name, .bconv = ops};
		if ((ops->cpu_flags & ~kws_cpu_flags()) == 0 &&
			kws_cpu_parse_mask(ops->name, &level.mask, NULL) == 0) {
			levels[count++] = level;
		}
	}
	return count;
}

static uint32_t flags_outside; /* what the mask of the environment allows */

void bench_level_enter(const struct bench_level *level)
{
	flags_outside = kws_cpu_flags();
	kws_cpu_set_mask(level->mask);
}

void bench_level_leave(void)
{
	kws_cpu_set_mask(flags_outside);
}
