/* SPDX-License-Identifier: Apache-2.0 */
#include "config/file.h"

#include "common/file.h"
#include "common/trust.h"
#include "config/config.h"

int kws__file_read(const char *path, char **data, size_t *length, struct kws_error *error)
{
	int result = kws_trust_check_privileged(path, error);
	return result == 0 ? kws_file_read(path, KWS_CONFIG_FILE_MAX_BYTES, data, length, error)
			   : result;
}
