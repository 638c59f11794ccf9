/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KWS_PIPELINE_PREROLL_H
#define KWS_PIPELINE_PREROLL_H

#include <stddef.h>
#include <stdint.h>

/* The last seconds of the stream, mono at 16 kHz as it came, before enhancement: for a recogniser
 * that wants to hear what was said before it was woken, and for clips. Thread: the owner's. */
struct kws_preroll;

/* Keeps at least `samples` (from 1). Errors: KWS_ENOMEM. */
int kws_preroll_create(struct kws_preroll **out, size_t samples);

/* Accepts NULL. */
void kws_preroll_destroy(struct kws_preroll *preroll);

/* A block of KWS_HOP_SAMPLES in -1..1 that ends at position `end`. One that does not follow on the
 * last one, as after a gap, begins anew. RT-safe: yes, like the ones below. */
void kws_preroll_push(struct kws_preroll *preroll, const float *block, uint64_t end);

/* Forgets all. */
void kws_preroll_clear(struct kws_preroll *preroll);

/* Copies up to `max` of the latest samples, oldest first, and returns how many; the last one's
 * position is *end - 1. */
size_t kws_preroll_copy(
	const struct kws_preroll *preroll, int16_t *samples, size_t max, uint64_t *end);

#endif
