/* SPDX-License-Identifier: Apache-2.0 */
#include "bnn/account.h"

#include <stdlib.h>

#include "bnn/rows.h"

#define NEVER (-1)

/* One operation's map. Whenever it is asked for, every row of the window is there afterwards; so
 * the frame of the last such window, in each phase, tells which rows are missing in the next. */
struct entry {
	const struct kws_op *op;
	const struct kws_rows *rows;
	int64_t *last; /* [phases] frame of the last window, or NEVER */
};

struct kws_account {
	const struct kws_graph *graph;
	size_t hop_frames;
	int64_t frame;  /* since the last begin */
	size_t next_op; /* as in the net */
	struct kws_net_stats stats;
	struct entry entries[]; /* one for each operation */
};

int kws_account_create(struct kws_account **out, const struct kws_net *net)
{
	const struct kws_graph *graph = kws_net_graph(net);
	struct kws_account *account =
		calloc(1, sizeof(*account) + graph->op_count * sizeof(account->entries[0]));
	if (account == NULL) {
		return KWS_ENOMEM;
	}
	account->graph = graph;
	account->hop_frames = kws_net_hop_frames(net);
	for (size_t i = 0; i < graph->op_count; i++) {
		struct entry *entry = &account->entries[i];
		entry->op = &graph->ops[i];
		entry->rows = kws_net_rows(net, entry->op->output);
		entry->last = calloc(entry->rows->phases, sizeof(*entry->last));
		if (entry->last == NULL) {
			kws_account_destroy(account);
			return KWS_ENOMEM;
		}
	}
	kws_account_begin(account);
	*out = account;
	return 0;
}

void kws_account_destroy(struct kws_account *account)
{
	if (account == NULL) {
		return;
	}
	for (size_t i = 0; i < account->graph->op_count; i++) {
		free(account->entries[i].last);
	}
	free(account);
}

void kws_account_begin(struct kws_account *account)
{
	for (size_t i = 0; i < account->graph->op_count; i++) {
		struct entry *entry = &account->entries[i];
		for (size_t phase = 0; phase < entry->rows->phases; phase++) {
			entry->last[phase] = NEVER;
		}
	}
	account->frame = 0;
	account->next_op = 0;
}

void kws_account_advance(struct kws_account *account)
{
	account->frame += (int64_t)account->hop_frames;
	account->next_op = 0;
}

static size_t missing_rows(const struct entry *entry, int64_t frame)
{
	const struct kws_rows *rows = entry->rows;
	int64_t stride = (int64_t)rows->stride;
	/* one phase if nothing is kept */
	int64_t *last = &entry->last[(size_t)(frame % stride) / rows->phase_step % rows->phases];
	size_t passed = *last == NEVER ? SIZE_MAX : (size_t)((frame - *last) / stride);
	*last = frame;
	return kws_rows_missing_after(rows, passed);
}

static void count_op(struct kws_account *account, const struct entry *entry)
{
	size_t missing = missing_rows(entry, account->frame);
	account->stats.rows += missing;
	account->stats.binary_macs += entry->op->cost.binary_macs * missing;
	account->stats.float_macs += entry->op->cost.float_macs * missing;
}

void kws_account_run_exit(struct kws_account *account, size_t exit)
{
	size_t last = account->graph->exit_ops[exit];
	for (; account->next_op <= last; account->next_op++) {
		const struct entry *entry = &account->entries[account->next_op];
		if (entry->op->exit < 0 || entry->op->exit == (int)exit) {
			count_op(account, entry);
		}
	}
}

struct kws_net_stats kws_account_stats(const struct kws_account *account)
{
	return account->stats;
}
