/* SPDX-License-Identifier: Apache-2.0 */
#include "audio/source.h"

#include <stddef.h>
#include <string.h>

#include "audio/sources.h"

const struct kws_source_ops *const kws_sources[] = {
#ifdef KWS_HAVE_PORTAUDIO
	&kws__source_portaudio,
#endif
	&kws__source_file,
	&kws__source_stdin,
	&kws__source_null,
	NULL,
};

const struct kws_source_ops *kws_source_find(const char *name)
{
	for (size_t i = 0; kws_sources[i] != NULL; i++) {
		if (strcmp(kws_sources[i]->name, name) == 0) {
			return kws_sources[i];
		}
	}
	return NULL;
}
