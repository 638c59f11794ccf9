/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KWS_EXITS_SCENE_H
#define KWS_EXITS_SCENE_H

#include "exits/policy-ops.h"

/* What Difference Detection and Temporal Patience (Sponner et al., "Temporal Decisions") share. A
 * scene is a run of hops with one answer; the hop that opened it is the reference. As long as one
 * exit's logits stay near those that it gave then, its answer is repeated:
 *   change = || logits(now) - logits(reference) ||_2 < threshold.
 * Logits as the authors' code has them, not divided by the temperature. Unlike in that code every
 * new scene has a reference of its own, none lives longer than max_age_hops, and while a keyword is
 * heard (settings.hold_below, fresh_hops) every hop is asked anew. Internal to exits/. RT-safe:
 * yes. */

/* At each exit: UNCHANGED where the reference's exit is reached and its answer holds, and, with
 * `same_label`, that exit still names its label. In a new scene scene_delta may end the walk. */
enum kws_reason kws__scene_ask(struct kws_policy *policy, bool same_label);

/* Makes this hop's answer the reference, by the logits of `exit`; none, if it must not be held. */
void kws__scene_open(struct kws_policy *policy, const struct kws_decision *answer, size_t exit);

#endif
