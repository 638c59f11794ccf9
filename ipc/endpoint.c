/* SPDX-License-Identifier: Apache-2.0 */
#include "ipc/endpoint.h"

#include <arpa/inet.h>
#include <errno.h>
#include <ifaddrs.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <zmq.h>

#include "ipc/probe.h"
#include "ipc/runtime.h"

#define IPC "ipc://"
#define TCP "tcp://"
#define INPROC "inproc://"
#define HOST_BYTES 64
#define IPC_PATH_MAX (sizeof(((struct sockaddr_un *)0)->sun_path) - 1)

static bool has_prefix(const char *text, const char *prefix)
{
	return strncmp(text, prefix, strlen(prefix)) == 0;
}

bool kws_endpoint_is_tcp(const char *endpoint)
{
	return has_prefix(endpoint, TCP);
}

int kws_endpoint_default(
	const char *dir, const char *name, char *out, size_t size, struct kws_error *error)
{
	int length = snprintf(out, size, IPC "%s/%s", dir, name);
	if (length < 0 || (size_t)length >= size) {
		return kws_fail(error, KWS_EINVAL, "%s/%s: the path is too long", dir, name);
	}
	return kws_endpoint_check(out, false, error);
}

static int check_ipc(const char *endpoint, struct kws_error *error)
{
	const char *path = endpoint + strlen(IPC);
	if (path[0] == '@') {
		return kws_fail(error, KWS_EUNSUPPORTED,
			"%s: abstract sockets have no file permissions, use a path", endpoint);
	}
	if (path[0] != '/') {
		return kws_fail(
			error, KWS_EINVAL, "%s: the path of an ipc endpoint is absolute", endpoint);
	}
	if (strlen(path) > IPC_PATH_MAX) {
		return kws_fail(error, KWS_EINVAL,
			"ipc://%.40s...: a socket path has at most %zu bytes, this one has %zu",
			path, IPC_PATH_MAX, strlen(path));
	}
	return 0;
}

/* Digits only, so that wildcards and ephemeral ports, which no client could find, are refused. */
static bool is_port(const char *text)
{
	size_t digits = strspn(text, "0123456789");
	return digits > 0 && digits <= 5 && text[digits] == '\0' && atoi(text) >= 1 &&
	       atoi(text) <= 65535;
}

static bool is_loopback(const char *host)
{
	struct in_addr v4;
	if (strcmp(host, "localhost") == 0 || strcmp(host, "[::1]") == 0) {
		return true;
	}
	return inet_pton(AF_INET, host, &v4) == 1 && (ntohl(v4.s_addr) >> 24) == 127;
}

/* Copies the host of a tcp endpoint and returns its port; NULL where there is none. */
static const char *split_tcp(const char *endpoint, char host[HOST_BYTES])
{
	const char *address = endpoint + strlen(TCP);
	const char *colon = strrchr(address, ':');
	if (colon != NULL) {
		snprintf(host, HOST_BYTES, "%.*s", (int)(colon - address), address);
	}
	return colon != NULL ? colon + 1 : NULL;
}

static int check_tcp(const char *endpoint, bool curve, struct kws_error *error)
{
	char host[HOST_BYTES];
	const char *port = split_tcp(endpoint, host);
	if (port == NULL || !is_port(port)) {
		return kws_fail(error, KWS_EINVAL,
			"%.100s: a tcp endpoint is tcp://ADDRESS:PORT with a port of 1 to 65535",
			endpoint);
	}
	if ((size_t)(port - endpoint) > strlen(TCP) + HOST_BYTES) {
		return kws_fail(error, KWS_EINVAL, "%.100s: the address is too long", endpoint);
	}
	if (!curve && !is_loopback(host)) {
		return kws_fail(error, KWS_EUNSUPPORTED,
			"%.100s: only loopback (127.0.0.1, [::1]) is allowed without the keys of "
			"CURVE, "
			"for there is neither encryption nor authentication",
			endpoint);
	}
	return 0;
}

