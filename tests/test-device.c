/* SPDX-License-Identifier: Apache-2.0 */
#include "audio/device.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static const struct kws_device_list devices = {
	.count = 4,
	.items =
		{
			{.name = "USB Audio: PnP (hw:1,0)", .host_api = "ALSA"},
			{.name = "default", .host_api = "ALSA", .is_default = true},
			{.name = "USB", .host_api = "JACK"},
			{.name = "Speaker USB", .host_api = "ALSA"},
		},
};

static void assert_found(const char *name, size_t index)
{
	assert_ptr_equal(kws_device_find(&devices, name), &devices.items[index]);
}

static void finds_by_name(void **state)
{
	(void)state;
	assert_found(NULL, 1);
	assert_found("", 1);
	assert_found("USB", 2);           /* exact, though others contain it */
	assert_found("ALSA: default", 1); /* exact with the host api */
	assert_found("pnp", 0);           /* a part, in any case */
	assert_found("alsa: usb audio", 0);
	assert_found("usb", 2); /* of several parts the shortest name */
	assert_found("ALSA", 1);
	assert_null(kws_device_find(&devices, "webcam"));
	assert_null(kws_device_find(&devices, "3")); /* an index is no name */
}

static void finds_nothing_in_an_empty_list(void **state)
{
	(void)state;
	const struct kws_device_list none = {0};
	assert_null(kws_device_find(&none, ""));
	assert_null(kws_device_find(&none, "USB"));
	char text[16];
	kws_device_names(&none, text, sizeof(text));
	assert_string_equal(text, "none");
}

static void names_fit_or_say_so(void **state)
{
	(void)state;
	static const char all[] = "'USB Audio: PnP (hw:1,0)', 'default', 'USB', 'Speaker USB'";
	char text[sizeof(all)];
	kws_device_names(&devices, text, sizeof(text));
	assert_string_equal(text, all);
	kws_device_names(&devices, text, sizeof(text) - 1);
	assert_string_equal(text, "'USB Audio: PnP (hw:1,0)', 'default', 'USB', ...");
	kws_device_names(&devices, text, 31);
	assert_string_equal(text, "'USB Audio: PnP (hw:1,0)', ...");
	for (size_t size = 1; size < sizeof(text); size++) {
		kws_device_names(&devices, text, size);
		assert_true(strlen(text) < size);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds_by_name),
		cmocka_unit_test(finds_nothing_in_an_empty_list),
		cmocka_unit_test(names_fit_or_say_so),
	};
	return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
