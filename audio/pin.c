/* SPDX-License-Identifier: Apache-2.0 */
#include "audio/pin.h"

#include <dlfcn.h>
#include <stddef.h>

void kws_pin_libraries(void)
{
	void *library = dlopen("libpixman-1.so.0", RTLD_LAZY | RTLD_LOCAL | RTLD_NODELETE);
	if (library != NULL) {
		dlclose(library); /* our reference; RTLD_NODELETE keeps it all the same */
	}
}