static int refuse_transport(const char *endpoint, struct kws_error *error)
{
	return kws_fail(error, KWS_EUNSUPPORTED, "%.100s: an endpoint begins with ipc:// or tcp://",
		endpoint);
}

int kws_endpoint_check(const char *endpoint, bool curve, struct kws_error *error)
{
	if (has_prefix(endpoint, TCP)) {
		return check_tcp(endpoint, curve, error);
	}
	if (curve) {
		return kws_fail(error, KWS_EUNSUPPORTED,
			"%.100s: an endpoint for other machines begins with tcp://", endpoint);
	}
	if (has_prefix(endpoint, IPC)) {
		return check_ipc(endpoint, error);
	}
	if (has_prefix(endpoint, INPROC)) {
		return 0;
	}
	return refuse_transport(endpoint, error);
}

int kws_endpoint_check_setting(const char *endpoint, bool curve, struct kws_error *error)
{
	if (has_prefix(endpoint, INPROC)) {
		return refuse_transport(endpoint, error);
	}
	return endpoint[0] != '\0' ? kws_endpoint_check(endpoint, curve, error) : 0;
}

static const char *kind_of(mode_t mode)
{
	if (S_ISLNK(mode)) {
		return "a symbolic link";
	}
	return S_ISDIR(mode) ? "a directory" : "a file that is no socket";
}

int kws_endpoint_check_place(const char *endpoint, struct kws_error *error)
{
	struct stat info;
	if (!has_prefix(endpoint, IPC)) {
		return 0;
	}
	const char *path = endpoint + strlen(IPC);
	if (lstat(path, &info) == 0 && !S_ISSOCK(info.st_mode)) {
		return kws_fail(error, KWS_EINVAL,
			"%.120s: %s lies there, and kwsd takes the place of sockets only", endpoint,
			kind_of(info.st_mode));
	}
	if (kws_runtime_owns(path)) {
		return kws_fail(
			error, KWS_EINVAL, "%.120s: kwsd keeps another file there", endpoint);
	}
	return 0;
}

/* IPv4 is what kwsd binds without brackets, and all of both with [::]. */
static bool holds_host(const char *host, const char *other)
{
	bool all_of_4 = strcmp(host, "*") == 0 || strcmp(host, "0.0.0.0") == 0;
	return strcmp(host, "[::]") == 0 || (all_of_4 && other[0] != '[');
}

static bool is_same_host(const char *one, const char *other)
{
	one = strcmp(one, "localhost") == 0 ? "127.0.0.1" : one;
	other = strcmp(other, "localhost") == 0 ? "127.0.0.1" : other;
	return strcmp(one, other) == 0 || holds_host(one, other) || holds_host(other, one);
}

bool kws_endpoint_collide(const char *one, const char *other)
{
	char host[HOST_BYTES];
	char other_host[HOST_BYTES];
	if (!kws_endpoint_is_tcp(one) || !kws_endpoint_is_tcp(other)) {
		return strcmp(one, other) == 0;
	}
	int port = atoi(split_tcp(one, host));
	return atoi(split_tcp(other, other_host)) == port && is_same_host(host, other_host);
}

static int allow_ipv6(void *socket, const char *endpoint)
{
	int on = has_prefix(endpoint, TCP "[");
	return zmq_setsockopt(socket, ZMQ_IPV6, &on, sizeof(on));
}

static int limit_connections(void *socket)
{
	int handshake_ms = KWS_ENDPOINT_HANDSHAKE_MS;
	int backlog = KWS_ENDPOINT_BACKLOG;
	return zmq_setsockopt(socket, ZMQ_HANDSHAKE_IVL, &handshake_ms, sizeof(handshake_ms)) ==
				       0 &&
			       zmq_setsockopt(socket, ZMQ_BACKLOG, &backlog, sizeof(backlog)) == 0
		       ? 0
		       : -1;
}

