/* SPDX-License-Identifier: Apache-2.0 */
#include "common/json.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* jansson 2.14 does not check whether the buffer of the token that it reads could grow: it leaves
 * the character out, and without its closing quote a string is read beyond the buffer's end. So the
 * first allocation that fails during a load gets a block that was set aside, and the input ends
 * there, before another one can matter. */
static _Thread_local struct {
	bool lacked; /* since the load or dump began */
	size_t lacks;
	void *reserve; /* outside of a load: NULL */
	size_t reserve_size;
} memory;

struct input {
	const char *text;
	size_t length;
};

static void *allocate(size_t size)
{
	void *block = malloc(size);
	memory.lacks += block == NULL;
	if (block == NULL && !memory.lacked) {
		memory.lacked = true;
		block = size <= memory.reserve_size ? memory.reserve : NULL;
	}
	return block;
}

static void release(void *block)
{
	if (block != memory.reserve) {
		free(block);
	}
}

/* Before main(), so that no thread uses jansson meanwhile. */
__attribute__((constructor)) static void watch_jansson(void)
{
	json_set_alloc_funcs(allocate, release);
}

/* One byte at a time: jansson must not have any when memory has run out. */
static size_t next_byte(void *buffer, size_t size, void *user)
{
	struct input *input = user;
	if (input->length == 0 || size == 0 || memory.lacked) {
		return 0;
	}
	*(char *)buffer = *input->text++;
	input->length--;
	return 1;
}

/* Returns NULL with `memory.lacked` or with a reason. */
static json_t *load(const void *text, size_t length, size_t flags, json_error_t *reason)
{
	struct input input = {text, length};
	memory.lacked = false;
	memory.reserve_size = 2 * length + 64; /* the buffer doubles, from a few bytes */
	memory.reserve = malloc(memory.reserve_size);
	if (memory.reserve == NULL) {
		memory.lacked = true;
		return NULL;
	}
	json_t *json = json_load_callback(next_byte, &input, flags, reason);
	if (memory.lacked) {
		json_decref(json); /* which may lie in the reserve */
		json = NULL;
	}
	free(memory.reserve);
	memory.reserve = NULL;
	memory.reserve_size = 0;
	return json;
}

int kws_json_load(json_t **out, const char *what, const void *text, size_t length, size_t flags,
	struct kws_error *error)
{
	json_error_t reason;
	json_t *json = load(text, length, flags, &reason);
	if (memory.lacked) {
		return kws_fail(error, KWS_ENOMEM, "%s", kws_strerror(KWS_ENOMEM));
	}
	if (json == NULL) {
		return kws_fail(error, KWS_EFORMAT, "%s%s%.120s", what != NULL ? what : "",
			what != NULL ? " is not JSON: " : "", reason.text);
	}
	*out = json;
	return 0;
}

int kws_json_load_object(json_t **out, const char *what, const char *text, struct kws_error *error)
{
	json_t *json = NULL;
	*out = NULL;
	if (text == NULL) {
		return 0;
	}
	int result = kws_json_load(&json, NULL, text, strlen(text), JSON_REJECT_DUPLICATES, error);
	if (result == KWS_ENOMEM) {
		return result;
	}
	if (!json_is_object(json)) {
		json_decref(json);
		return kws_fail(error, KWS_EFORMAT, "%s must be a JSON object", what);
	}
	*out = json;
	return 0;
}

char *kws_json_dump(const json_t *json, size_t flags)
{
	memory.lacked = false;
	char *text = json_dumps(json, flags);
	if (memory.lacked) {
		free(text);
		return NULL;
	}
	return text;
}

size_t kws_json_lacks(void)
{
	return memory.lacks;
}
