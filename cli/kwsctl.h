/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KWS_CLI_KWSCTL_H
#define KWS_CLI_KWSCTL_H

#include <stdbool.h>

/* Exit statuses, as `kwsctl --help` documents them. */
enum kwsctl_status {
	KWSCTL_OK = 0,
	KWSCTL_REFUSED = 1,     /* the daemon answered with an error, or the output failed */
	KWSCTL_USAGE = 2,       /* the command line is wrong */
	KWSCTL_UNREACHABLE = 3, /* no daemon, no permission, or no answer in time */
	KWSCTL_TOO_FEW = 4,     /* monitor: it ended before --count events came */
};

struct kwsctl_options {
	const char *endpoint;   /* control; NULL: the default */
	const char *events;     /* NULL: the default */
	const char *key;        /* CURVE key file of this client; NULL: $KWSCTL_KEY or none */
	const char *server_key; /* public key of the daemon or its file; NULL: $KWSCTL_SERVER_KEY */
	const char *keys;       /* directory of the daemon's keys; NULL: the default */
	bool control;           /* authorize: for control too */
	bool show_secret;       /* keygen */
	int timeout_ms;
	bool json;
	bool persist; /* set, load-model */
	bool scores;
	int count;            /* events until the end of monitor; 0: no limit */
	const char *for_text; /* seconds until the end of monitor or mute; NULL: no limit */
};

/* Prints "kwsctl: <sentence>" to stderr, control characters replaced. */
void kwsctl_complain(const char *sentence);

/* Flushes the standard output. KWSCTL_REFUSED after a complaint: some of it could not be written.
 */
enum kwsctl_status kwsctl_finish_output(void);

/* `given`, or the default endpoint with this name, which is written to `out`
 * (KWS_ENDPOINT_BYTES). Returns NULL after complaining. */
const char *kwsctl_endpoint(const char *given, const char *name, char *out);

/* The exit status for a failed connection: a bad endpoint is the user's, the rest the daemon's. */
enum kwsctl_status kwsctl_connect_status(int code);

#endif
