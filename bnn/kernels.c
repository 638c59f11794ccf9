/* SPDX-License-Identifier: Apache-2.0 */
#include "bnn/kernels.h"

#include <stdint.h>
#include <stdio.h>

#include "bnn/bconv-ops.h"
#include "bnn/float-ops.h"
#include "common/cpu.h"

static const char *bconv_name(uint32_t cpu_flags)
{
	return kws_bconv_ops_find(cpu_flags)->name;
}

static const char *float_name(uint32_t cpu_flags)
{
	return kws_float_ops_find(cpu_flags)->name;
}

static const struct {
	const char *name;
	const char *(*chosen)(uint32_t cpu_flags);
} families[] = {
	{"bconv", bconv_name},
	{"float", float_name},
};

void kws_kernels_describe(char *text, size_t size)
{
	uint32_t cpu_flags = kws_cpu_flags();
	size_t used = 0;
	text[0] = '\0';
	for (size_t i = 0; i < sizeof(families) / sizeof(families[0]) && used < size; i++) {
		int length = snprintf(text + used, size - used, "%s%s %s", i == 0 ? "" : ", ",
			families[i].name, families[i].chosen(cpu_flags));
		used += length > 0 ? (size_t)length : 0;
	}
}
