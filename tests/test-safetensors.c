/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bnn/safetensors.h"
#include "tests/model-builder.h"

/* A header around one tensor's description. */
#define TENSOR(description) "{'t':{" description "}}"

static const float floats[] = {1.5f, -2.0f, 0.25f};
static const uint32_t words[] = {0xffffffffu, 7u};

static struct model_bytes good_file(void)
{
	struct model_builder builder;
	model_builder_init(&builder);
	model_builder_metadata(&builder, "colour", "gr\xc3\xbcn");
	model_builder_tensor(
		&builder, "floats", KWS_DTYPE_F32, (const size_t[4]){1, 3, 0, 0}, floats);
	model_builder_tensor(
		&builder, "words", KWS_DTYPE_U32, (const size_t[4]){2, 0, 0, 0}, words);
	struct model_bytes bytes = model_builder_bytes(&builder);
	model_builder_finish(&builder);
	return bytes;
}

static void assert_good(const struct kws_safetensors *file)
{
	const struct kws_tensor *tensor = kws_safetensors_find(file, "floats");
	assert_non_null(tensor);
	assert_string_equal(tensor->name, "floats");
	assert_int_equal(tensor->dtype, KWS_DTYPE_F32);
	assert_int_equal(tensor->dims, 2);
	assert_int_equal(tensor->shape[0], 1);
	assert_int_equal(tensor->shape[1], 3);
	assert_int_equal(tensor->count, 3);
	assert_memory_equal(tensor->data, floats, sizeof(floats));
	tensor = kws_safetensors_find(file, "words");
	assert_non_null(tensor);
	assert_memory_equal(tensor->data, words, sizeof(words));
	assert_null(kws_safetensors_find(file, "__metadata__"));
	assert_null(kws_safetensors_find(file, "float"));
	assert_string_equal(kws_safetensors_metadata(file, "colour"), "gr\xc3\xbcn");
	assert_null(kws_safetensors_metadata(file, "size"));
}

static void reads_bytes(void **state)
{
	(void)state;
	struct model_bytes bytes = good_file();
	struct kws_safetensors *file;
	assert_int_equal(kws_safetensors_open_bytes(&file, bytes.data, bytes.size, NULL), 0);
	assert_good(file);
	kws_safetensors_close(file);
	kws_safetensors_close(NULL);
	free(bytes.data);
}

static void write_file(const char *path, const void *data, size_t size)
{
	FILE *file = fopen(path, "wb");
	assert_non_null(file);
	assert_int_equal(fwrite(data, 1, size, file), size);
	assert_int_equal(fclose(file), 0);
}

static void reads_a_file(void **state)
{
	(void)state;
	char path[] = "/tmp/kws-safetensors-XXXXXX";
	close(mkstemp(path));
	struct model_bytes bytes = good_file();
	write_file(path, bytes.data, bytes.size);
	struct kws_safetensors *file;
	assert_int_equal(kws_safetensors_open(&file, path, NULL), 0);
	assert_int_equal(truncate(path, 8), 0); /* a mapping would end here with a signal */
	unlink(path);
	assert_good(file);
	kws_safetensors_close(file);
	free(bytes.data);
}

static void assert_path_refused(const char *path, int code, const char *sentence)
{
	struct kws_safetensors *file = NULL;
	struct kws_error error;
	assert_int_equal(kws_safetensors_open(&file, path, &error), code);
	assert_string_equal(error.text, sentence);
	assert_null(file);
}

static void refuses_what_is_no_file(void **state)
{
	(void)state;
	char path[] = "/tmp/kws-safetensors-XXXXXX";
	close(mkstemp(path));
	assert_path_refused(path, KWS_EFORMAT, "too short for a safetensors file (0 bytes)");
	write_file(path, "{\"a\":1}", 7);
	assert_path_refused(path, KWS_EFORMAT, "too short for a safetensors file (7 bytes)");
	unlink(path);
	assert_path_refused(path, KWS_ENOENT, "No such file or directory");
	assert_path_refused("/tmp", KWS_EFORMAT, "not a regular file");
	assert_path_refused("/dev/null", KWS_EFORMAT, "not a regular file");
}

