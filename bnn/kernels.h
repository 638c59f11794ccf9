/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KWS_BNN_KERNELS_H
#define KWS_BNN_KERNELS_H

#include <stddef.h>

/* Writes which kernels of each family are chosen under the current CPU mask (common/cpu.h), for
 * logs: "bconv avx512, ...". A text that is too long is cut. Thread: any. */
void kws_kernels_describe(char *text, size_t size);

#endif
