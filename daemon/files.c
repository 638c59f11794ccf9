/* SPDX-License-Identifier: Apache-2.0 */
#include "daemon/files.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#define CROWDED_DIVISOR 4

int kws_files_raise(struct kws_error *error)
{
	struct rlimit limit;
	if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= KWS_FILES_WANTED) {
		return 0;
	}
	limit.rlim_cur = limit.rlim_max < KWS_FILES_WANTED ? limit.rlim_max : KWS_FILES_WANTED;
	if (setrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur < KWS_FILES_WANTED) {
		return kws_fail(error, KWS_EUNSUPPORTED,
			"only %llu files and connections can be open, %d are better: LimitNOFILE=",
			(unsigned long long)limit.rlim_max, KWS_FILES_WANTED);
	}
	return 0;
}

/* A new descriptor gets the lowest free number, which is not above the number of those in use. */
bool kws_files_are_crowded(void)
{
	struct rlimit limit;
	if (getrlimit(RLIMIT_NOFILE, &limit) != 0) {
		return false;
	}
	int lowest_free = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 0);
	if (lowest_free < 0) {
		return true;
	}
	close(lowest_free);
	return (rlim_t)lowest_free > limit.rlim_cur / CROWDED_DIVISOR;
}
