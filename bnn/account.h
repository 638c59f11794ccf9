/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KWS_BNN_ACCOUNT_H
#define KWS_BNN_ACCOUNT_H

#include <stddef.h>

#include "bnn/net.h"

/* What a net would have computed, without computing it: takes the calls that a net would get and
 * counts the same rows and operations. What a hop costs depends on how long ago the hops before it
 * went as deep, so the cost of an exit policy is a sum over its own hops, not a mean of exits;
 * tuning asks it of thousands of settings. */
struct kws_account;

/* For hops of `net`, which must outlive it and is only read. Errors: KWS_ENOMEM. */
int kws_account_create(struct kws_account **out, const struct kws_net *net);

/* Accepts NULL. */
void kws_account_destroy(struct kws_account *account);

/* As kws_net_begin(), kws_net_advance() and kws_net_run_exit(). Thread: the owner's. RT-safe: yes.
 */
void kws_account_begin(struct kws_account *account);
void kws_account_advance(struct kws_account *account);
void kws_account_run_exit(struct kws_account *account, size_t exit);

/* Since create. */
struct kws_net_stats kws_account_stats(const struct kws_account *account);

#endif
