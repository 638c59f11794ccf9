/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/onednn.h"

const char *bench_onednn_init(void)
{
	return "no oneDNN to compare with: it was not there when this was built (Debian: "
	       "libdnnl-dev)";
}

struct bench_onednn *bench_onednn_create(
	const struct bench_layer *layer, enum bench_onednn_type type)
{
	(void)layer;
	(void)type;
	return NULL;
}

void bench_onednn_destroy(struct bench_onednn *conv)
{
	(void)conv;
}

void bench_onednn_run(void *user, size_t times)
{
	(void)user;
	(void)times;
}

const char *bench_onednn_kernel(const struct bench_onednn *conv)
{
	(void)conv;
	return "none";
}
