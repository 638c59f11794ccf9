/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KWS_BNN_NET_H
#define KWS_BNN_NET_H

#include <stddef.h>
#include <stdint.h>

#include "bnn/model.h"

/* The memory to run a model over windows of features, one exit after another. All of it is planned
 * and allocated at create.
 *
 * The windows of a stream overlap. A row of a map whose receptive field lies inside the window is a
 * function of the stream and not of the window, so that the next windows use it again: a hop
 * computes the new rows and those that see padding, and a hop that leaves early leaves the deeper
 * maps untouched until one needs them. Where nothing pads the time axis a hop costs the new rows
 * only; where every layer pads it, the deeper a map, the fewer of its rows are kept. The results
 * are the same bits as those of whole windows. */
struct kws_net;

/* What was computed since create. */
struct kws_net_stats {
	uint64_t rows; /* of all maps */
	uint64_t binary_macs;
	uint64_t float_macs;
};

/* `hop_frames` (from 1) is the distance between two windows of a stream, in rows of the input.
 * `model` must outlive the net. Errors: KWS_EINVAL (hop 0), KWS_ENOMEM. */
int kws_net_create(struct kws_net **out, const struct kws_model *model, size_t hop_frames);

/* Accepts NULL. */
void kws_net_destroy(struct kws_net *net);

/* Begins a window that has nothing to do with the ones before: the first of a stream, one after a
 * gap, a clip. `window` is float [rows][bands][channels] of the graph's input and must stay
 * unchanged until the last kws_net_run_exit() of this window. Thread: the owner's. RT-safe: yes. */
void kws_net_begin(struct kws_net *net, const float *window);

/* Begins the window that lies hop_frames after the last one, in the same stream. To be called for
 * every window, also for those of which no exit is asked. Thread: the owner's. RT-safe: yes. */
void kws_net_advance(struct kws_net *net, const float *window);

/* Computes what is missing up to `exit` (0-based) and returns its logits, as many as the model has
 * labels; valid until the next window. Exits may be asked in rising order only; an exit passed over
 * is not computed. Deterministic: the same bits on every machine. Thread: the owner's. RT-safe:
 * yes.
 */
const float *kws_net_run_exit(struct kws_net *net, size_t exit);

struct kws_net_stats kws_net_stats(const struct kws_net *net);

/* What bnn/account.h counts by. */
struct kws_rows;
const struct kws_graph *kws_net_graph(const struct kws_net *net);
size_t kws_net_hop_frames(const struct kws_net *net);
const struct kws_rows *kws_net_rows(const struct kws_net *net, size_t map);

#endif
