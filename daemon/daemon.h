/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KWS_DAEMON_DAEMON_H
#define KWS_DAEMON_DAEMON_H

#include "config/config.h"
#include "daemon/options.h"

/* The exit status of kwsd, as its help says. */
enum kws_daemon_status {
	KWS_DAEMON_OK = 0,
	KWS_DAEMON_FAILED = 1,
	KWS_DAEMON_USAGE = 2,
	KWS_DAEMON_BUSY = 3,
};

/* Runs the daemon until a signal, the end of the input, or a failure that waiting cannot mend.
 * Takes `config` over. Logs what goes wrong. Thread: main. */
enum kws_daemon_status kws_daemon_run(const struct kws_options *options, struct kws_config *config);

#endif
