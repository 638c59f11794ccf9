/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KWS_CLI_KWSCTL_MONITOR_H
#define KWS_CLI_KWSCTL_MONITOR_H

#include "cli/kwsctl.h"

/* Prints the events of the daemon, one line each, until a signal, --count or --for ends it. `names`
 * limits detections and candidates to these `count` keywords; none means all. */
enum kwsctl_status kwsctl_monitor(
	const struct kwsctl_options *options, int count, char *const *names);

#endif
