/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KWS_BNN_NET_H
#define KWS_BNN_NET_H

#include <stddef.h>

#include "bnn/model.h"

/* The memory to run a model over windows of features, one exit after another. All of it is planned
 * and allocated at create. */
struct kws_net;

/* `model` must outlive the net. Errors: KWS_ENOMEM. */
int kws_net_create(struct kws_net **out, const struct kws_model *model);

/* Accepts NULL. */
void kws_net_destroy(struct kws_net *net);

/* Begins a window: float [rows][bands][channels] of the graph's input, which must stay unchanged
 * until the last kws_net_run_exit() of this window. Thread: the owner's. RT-safe: yes. */
void kws_net_begin(struct kws_net *net, const float *window);

/* Computes what is missing up to `exit` (0-based) and returns its logits, as many as the model has
 * labels; valid until the next begin. Exits may be asked in rising order only; an exit passed over
 * is not computed. Deterministic: the same bits on every machine. Thread: the owner's. RT-safe:
 * yes.
 */
const float *kws_net_run_exit(struct kws_net *net, size_t exit);

#endif
