/* channel_jobs.c - questions about many deliveries of an account: polls for receipts, statistics. Loop thread.
 * Owns: a copy of what is asked until the job is gone; what the adapter learns comes as receipts and numbers, like anything else.
 * Failures: an adapter that does not end in time is ended, and the answer is "deferred": it is asked again later. */
#include <stdlib.h>
#include <string.h>
#include "channel/channel_internal.h"

struct aside { /* one block: the arrays and the strings behind it */
	struct lt_item *items;
	const struct lt_item **list;
	struct lt_id *ids;
};

static size_t room_of(const struct chan_item *v, size_t n, size_t *ret_ids)
{
	size_t room = 0;
	*ret_ids = 0;
	for (size_t i = 0; i < n; i++) {
		room += v[i].ref.n + v[i].address.n + 2;
		for (size_t k = 0; k < v[i].n_ids; k++)
			room += v[i].ids[k].id.n + 1;
		*ret_ids += v[i].n_ids;
	}
	return room;
}

static struct lt_str put(char **at, struct lt_str s)
{
	char *p = *at;
	if (!s.n)
		return (struct lt_str){ 0 };
	memcpy(p, s.p, s.n);
	p[s.n] = 0;
	*at = p + s.n + 1;
	return (struct lt_str){ p, s.n };
}

static struct aside *aside_new(const struct chan_item *v, size_t n)
{
	size_t n_ids, text = room_of(v, n, &n_ids);
	size_t items_n = n * sizeof(struct lt_item), list_n = n * sizeof(struct lt_item *);
	char *block = x_calloc(1,
		sizeof(struct aside) + items_n + list_n + n_ids * sizeof(struct lt_id) + text + 1);
	struct aside *a = (struct aside *)(void *)block;
	a->items = (struct lt_item *)(void *)(block + sizeof(*a));
	a->list = (const struct lt_item **)(void *)((char *)a->items + items_n);
	a->ids = (struct lt_id *)(void *)((char *)a->list + list_n);
	struct lt_id *id = a->ids;
	char *at = (char *)(a->ids + n_ids);
	for (size_t i = 0; i < n; i++) {
		struct lt_item *it = &a->items[i];
		*it = (struct lt_item){ .struct_size = sizeof(*it),
			.flags = v[i].flags,
			.delivery = v[i].delivery,
			.ref = put(&at, lt_of(v[i].ref)),
			.address = put(&at, lt_of(v[i].address)),
			.ids = id,
			.n_ids = v[i].n_ids,
			.since_ms = v[i].since_ms };
		for (size_t k = 0; k < v[i].n_ids; k++, id++) {
			*id = v[i].ids[k];
			id->id = put(&at, v[i].ids[k].id);
		}
		a->list[i] = it;
	}
	return a;
}

int channel_ask(struct chan_account *a, uint32_t kind, const struct chan_item *items, size_t n,
	int64_t timeout_ms, void (*done)(void *ctx, const struct chan_result *r), void *ctx)
{
	const struct lt_adapter *ad = a->ch->ad;
	struct channels *cs = a->ch->cs;
	uint64_t cap = kind == LT_J_STATS ? LT_CAP_STATS : LT_CAP_RECEIPTS;
	if ((kind != LT_J_POLL && kind != LT_J_STATS) || !(ad->caps & cap))
		return -ENOTSUP;
	if (cs->closing)
		return -EBUSY;
	struct job *j = job_new(a, kind, ad->other_size, sizeof(struct job));
	struct lt_job *jobs[] = { &j->pub };
	const struct lt_work *works[] = { &j->work };
	struct aside *as = aside_new(items, n);
	j->aside = as;
	j->work = (struct lt_work){ .struct_size = sizeof(j->work),
		.credential = lt_of(str_of(a->conf->credential)),
		.deadline_ms = env_mono(cs->env) + timeout_ms,
		.items = as->list,
		.n_items = n };
	list_push(&cs->beside, &j->node);
	j->check_done = done;
	j->check_ctx = ctx;
	timer_set(cs->env, &j->deadline, j->work.deadline_ms);
	int rc = jobs_start(a, jobs, works, 1);
	if (rc < 0 && !j->finished)
		job_end_by_rule(j, rc, "the adapter did not take the question");
	return 0;
}

/* They publish nothing and are asked again: nobody waits for them at the end. */
void asks_cut(struct channels *cs)
{
	for (bool found = true; found;) {
		found = false;
		LIST_FOR(&cs->beside, n)
		{
			struct job *j = CONTAINER_OF(n, struct job, node);
			if (j->pub.kind != LT_J_POLL && j->pub.kind != LT_J_STATS)
				continue;
			found = true;
			job_end_by_rule(j, -ECANCELED, "shutting down");
			break;
		}
	}
}
