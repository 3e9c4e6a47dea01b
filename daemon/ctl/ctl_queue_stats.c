/* ctl_queue_stats.c - numbers as people see them: of what was published, and of accounts; what became of a published thing.
 * Threads: reading on a worker, channel.list on the loop. Owns: its rows until the answer. Failures: the code of the store. */
#include <stdlib.h>
#include <string.h>
#include "ctl/ctl_queue.h"
#include "ctl/ctl_queue_stats.h"
#include "store/store_jobs.h"

struct numbers {
	cJSON *o; /* made with the first number */
	int64_t at_ms;
};

static int on_number(void *ctx, const struct q_number *n)
{
	struct numbers *x = ctx;
	char name[64];

	if (!x->o)
		x->o = json_obj();
	(void)str_copy(name, sizeof(name), n->name);
	json_put_i64(x->o, name, n->value);
	if (n->at_ms > x->at_ms)
		x->at_ms = n->at_ms;
	return 0;
}

int ctl_stats_put(struct store_reader *r, int64_t delivery, cJSON *o)
{
	struct numbers x = { 0 };
	int64_t state = 0, at = 0;
	int rc = q_stats(r, delivery, on_number, &x);

	if (rc == 0)
		rc = q_fate(r, delivery, &state, &at);
	if (rc < 0) {
		cJSON_Delete(x.o);
		return rc;
	}
	json_put_z(o, "fate",
		state == LT_RC_GONE              ? "gone"
			: state == LT_RC_CHANGED ? "changed"
						 : NULL);
	ctl_put_time(o, "fate_at", at);
	if (x.o)
		json_put(o, "stats", x.o);
	else
		json_put_z(o, "stats", NULL);
	ctl_put_time(o, "stats_at", x.at_ms);
	return 0;
}

/* --- of accounts ---------------------------------------------------------------------------------------------------------- */

struct account_number {
	char name[48], channel[64], account[64];
	int64_t value, at_ms;
};
struct ctl_account_stats {
	struct account_number *v; /* owned */
	size_t n, cap;
};
struct listing {
	struct ctl_job j;
	void (*then)(struct ctl_call *c, const struct ctl_account_stats *s);
	struct ctl_account_stats s;
};

static int on_account(void *ctx, const struct q_number *n)
{
	struct ctl_account_stats *s = ctx;

	if (s->n == s->cap) {
		s->cap = s->cap ? s->cap * 2 : 64;
		s->v = x_realloc(s->v, s->cap, sizeof(*s->v));
	}
	struct account_number *a = &s->v[s->n++];
	*a = (struct account_number){ .value = n->value, .at_ms = n->at_ms };
	(void)str_copy(a->name, sizeof(a->name), n->name);
	(void)str_copy(a->channel, sizeof(a->channel), n->channel);
	(void)str_copy(a->account, sizeof(a->account), n->account);
	return 0;
}

void ctl_account_stats_put(
	const struct ctl_account_stats *s, const char *channel, const char *account, cJSON *o)
{
	cJSON *all = NULL;
	int64_t at = 0;

	for (size_t i = 0; i < s->n; i++) {
		const struct account_number *a = &s->v[i];
		if (strcmp(a->channel, channel) != 0 || strcmp(a->account, account) != 0)
			continue;
		if (!all)
			all = json_obj();
		json_put_i64(all, a->name, a->value);
		at = a->at_ms > at ? a->at_ms : at;
	}
	if (all)
		json_put(o, "stats", all);
	else
		json_put_z(o, "stats", NULL);
	ctl_put_time(o, "stats_at", at);
}

static int read_accounts(struct ctl_job *j, struct store_reader *r, struct err *e)
{
	struct listing *l = CONTAINER_OF(j, struct listing, j);
	int rc = q_account_stats(r, on_account, &l->s);

	return rc < 0 ? err_set(e, rc, "the numbers of accounts cannot be read") : 0;
}

static void accounts_now(struct ctl_job *j)
{
	struct listing *l = CONTAINER_OF(j, struct listing, j);

	if (j->rc)
		ctl_answer(j->c, j->rc, &j->e, NULL);
	else
		l->then(j->c, &l->s);
	free(l->s.v);
	free(l);
}

void ctl_account_stats_read(
	struct ctl_call *c, void (*then)(struct ctl_call *c, const struct ctl_account_stats *s))
{
	struct listing *l = x_calloc(1, sizeof(*l));

	l->j.c = c;
	l->j.read = read_accounts;
	l->j.then = accounts_now;
	l->then = then;
	ctl_job_start(&l->j);
}
