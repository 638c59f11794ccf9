/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KWS_AUDIO_DEVICE_H
#define KWS_AUDIO_DEVICE_H

#include <stdbool.h>
#include <stddef.h>

#define KWS_DEVICES_MAX 64

/* One input device. A name that is too long is cut. */
struct kws_device {
	char name[128];
	char host_api[32];
	unsigned default_rate_hz;
	unsigned max_channels;
	bool is_default;
	int id; /* the source's own number of it, valid only while that source is open */
};

/* The input devices that a source saw when it was opened; plain data, copy it freely. Devices
 * beyond KWS_DEVICES_MAX are left out. */
struct kws_device_list {
	size_t count;
	struct kws_device items[KWS_DEVICES_MAX];
};

/* The device that `name` means, NULL if there is none. An empty or NULL name is the default device.
 * Otherwise a device whose name or "host api: name" is exactly `name`, else the one whose "host
 * api: name" contains it, upper and lower case alike; of several the one with the shortest name,
 * because least of it was left unsaid, of equals the first. Thread: any. */
const struct kws_device *kws_device_find(const struct kws_device_list *list, const char *name);

/* Writes "'a', 'b', 'c'" into `out`; names that do not fit are left out and "..." says so. An empty
 * list gives "none". Thread: any. */
void kws_device_names(const struct kws_device_list *list, char *out, size_t size);

#endif
