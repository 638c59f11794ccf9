/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KWS_EXITS_POSTERIOR_H
#define KWS_EXITS_POSTERIOR_H

#include <stddef.h>

/* p = softmax(logits / temperature) of finite logits. The largest one is subtracted first, so that
 * no power overflows. `posteriors` may be `logits`. Thread: any. RT-safe: yes, like the others
 * here.
 */
void kws_posterior_softmax(
	const float *logits, size_t classes, float temperature, float *posteriors);

/* H(p) = -sum p ln p in nats: 0 for a certain answer, ln(classes) for none (Algorithm 1 of "Binary
 * Early-Exit Network for Adaptive Inference on Low-Resource Devices"). */
float kws_posterior_entropy(const float *posteriors, size_t classes);

/* The class with the largest posterior; the first of equals. */
size_t kws_posterior_best(const float *posteriors, size_t classes);

#endif
