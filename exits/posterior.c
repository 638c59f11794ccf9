/* SPDX-License-Identifier: Apache-2.0 */
#include "exits/posterior.h"

#include <math.h>

size_t kws_posterior_best(const float *posteriors, size_t classes)
{
	size_t best = 0;
	for (size_t i = 1; i < classes; i++) {
		best = posteriors[i] > posteriors[best] ? i : best;
	}
	return best;
}

void kws_posterior_softmax(
	const float *logits, size_t classes, float temperature, float *posteriors)
{
	float largest = logits[kws_posterior_best(logits, classes)];
	float sum = 0.0f;
	for (size_t i = 0; i < classes; i++) {
		posteriors[i] = expf((logits[i] - largest) / temperature);
		sum += posteriors[i];
	}
	for (size_t i = 0; i < classes; i++) {
		posteriors[i] /= sum;
	}
}

float kws_posterior_entropy(const float *posteriors, size_t classes)
{
	float entropy = 0.0f;
	for (size_t i = 0; i < classes; i++) {
		if (posteriors[i] > 0.0f) { /* the limit of p ln p at 0 is 0 */
			entropy -= posteriors[i] * logf(posteriors[i]);
		}
	}
	return entropy > 0.0f ? entropy : 0.0f;
}