/* libzmq asks for the interfaces before it binds a tcp endpoint, and aborts the process where it
 * gets no answer (4.3.4, src/ip_resolver.cpp): a unit has to allow AF_NETLINK. */
static int check_interfaces(const char *endpoint, struct kws_error *error)
{
	struct ifaddrs *interfaces;
	if (getifaddrs(&interfaces) != 0) {
		int reason = errno;
		return kws_fail(error, reason == EAFNOSUPPORT ? KWS_EUNSUPPORTED : KWS_EIO,
			"cannot bind %s: no list of the network interfaces: %s "
			"(in a systemd unit RestrictAddressFamilies= needs AF_NETLINK, too)",
			endpoint, strerror(reason));
	}
	freeifaddrs(interfaces);
	return 0;
}

/* The socket's file is for owner and group. Only for that the mode mask is touched: it is the whole
 * process's, and a remote endpoint is bound again while other threads write files. */
static int bind_as(void *socket, const char *address)
{
	if (!has_prefix(address, IPC)) {
		return zmq_bind(socket, address);
	}
	mode_t before = umask(0117);
	int bound = zmq_bind(socket, address);
	umask(before); /* leaves errno alone */
	return bound;
}

int kws_endpoint_bind(void *socket, const char *endpoint, bool curve, struct kws_error *error)
{
	char numeric[32];
	int rc = kws_endpoint_check(endpoint, curve, error);
	if (rc == 0) {
		/* libzmq deletes whatever lies at the path */
		rc = kws_endpoint_check_place(endpoint, error);
	}
	if (rc == 0 && has_prefix(endpoint, TCP)) {
		rc = check_interfaces(endpoint, error);
	}
	if (rc < 0) {
		return rc;
	}
	if (has_prefix(endpoint, IPC) && kws__probe_socket(endpoint + strlen(IPC)) == 0) {
		return kws_fail(
			error, KWS_EBUSY, "cannot bind %s: somebody listens there", endpoint);
	}
	const char *address = endpoint;
	if (has_prefix(endpoint, TCP "localhost:")) {
		/* libzmq resolves no names for a bind */
		snprintf(numeric, sizeof(numeric), TCP "127.0.0.1%s", strrchr(endpoint, ':'));
		address = numeric;
	}
	int bound = allow_ipv6(socket, endpoint) == 0 && limit_connections(socket) == 0
			    ? bind_as(socket, address)
			    : -1;
	int reason = errno;
	if (bound != 0) {
		return kws_fail(error, reason == EADDRINUSE ? KWS_EBUSY : KWS_EIO,
			"cannot bind %s: %s", endpoint, zmq_strerror(reason));
	}
	return 0;
}

/* ZeroMQ would retry for ever and say nothing. */
static int probe_ipc(const char *endpoint, struct kws_error *error)
{
	int reason = kws__probe_socket(endpoint + strlen(IPC));
	if (reason == 0) {
		return 0;
	}
	if (reason < 0) {
		return kws_fail(error, KWS_EIO, "%s: %s", endpoint, strerror(-reason));
	}
	if (reason == EACCES) {
		return kws_fail(error, KWS_ENOENT,
			"no permission for %s: join the group of that socket", endpoint);
	}
	return kws_fail(error, KWS_ENOENT, "no kwsd listens at %s (%s): is the daemon running?",
		endpoint, strerror(reason));
}

int kws_endpoint_connect(void *socket, const char *endpoint, bool curve, struct kws_error *error)
{
	int rc = kws_endpoint_check(endpoint, curve, error);
	if (rc == 0 && has_prefix(endpoint, IPC)) {
		rc = probe_ipc(endpoint, error);
	}
	if (rc < 0) {
		return rc;
	}
	if (allow_ipv6(socket, endpoint) != 0 || zmq_connect(socket, endpoint) != 0) {
		return kws_fail(
			error, KWS_EIO, "cannot connect to %s: %s", endpoint, zmq_strerror(errno));
	}
	return 0;
}
