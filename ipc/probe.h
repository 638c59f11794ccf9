/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KWS_IPC_PROBE_H
#define KWS_IPC_PROBE_H

/* Asks with a connect(), closed at once, whether somebody listens on the socket at `path`: a file
 * alone may be what a killed process left. Returns 0 or an errno: ECONNREFUSED is such a file,
 * EACCES a socket, or a folder on the way to it, that is not for this user; a negative errno where
 * there is no descriptor to ask with. Internal to ipc/. Thread: any. */
int kws__probe_socket(const char *path);

#endif
