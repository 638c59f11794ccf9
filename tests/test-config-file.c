/* SPDX-License-Identifier: Apache-2.0 */
/* Configurations as files: the printed sample, and loading. */
#include "tests/config-text.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SAMPLE_SIZE 16384

static void print_sample(char *text, size_t size)
{
	FILE *file = fmemopen(text, size, "w");
	assert_non_null(file);
	assert_int_equal(kws_schema_print(file), 0);
	fclose(file);
}

/* Removes the '#' in front of keys and sections; comments have a space behind it. */
static void uncomment(char *text)
{
	char *to = text;
	for (const char *from = text; *from != '\0'; from++) {
		bool line_start = from == text || from[-1] == '\n';
		bool key = line_start && *from == '#' && strchr(" #\n", from[1]) == NULL;
		if (!key) {
			*to++ = *from;
		}
	}
	*to = '\0';
}

static void test_sample_means_the_defaults(void **state)
{
	(void)state;
	size_t count;
	char text[SAMPLE_SIZE];
	print_sample(text, sizeof(text));
	struct kws_config *plain = parse("");
	struct kws_config *sample = parse(text);
	assert_int_equal(kws_config_diff(plain, sample, NULL, NULL), KWS_APPLY_NONE);
	kws_config_destroy(sample);

	uncomment(text);
	sample = parse(text);
	assert_int_equal(sample->keyword_count, 1);
	assert_int_equal(kws_config_diff(plain, sample, NULL, NULL), KWS_APPLY_NONE);
	const struct kws_key *keys = kws_schema_keys(&count);
	for (size_t i = 0; i < count; i++) {
		char line[128];
		snprintf(line, sizeof(line), "\n%s =", keys[i].name);
		assert_non_null(strstr(text, line));
	}
	kws_config_destroy(sample);
	kws_config_destroy(plain);
}

/* The sample in the repository is for people who look before they install. It is what the schema
 * prints, with the default prefix in the path of the model. */
static void test_sample_in_the_repository(void **state)
{
	(void)state;
	static const char model[] = "/usr/local/share/kwsd/models/commands.safetensors";
	char printed[SAMPLE_SIZE];
	print_sample(printed, sizeof(printed));
	struct kws_config *plain = parse("");
	char *path = strstr(printed, plain->model.path.items[0]);
	assert_non_null(path);
	char *rest = path + strlen(plain->model.path.items[0]);

	char file_text[SAMPLE_SIZE];
	FILE *file = fopen(KWS_SAMPLE_FILE, "r");
	assert_non_null(file);
	size_t length = fread(file_text, 1, sizeof(file_text) - 1, file);
	fclose(file);
	file_text[length] = '\0';
	char expected[SAMPLE_SIZE];
	snprintf(expected, sizeof(expected), "%.*s%s%s", (int)(path - printed), printed, model,
		rest);
	assert_string_equal(file_text, expected);
	kws_config_destroy(plain);
}

static void test_print_reports_a_full_disk(void **state)
{
	(void)state;
	FILE *file = fopen("/dev/full", "w");
	if (file == NULL) {
		skip();
	}
	assert_int_equal(kws_schema_print(file), KWS_EIO);
	fclose(file);
}

static char folder[] = "/tmp/kws-test-config-XXXXXX";
static char path[64];

static void write_file(const char *text, size_t length)
{
	FILE *file = fopen(path, "w");
	assert_non_null(file);
	assert_int_equal(fwrite(text, 1, length, file), length);
	assert_int_equal(fclose(file), 0);
}

static int make_folder(void **state)
{
	(void)state;
	if (mkdtemp(folder) == NULL) {
		return -1;
	}
	snprintf(path, sizeof(path), "%s/kwsd.conf", folder);
	return 0;
}

static int remove_folder(void **state)
{
	(void)state;
	unlink(path);
	return rmdir(folder);
}

static void test_load(void **state)
{
	(void)state;
	static const char text[] = "[dsp]\nvad = yes\n[log]\nlevel = nope\n";
	static const char *const overrides[] = {"dsp.vad=no"};
	struct kws_config *config = NULL;
	struct kws_config_errors errors;
	char expected[256];
	write_file(text, 16);
	assert_int_equal(kws_config_load(&config, path, NULL, 0, &errors), 0);
	assert_true(config->dsp.vad);
	kws_config_destroy(config);
	assert_int_equal(kws_config_load(&config, path, overrides, 1, &errors), 0);
	assert_false(config->dsp.vad);
	kws_config_destroy(config);
	config = NULL;
	write_file(text, strlen(text));
	assert_int_equal(kws_config_load(&config, path, NULL, 0, &errors), KWS_EFORMAT);
	assert_null(config);
	snprintf(expected, sizeof(expected),
		"%s:4: [log].level: value 'nope': must be error, warning, info or debug", path);
	assert_string_equal(errors.text[0], expected);
}

static void assert_load_fails(const char *file, int code, const char *sentence)
{
	struct kws_config *config = NULL;
	struct kws_config_errors errors;
	char expected[256];
	assert_int_equal(kws_config_load(&config, file, NULL, 0, &errors), code);
	assert_null(config);
	snprintf(expected, sizeof(expected), "%s: %s", file, sentence);
	assert_int_equal(errors.count, 1);
	assert_string_equal(errors.text[0], expected);
}

static void test_load_errors(void **state)
{
	(void)state;
	unlink(path);
	assert_load_fails(path, KWS_ENOENT, "No such file or directory");
	assert_load_fails("/etc/passwd/x", KWS_ENOENT, "Not a directory");
	assert_load_fails(folder, KWS_EFORMAT, "not a regular file");
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_load_fails(path, KWS_EFORMAT, "not a regular file"); /* and does not hang */
	unlink(path);
	if (geteuid() != 0) {
		write_file("", 0);
		chmod(path, 0);
		assert_load_fails(path, KWS_EIO, "Permission denied");
		unlink(path);
	}
}

static void test_file_size(void **state)
{
	(void)state;
	struct kws_config *config = NULL;
	struct kws_config_errors errors;
	char *text = malloc(KWS_CONFIG_FILE_MAX_BYTES + 1);
	assert_non_null(text);
	memset(text, '\n', KWS_CONFIG_FILE_MAX_BYTES + 1);
	write_file(text, KWS_CONFIG_FILE_MAX_BYTES);
	assert_int_equal(kws_config_load(&config, path, NULL, 0, &errors), 0);
	kws_config_destroy(config);
	write_file(text, KWS_CONFIG_FILE_MAX_BYTES + 1);
	assert_load_fails(path, KWS_EFORMAT, "larger than 1048576 bytes");
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sample_means_the_defaults),
		cmocka_unit_test(test_sample_in_the_repository),
		cmocka_unit_test(test_print_reports_a_full_disk),
		cmocka_unit_test(test_load),
		cmocka_unit_test(test_load_errors),
		cmocka_unit_test(test_file_size),
	};
	return cmocka_run_group_tests(tests, make_folder, remove_folder) != 0;
}
