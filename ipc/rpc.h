/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KWS_IPC_RPC_H
#define KWS_IPC_RPC_H

#include <jansson.h>
#include <stddef.h>

#include "common/error.h"

/* JSON-RPC 2.0 (https://www.jsonrpc.org/specification) without a transport: text in, text out.
 * Parameters are by name only, and a request has no members but the specification's four: whoever
 * writes "param" means something by it. An id is a string, an integer or null: a fraction, which
 * the specification advises against, would not come back digit for digit. Batch requests are
 * refused: a client that wants many answers sends many requests, and one message stays one bounded
 * piece of work. Text beyond the size cap, duplicate keys and nesting beyond jansson's 2048 levels
 * are refused as parse errors. */
#define KWS_RPC_REQUEST_BYTES 65536

enum kws_rpc_error_code {
	KWS_RPC_PARSE_ERROR = -32700,
	KWS_RPC_INVALID_REQUEST = -32600,
	KWS_RPC_METHOD_NOT_FOUND = -32601,
	KWS_RPC_INVALID_PARAMS = -32602,
	KWS_RPC_INTERNAL_ERROR = -32603,
	KWS_RPC_APPLICATION_ERROR =
		-32000, /* + a result code of common/error.h: -32004 is ENOENT */
};

enum kws_rpc_type {
	KWS_RPC_BOOLEAN,
	KWS_RPC_NUMBER,
	KWS_RPC_OBJECT,
	KWS_RPC_STRING,
	KWS_RPC_STRINGS, /* one or an array of them */
};

struct kws_rpc_param {
	const char *name;
	enum kws_rpc_type type;
};

/* `params` are those that the method knows, each of which may be left out, up to a NULL name; NULL:
 * none. Any other, and one of another type, is refused before the call: a client that took one for
 * heeded would believe the daemon muted for a minute, say, which it is for ever.
 *
 * `call` gets the parameters, always an object and borrowed, and returns 0 with a new reference in
 * `*result` (left NULL it is JSON null), or a negative code with a sentence in `error` (an empty
 * one is replaced by the code's text). KWS_EINVAL becomes KWS_RPC_INVALID_PARAMS, KWS_ENOMEM
 * KWS_RPC_INTERNAL_ERROR, others KWS_RPC_APPLICATION_ERROR + code. `help` is one line. */
struct kws_rpc_method {
	const char *name;
	int (*call)(void *user, const json_t *params, json_t **result, struct kws_error *error);
	const char *help;
	const struct kws_rpc_param *params;
};

/* Handles one request. `methods` ends with a NULL name; the method "help" is built in and gives
 * each name with its line. `user` goes to the method. Returns the answer, which the caller frees,
 * or NULL if there is none: for a notification (a valid request without an id) and out of memory.
 * `text` needs no NUL. Thread: that of the methods. */
char *kws_rpc_handle(
	const struct kws_rpc_method *methods, void *user, const char *text, size_t length);

#endif
