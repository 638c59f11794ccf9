/* SPDX-License-Identifier: Apache-2.0 */
/* Linked into a kwsd for comparison with -Wl,--wrap=kws_net_advance: every window stands alone, and
 * what streaming saves is computed anew. */
#include "bnn/net.h"

void __wrap_kws_net_advance(struct kws_net *net, const float *window);

void __wrap_kws_net_advance(struct kws_net *net, const float *window)
{
	kws_net_begin(net, window);
}
