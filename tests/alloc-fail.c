/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include "tests/alloc-fail.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <execinfo.h>
#include <link.h>
#include <malloc.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/error.h"

/* glibc's own, whatever has taken the place of malloc(). */
void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *block, size_t size);
void *__libc_memalign(size_t alignment, size_t size);
void __libc_free(void *block);

#define RANGES_MAX 16
#define SLOTS ((size_t)1 << 16)
#define REMOVED ((void *)1)
#define FREED 0xdd
#define CALLS_MAX 8 /* of which four are those of this file and of jansson */

/* Code whose allocations count. */
static struct {
	uintptr_t begin;
	uintptr_t end;
} ranges[RANGES_MAX];
static size_t range_count;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* for all of these */
static size_t fail_number;
static uint64_t fail_place;
static struct alloc_fail_places *recorded;
static size_t counted;
static bool failed;
static bool counting;
static void *slots[SLOTS]; /* live blocks: open addressing, REMOVED where one was */
static size_t used_slots;  /* also by REMOVED */
static size_t live;

static bool is_counted_library(const char *path)
{
	const char *slash = strrchr(path, '/');
	const char *name = slash != NULL ? slash + 1 : path;
	return name[0] == '\0' || strncmp(name, "libjansson.", 11) == 0 ||
	       strncmp(name, "libkissfft", 10) == 0; /* "" is the program */
}

static int add_ranges(struct dl_phdr_info *info, size_t size, void *user)
{
	(void)size;
	(void)user;
	if (!is_counted_library(info->dlpi_name)) {
		return 0;
	}
	for (size_t i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *part = &info->dlpi_phdr[i];
		if (part->p_type == PT_LOAD && (part->p_flags & PF_X) != 0 &&
			range_count < RANGES_MAX) {
			ranges[range_count].begin = info->dlpi_addr + part->p_vaddr;
			ranges[range_count].end = ranges[range_count].begin + part->p_memsz;
			range_count++;
		}
	}
	return 0;
}

static bool is_counted(const void *caller)
{
	for (size_t i = 0; i < range_count; i++) {
		if ((uintptr_t)caller >= ranges[i].begin && (uintptr_t)caller < ranges[i].end) {
			return true;
		}
	}
	return false;
}

/* FNV-1a over the calls that led here. */
static uint64_t find_place(void)
{
	void *calls[CALLS_MAX];
	int count = backtrace(calls, CALLS_MAX);
	uint64_t hash = UINT64_C(0xcbf29ce484222325);
	for (int i = 0; i < count; i++) {
		hash = (hash ^ (uintptr_t)calls[i]) * UINT64_C(0x100000001b3);
	}
	return hash;
}

static void record(uint64_t place)
{
	size_t i = 0;
	while (i < recorded->count && recorded->hashes[i] != place) {
		i++;
	}
	if (i == sizeof(recorded->hashes) / sizeof(recorded->hashes[0])) {
		abort(); /* more places than there is room for */
	}
	recorded->hashes[i] = place;
	recorded->count += i == recorded->count;
}

/* Whether the allocation that `caller` asks for must fail. */
static bool must_fail(const void *caller)
{
	bool result = false;
	if (!is_counted(caller)) {
		return false;
	}
	/* not under the lock: backtrace() takes the dynamic linker's, under which others allocate
	 */
	uint64_t place = find_place();
	pthread_mutex_lock(&lock);
	if (counting && recorded != NULL) {
		record(place);
	}
	if (counting && !failed && (++counted == fail_number || place == fail_place)) {
		failed = true;
		result = true;
		errno = ENOMEM;
	}
	pthread_mutex_unlock(&lock);
	return result;
}

/* From the slot where `block` would like to be: the first with `wanted` in it, or else the first
 * that is empty. Blocks are aligned to 16 bytes at least. */
static void **find_slot(const void *block, const void *wanted)
{
	size_t i = (uintptr_t)block / 16 % SLOTS;
	while (slots[i] != NULL && slots[i] != wanted) {
		i = (i + 1) % SLOTS;
	}
	return &slots[i];
}

static void remember(void *block, const void *caller)
{
	if (block == NULL) {
		return;
	}
	pthread_mutex_lock(&lock);
	if (counting && is_counted(caller)) {
		void **slot = find_slot(block, REMOVED);
		used_slots += *slot == NULL;
		if (used_slots > SLOTS / 2) {
			abort(); /* the table is too small for this test */
		}
		*slot = block;
		live++;
	}
	pthread_mutex_unlock(&lock);
}

/* Returns whether `block` was counted. */
static bool forget(const void *block)
{
	if (block == NULL) {
		return false;
	}
	pthread_mutex_lock(&lock);
	void **slot = find_slot(block, block);
	bool known = *slot != NULL;
	if (known) {
		*slot = REMOVED;
		live--;
	}
	pthread_mutex_unlock(&lock);
	return known;
}

void *malloc(size_t size)
{
	const void *caller = __builtin_return_address(0);
	void *block = must_fail(caller) ? NULL : __libc_malloc(size);
	remember(block, caller);
	return block;
}

