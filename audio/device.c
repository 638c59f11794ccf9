/* SPDX-License-Identifier: Apache-2.0 */
#include "audio/device.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#define FULL_NAME_BYTES (sizeof(struct kws_device) + sizeof(": "))

static const struct kws_device *find_default(const struct kws_device_list *list)
{
	for (size_t i = 0; i < list->count; i++) {
		if (list->items[i].is_default) {
			return &list->items[i];
		}
	}
	return NULL;
}

static void full_name(const struct kws_device *device, char out[FULL_NAME_BYTES])
{
	snprintf(out, FULL_NAME_BYTES, "%s: %s", device->host_api, device->name);
}

static bool contains(const char *text, const char *part)
{
	size_t length = strlen(part);
	for (; strlen(text) >= length; text++) {
		if (strncasecmp(text, part, length) == 0) {
			return true;
		}
	}
	return false;
}

static const struct kws_device *find_exact(const struct kws_device_list *list, const char *name)
{
	char full[FULL_NAME_BYTES];
	for (size_t i = 0; i < list->count; i++) {
		full_name(&list->items[i], full);
		if (strcmp(list->items[i].name, name) == 0 || strcmp(full, name) == 0) {
			return &list->items[i];
		}
	}
	return NULL;
}

static const struct kws_device *find_part(const struct kws_device_list *list, const char *part)
{
	const struct kws_device *best = NULL;
	char full[FULL_NAME_BYTES];
	for (size_t i = 0; i < list->count; i++) {
		const struct kws_device *device = &list->items[i];
		full_name(device, full);
		if (!contains(full, part)) {
			continue;
		}
		if (best == NULL || strlen(device->name) < strlen(best->name)) {
			best = device;
		}
	}
	return best;
}

const struct kws_device *kws_device_find(const struct kws_device_list *list, const char *name)
{
	if (name == NULL || name[0] == '\0') {
		return find_default(list);
	}
	const struct kws_device *device = find_exact(list, name);
	return device != NULL ? device : find_part(list, name);
}

void kws_device_names(const struct kws_device_list *list, char *out, size_t size)
{
	static const char more[] = ", ...";
	snprintf(out, size, "%s", list->count == 0 ? "none" : "");
	size_t used = 0;
	for (size_t i = 0; i < list->count; i++) {
		char item[sizeof(list->items[i].name) + sizeof(", ''")];
		const char *comma = i > 0 ? ", " : "";
		int length = snprintf(item, sizeof(item), "%s'%s'", comma, list->items[i].name);
		/* The last one needs no room for "...". */
		size_t reserve = i + 1 < list->count ? sizeof(more) : 1;
		if (used + (size_t)length + reserve > size) {
			snprintf(out + used, size - used, "%s", i > 0 ? more : more + 2);
			return;
		}
		memcpy(out + used, item, (size_t)length + 1);
		used += (size_t)length;
	}
}