static void assert_bytes_refused(const struct model_bytes *bytes, int code, const char *sentence)
{
	struct kws_safetensors *file = NULL;
	struct kws_error error;
	assert_int_equal(kws_safetensors_open_bytes(&file, bytes->data, bytes->size, &error), code);
	assert_string_equal(error.text, sentence);
	assert_null(file);
}

/* A length of its own before two bytes of header. */
static void assert_length_refused(uint64_t length, const char *sentence)
{
	uint64_t data[2] = {length, 0x7d7b}; /* "{}" */
	struct model_bytes bytes = {(uint8_t *)data, 10};
	assert_bytes_refused(&bytes, KWS_EFORMAT, sentence);
}

static void refuses_a_wrong_length(void **state)
{
	(void)state;
	uint64_t length = 2;
	struct model_bytes bytes = {(uint8_t *)&length, 0};
	assert_bytes_refused(&bytes, KWS_EFORMAT, "too short for a safetensors file (0 bytes)");
	assert_length_refused(3, "not a safetensors file, or cut short: "
				 "header of 3 bytes in a file of 10");
	assert_length_refused(UINT64_MAX, "not a safetensors file, or cut short: header of "
					  "18446744073709551615 bytes in a file of 10");
	assert_length_refused(0, "the header is not JSON: '[' or '{' expected near end of file");
	assert_length_refused(1, "the header is not JSON: string or '}' expected near end of file");
}

struct bad_header {
	const char *header;
	int code;
	const char *sentence;
};

/* Every one is followed by 16 bytes of data. */
static const struct bad_header bad_headers[] = {
	{"[1, 2]", KWS_EFORMAT, "the header is not JSON: not an object"},
	{"{'t':", KWS_EFORMAT, "the header is not JSON: unexpected token near end of file"},
	{"{'t':{'dtype':'F32','shape':[1],'data_offsets':[0,4]},"
	 "'t':{'dtype':'F32','shape':[1],'data_offsets':[0,4]}}",
		KWS_EFORMAT, "the header is not JSON: duplicate object key near '\"t\"'"},
	{"{'t':3}", KWS_EFORMAT, "tensor 't' has no usable dtype and shape"},
	{TENSOR("'shape':[1],'data_offsets':[0,4]"), KWS_EFORMAT,
		"tensor 't' has no usable dtype and shape"},
	{TENSOR("'dtype':'F32','data_offsets':[0,4]"), KWS_EFORMAT,
		"tensor 't' has no usable dtype and shape"},
	{TENSOR("'dtype':'F32','shape':[1,1,1,1,1,1,1],'data_offsets':[0,4]"), KWS_EFORMAT,
		"tensor 't' has no usable dtype and shape"},
	{TENSOR("'dtype':'F16','shape':[2],'data_offsets':[0,4]"), KWS_EUNSUPPORTED,
		"tensor 't' has the unsupported dtype 'F16'"},
	{TENSOR("'dtype':'F32','shape':[-1],'data_offsets':[0,4]"), KWS_EFORMAT,
		"tensor 't' has an impossible shape"},
	{TENSOR("'dtype':'F32','shape':[1.0],'data_offsets':[0,4]"), KWS_EFORMAT,
		"tensor 't' has an impossible shape"},
	{TENSOR("'dtype':'F32','shape':[2147483648],'data_offsets':[0,4]"), KWS_EFORMAT,
		"tensor 't' has an impossible shape"},
	{TENSOR("'dtype':'U8','shape':[65536,65536,65536,65536],'data_offsets':[0,0]"), KWS_EFORMAT,
		"tensor 't' is too large"},
	{TENSOR("'dtype':'F32','shape':[65536,65536,1073741824],'data_offsets':[0,0]"), KWS_EFORMAT,
		"tensor 't' is too large"},
	{TENSOR("'dtype':'F32','shape':[1]"), KWS_EFORMAT, "tensor 't' lies outside the file"},
	{TENSOR("'dtype':'F32','shape':[1],'data_offsets':[0]"), KWS_EFORMAT,
		"tensor 't' lies outside the file"},
	{TENSOR("'dtype':'F32','shape':[1],'data_offsets':[0,4,8]"), KWS_EFORMAT,
		"tensor 't' lies outside the file"},
	{TENSOR("'dtype':'F32','shape':[1],'data_offsets':[-4,0]"), KWS_EFORMAT,
		"tensor 't' lies outside the file"},
	{TENSOR("'dtype':'F32','shape':[1],'data_offsets':[8,4]"), KWS_EFORMAT,
		"tensor 't' lies outside the file"},
	{TENSOR("'dtype':'F32','shape':[2],'data_offsets':[12,20]"), KWS_EFORMAT,
		"tensor 't' lies outside the file"},
	{TENSOR("'dtype':'F32','shape':[3],'data_offsets':[0,8]"), KWS_EFORMAT,
		"tensor 't' has 8 bytes, its shape needs 12"},
	{TENSOR("'dtype':'U8','shape':[0],'data_offsets':[0,1]"), KWS_EFORMAT,
		"tensor 't' has 1 bytes, its shape needs 0"},
	{"{'__metadata__':[]}", KWS_EFORMAT, "__metadata__ is not an object"},
	{"{'__metadata__':{'a':'b','n':1}}", KWS_EFORMAT, "__metadata__ 'n' is not a string"},
};