void *calloc(size_t count, size_t size)
{
	const void *caller = __builtin_return_address(0);
	void *block = must_fail(caller) ? NULL : __libc_calloc(count, size);
	remember(block, caller);
	return block;
}

/* `old` is forgotten first: once it is freed, another thread may get the same address. */
void *realloc(void *old, size_t size)
{
	const void *caller = __builtin_return_address(0);
	bool grows = old == NULL || malloc_usable_size(old) < size;
	if (grows && must_fail(caller)) {
		return NULL;
	}
	forget(old);
	void *block = __libc_realloc(old, size);
	remember(block, caller);
	return block;
}

void *aligned_alloc(size_t alignment, size_t size)
{
	const void *caller = __builtin_return_address(0);
	void *block = must_fail(caller) ? NULL : __libc_memalign(alignment, size);
	remember(block, caller);
	return block;
}

int posix_memalign(void **out, size_t alignment, size_t size)
{
	const void *caller = __builtin_return_address(0);
	void *block = must_fail(caller) ? NULL : __libc_memalign(alignment, size);
	if (block == NULL) {
		return ENOMEM;
	}
	remember(block, caller);
	*out = block;
	return 0;
}

void free(void *block)
{
	int error = errno; /* free() keeps it */
	if (forget(block)) {
		memset(block, FREED, malloc_usable_size(block)); /* whoever goes on with it fails */
	}
	__libc_free(block);
	errno = error;
}

/* The C library's own calls of malloc() do not count, so the functions for which it makes them on
 * our behalf stand here as well. */

char *strndup(const char *text, size_t most)
{
	const void *caller = __builtin_return_address(0);
	size_t length = strnlen(text, most);
	char *copy = must_fail(caller) ? NULL : __libc_malloc(length + 1);
	if (copy != NULL) {
		memcpy(copy, text, length);
		copy[length] = '\0';
	}
	remember(copy, caller);
	return copy;
}

char *strdup(const char *text)
{
	const void *caller = __builtin_return_address(0);
	size_t size = strlen(text) + 1;
	char *copy = must_fail(caller) ? NULL : __libc_malloc(size);
	if (copy != NULL) {
		memcpy(copy, text, size);
	}
	remember(copy, caller);
	return copy;
}

FILE *open_memstream(char **text, size_t *size)
{
	FILE *(*real)(char **, size_t *);
	*(void **)&real = dlsym(RTLD_NEXT, "open_memstream");
	return must_fail(__builtin_return_address(0)) ? NULL : real(text, size);
}

static void begin(size_t number, uint64_t place, struct alloc_fail_places *places)
{
	void *call;
	if (range_count == 0) {
		backtrace(&call, 1); /* loads what it needs */
		dl_iterate_phdr(add_ranges, NULL);
	}
	pthread_mutex_lock(&lock);
	memset(slots, 0, sizeof(slots));
	used_slots = 0;
	live = 0;
	counted = 0;
	failed = false;
	fail_number = number;
	fail_place = place;
	recorded = places;
	counting = true;
	pthread_mutex_unlock(&lock);
}

void alloc_fail_begin(size_t number)
{
	begin(number, 0, NULL);
}

void alloc_fail_begin_at(uint64_t place, struct alloc_fail_places *places)
{
	begin(0, place, places);
}

bool alloc_fail_end(void)
{
	pthread_mutex_lock(&lock);
	counting = false;
	bool result = failed;
	pthread_mutex_unlock(&lock);
	return result;
}

size_t alloc_fail_live(void)
{
	pthread_mutex_lock(&lock);
	size_t result = live;
	pthread_mutex_unlock(&lock);
	return result;
}

size_t alloc_fail_descriptors(void)
{
	size_t count = 0;
	DIR *descriptors = opendir("/proc/self/fd");
	assert_non_null(descriptors);
	while (readdir(descriptors) != NULL) {
		count++;
	}
	closedir(descriptors);
	return count;
}

void alloc_fail_each(const char *name, int (*attempt)(void))
{
	bool one_failed = true;
	size_t number = 0;
	assert_int_equal(
		attempt(), 0); /* what is made once and kept, such as a cache, is there now */
	while (one_failed) {
		size_t descriptors = alloc_fail_descriptors();
		alloc_fail_begin(++number);
		int code = attempt();
		one_failed = alloc_fail_end();
		if (code != (one_failed ? KWS_ENOMEM : 0)) {
			fail_msg("%s: allocation %zu fails: %s", name, number, kws_strerror(code));
		}
		if (alloc_fail_live() != 0 || alloc_fail_descriptors() != descriptors) {
			fail_msg("%s: allocation %zu fails: %zu blocks, %zd descriptors are left",
				name, number, alloc_fail_live(),
				(ssize_t)(alloc_fail_descriptors() - descriptors));
		}
		assert_int_equal(attempt(), 0);
	}
	print_message("%s: %zu allocations\n", name, number - 1);
	assert_true(number > 1); /* else nothing was tested */
}
