/* SPDX-License-Identifier: Apache-2.0 */
#include "ipc/remote.h"

#include <stdio.h>
#include <zmq.h>

#include "ipc/curve.h"

static int open_endpoint(struct kws__remote *remote, struct kws_error *error)
{
	size_t size = sizeof(remote->bound);
	int rc = kws_endpoint_bind(remote->socket, remote->endpoint, true, error);
	if (rc == 0 &&
		zmq_getsockopt(remote->socket, ZMQ_LAST_ENDPOINT, remote->bound, &size) != 0) {
		rc = kws_fail(
			error, KWS_EIO, "%s: %s", remote->endpoint, zmq_strerror(zmq_errno()));
	}
	return rc;
}

int kws__remote_open(struct kws__remote *remote, void *socket, const char *endpoint,
	const struct kws_key_pair *keys, const char *domain, struct kws_error *error)
{
	int rc = kws_endpoint_check(endpoint, true, error);
	if (rc == 0) {
		rc = kws_curve_server_apply(socket, keys, domain, error);
	}
	if (rc < 0) {
		return rc;
	}
	snprintf(remote->endpoint, sizeof(remote->endpoint), "%s", endpoint);
	remote->socket = socket;
	return open_endpoint(remote, error);
}

void kws__remote_close(struct kws__remote *remote)
{
	if (remote->bound[0] != '\0') {
		zmq_unbind(remote->socket, remote->bound);
		remote->bound[0] = '\0';
	}
}

int kws__remote_reopen(struct kws__remote *remote, struct kws_error *error)
{
	bool wanted = remote->socket != NULL && remote->bound[0] == '\0';
	return wanted ? open_endpoint(remote, error) : 0;
}
