/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KWS_SYSTEMD_NOTIFY_H
#define KWS_SYSTEMD_NOTIFY_H

/* Tells the service manager about the daemon's state: sd_notify(3)'s protocol, one datagram to
 * $NOTIFY_SOCKET, written here so that libsystemd is not needed. Without that variable nothing
 * happens. Thread: any. RT-safe: no. */

/* `state` is lines such as "READY=1\nSTATUS=listening". Returns 0 or a negative KWS_E... code,
 * which a daemon may ignore: there is nobody to tell. */
int kws_notify(const char *state);

/* STATUS= and a sentence, in which control characters become '?': a device's name must not bring
 * about a second line. Cut after 400 bytes. Returns as kws_notify(). */
int kws_notify_status(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* RELOADING=1 with the clock that systemd wants beside it, in one datagram. READY=1 must follow
 * when the reload is over, also when it was refused. */
int kws_notify_reloading(void);

#endif
