/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KWS_TESTS_ALLOC_FAIL_H
#define KWS_TESTS_ALLOC_FAIL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Makes single allocations fail, in a program with alloc-fail.c in it, which takes the place of the
 * C library's malloc() and its kin (glibc only, and not together with a sanitizer).
 *
 * Allocations count that the program itself asks for and those of libraries that report a lack of
 * memory to their callers: jansson, kissfft. libzmq and libuv abort then, so theirs are not
 * touched. */

/* From now on counts allocations of all threads, realloc() only where it needs more room, and lets
 * the one with this number, from 1, fail. Forgets what was allocated before. */
void alloc_fail_begin(size_t number);

/* The places from which something was allocated: hashes of the nearest calls that led there. */
struct alloc_fail_places {
	size_t count;
	uint64_t hashes[4096];
};

/* As begin, where the first allocation from `place` fails; 0: none. `places` (may be NULL) gets
 * those that are not among them, and holds in this process and in those that it forks. */
void alloc_fail_begin_at(uint64_t place, struct alloc_fail_places *places);

/* No allocation fails any more. Returns whether one did. */
bool alloc_fail_end(void);

/* How many of the allocations counted since begin were not freed, also after end. */
size_t alloc_fail_live(void);

/* How many descriptors are open. */
size_t alloc_fail_descriptors(void);

/* A cmocka test of `attempt`, which makes something, destroys it if that went well, and returns the
 * code of making it: with each of its allocations failing in turn it must give KWS_ENOMEM, leave
 * neither memory nor descriptors behind, and succeed when tried again. */
void alloc_fail_each(const char *name, int (*attempt)(void));

#endif
