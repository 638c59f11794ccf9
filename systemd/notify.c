/* SPDX-License-Identifier: Apache-2.0 */
#include "systemd/notify.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/error.h"

int kws_notify(const char *state)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	const char *path = getenv("NOTIFY_SOCKET");
	if (path == NULL) {
		return 0;
	}
	size_t length = strlen(path);
	if (length == 0 || length >= sizeof(address.sun_path) ||
		(path[0] != '/' && path[0] != '@')) {
		return KWS_EUNSUPPORTED;
	}
	memcpy(address.sun_path, path, length);
	if (path[0] == '@') {
		address.sun_path[0] = '\0'; /* the abstract name space */
	}
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0) {
		return KWS_EIO;
	}
	socklen_t size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length);
	ssize_t sent =
		sendto(fd, state, strlen(state), MSG_NOSIGNAL, (struct sockaddr *)&address, size);
	close(fd);
	return sent < 0 ? KWS_EIO : 0;
}

int kws_notify_status(const char *format, ...)
{
	char state[400] = "STATUS=";
	size_t begin = strlen(state);
	va_list args;
	va_start(args, format);
	vsnprintf(state + begin, sizeof(state) - begin, format, args);
	va_end(args);
	for (char *c = state; *c != '\0'; c++) {
		*c = (unsigned char)*c < ' ' ? '?' : *c;
	}
	return kws_notify(state);
}

int kws_notify_reloading(void)
{
	char state[64];
	snprintf(state, sizeof(state), "RELOADING=1\nMONOTONIC_USEC=%llu",
		(unsigned long long)kws_clock_monotonic_ns() / 1000);
	return kws_notify(state);
}
