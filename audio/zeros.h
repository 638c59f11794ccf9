/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KWS_AUDIO_ZEROS_H
#define KWS_AUDIO_ZEROS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Notices digital silence: a microphone that is switched off, a broken cable or a wrong device
 * often gives samples that are all zero, which no working microphone does. All zero is a fresh one.
 * Thread: the consumer's. RT-safe: yes. */

struct kws_zeros {
	uint64_t frames;  /* of zeros in a row */
	uint64_t periods; /* times that there were too many */
	bool silent;      /* what was told last */
};

enum kws_zeros_change {
	KWS_ZEROS_SAME,
	KWS_ZEROS_BEGAN, /* there are too many now */
	KWS_ZEROS_ENDED, /* not any more: a signal came, or the limit is another one */
};

/* The next frames of the stream, interleaved, of which only what is listened to counts: `channel` 0
 * is all `channels`, 1..channels that one alone. `limit` frames of zeros in a row are too many, 0:
 * any number is fine. */
enum kws_zeros_change kws_zeros_push(struct kws_zeros *zeros, const int16_t *in, size_t frames,
	unsigned channels, unsigned channel, uint64_t limit);

/* Another stream begins: what comes now is told anew. Keeps `periods`. */
void kws_zeros_restart(struct kws_zeros *zeros);

#endif
