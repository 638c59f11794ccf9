/* SPDX-License-Identifier: Apache-2.0 */
#include "audio/quiet.h"

#include <dlfcn.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

/* The usual trick, pointing descriptor 2 at /dev/null around the calls, would also swallow what
 * other threads write to the log in that second, and each retry would do it again. Both libraries
 * have a hook for their messages; PortAudio has loaded them, so the hooks are looked up by name and
 * nothing new is linked. A library that is not there has no hook and says nothing. */

typedef void hook_setter(void (*handler)(void));

static void drop_alsa_message(
	const char *file, int line, const char *function, int code, const char *format, ...)
{
	(void)file;
	(void)line;
	(void)function;
	(void)code;
	(void)format;
}

static void drop_jack_message(const char *message)
{
	(void)message;
}

static void print_jack_message(const char *message)
{
	fprintf(stderr, "%s\n", message);
}

static void set_hook(const char *setter_name, void (*handler)(void))
{
	void *self = dlopen(NULL, RTLD_LAZY);
	if (self == NULL) {
		return;
	}
	void *symbol = dlsym(self, setter_name);
	if (symbol != NULL) {
		hook_setter *setter;
		memcpy(&setter, &symbol, sizeof(setter)); /* ISO C has no cast for it */
		setter(handler);
	}
	dlclose(self);
}

void kws_quiet_libraries(bool quiet)
{
	/* NULL is ALSA's own again; not every JACK has such a way back */
	void (*jack)(const char *message) = quiet ? drop_jack_message : print_jack_message;
	set_hook("snd_lib_error_set_handler", quiet ? (void (*)(void))drop_alsa_message : NULL);
	set_hook("jack_set_error_function", (void (*)(void))jack);
	set_hook("jack_set_info_function", (void (*)(void))jack);
}