static void refuses_a_wrong_header(void **state)
{
	(void)state;
	static const uint8_t data[16];
	for (size_t i = 0; i < sizeof(bad_headers) / sizeof(bad_headers[0]); i++) {
		struct model_bytes bytes =
			model_bytes_join(bad_headers[i].header, data, sizeof(data));
		assert_bytes_refused(&bytes, bad_headers[i].code, bad_headers[i].sentence);
		free(bytes.data);
	}
}

/* Opens a header padded to a multiple of 8 bytes with a tensor of this type that begins at this
 * byte. */
static int open_at(const char *dtype, size_t begin, size_t size, struct kws_error *error)
{
	static const uint8_t data[16];
	struct kws_safetensors *file;
	char header[160];
	char padded[160];
	snprintf(header, sizeof(header),
		TENSOR("'dtype':'%s','shape':[1],'data_offsets':[%zu,%zu]"), dtype, begin,
		begin + size);
	snprintf(padded, sizeof(padded), "%-72s", header);
	struct model_bytes bytes = model_bytes_join(padded, data, sizeof(data));
	int result = kws_safetensors_open_bytes(&file, bytes.data, bytes.size, error);
	if (result == 0) {
		kws_safetensors_close(file);
	}
	free(bytes.data);
	return result;
}

static void words_must_be_aligned(void **state)
{
	(void)state;
	struct kws_error error;
	assert_int_equal(open_at("F32", 12, 4, &error), 0);
	assert_int_equal(open_at("F32", 2, 4, &error), KWS_EFORMAT);
	assert_string_equal(error.text, "tensor 't' is not aligned");
	assert_int_equal(open_at("I32", 1, 4, &error), KWS_EFORMAT);
	assert_int_equal(open_at("U8", 3, 1, &error), 0);
}

static void takes_only_so_many_tensors(void **state)
{
	(void)state;
	struct model_builder builder;
	model_builder_init(&builder);
	for (int i = 0; i < 4096; i++) { /* __metadata__ counts too */
		char name[16];
		snprintf(name, sizeof(name), "t%d", i);
		model_builder_floats(&builder, name, (const size_t[4]){1, 0, 0, 0});
	}
	struct model_bytes bytes = model_builder_bytes(&builder);
	assert_bytes_refused(&bytes, KWS_EFORMAT, "more than 4096 tensors");
	free(bytes.data);
	model_builder_finish(&builder);
}

/* No cut of a good file is taken for one; under the sanitizers nothing is read beyond it. */
static void refuses_every_cut(void **state)
{
	(void)state;
	struct model_bytes bytes = good_file();
	for (size_t size = 0; size < bytes.size; size++) {
		struct kws_safetensors *file;
		uint8_t *cut = malloc(size + 1);
		memcpy(cut, bytes.data, size);
		assert_int_equal(kws_safetensors_open_bytes(&file, cut, size, NULL), KWS_EFORMAT);
		free(cut);
	}
	free(bytes.data);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_bytes),
		cmocka_unit_test(reads_a_file),
		cmocka_unit_test(refuses_what_is_no_file),
		cmocka_unit_test(refuses_a_wrong_length),
		cmocka_unit_test(refuses_a_wrong_header),
		cmocka_unit_test(words_must_be_aligned),
		cmocka_unit_test(takes_only_so_many_tensors),
		cmocka_unit_test(refuses_every_cut),
	};
	return cmocka_run_group_tests(tests, NULL, NULL) != 0;
}
