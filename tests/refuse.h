/* SPDX-License-Identifier: Apache-2.0 */
#ifndef KWS_TESTS_REFUSE_H
#define KWS_TESTS_REFUSE_H

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/prctl.h>

/* Where the lower half of a system call's first argument lies. */
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
#define REFUSE_FIRST_ARGUMENT (offsetof(struct seccomp_data, args) + 4)
#else
#define REFUSE_FIRST_ARGUMENT offsetof(struct seccomp_data, args)
#endif

/* Makes the system call `number` fail with `reason`, or with `first` only where its first argument
 * is that one, in this process from now on, as the filters of a systemd unit do. False where there
 * are no filters. An emulator and valgrind may have none and say that they have: try the call. */
static inline bool refuse_call(uint32_t number, const uint32_t *first, int reason)
{
	const uint32_t mask = first != NULL ? UINT32_MAX : 0;
	struct sock_filter filter[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, number, 0, 4),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, REFUSE_FIRST_ARGUMENT),
		BPF_STMT(BPF_ALU | BPF_AND | BPF_K, mask),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, first != NULL ? *first : 0, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (uint32_t)reason),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = {sizeof(filter) / sizeof(filter[0]), filter};
	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
	       prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

#endif
