/* dispatch_act.c - acts on single deliveries, in commands of at most SQ_ACT_MAX, one after the other.
 * Thread: loop. Owns: the list of the request until it is done. Must not know: SQL.
 * The writer checks each row; what is in memory only as a lease is decided by the guard of its intent.
 * Failures: a command that fails ends the request with its code; what was changed before stays and is counted. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "dispatch/dispatch_internal.h"

#define ACT_MAX 10000

struct act {
	struct sq_act c;
	struct dispatch *d;
	int64_t *v;
	size_t n, at, changed, refused;
	struct err refused_text;
	void (*done)(void *ctx, int rc, const struct err *e, size_t changed, size_t refused);
	void *ctx;
	int rc;
	struct task end;
};

static void act_next(struct act *a);

static void act_over(struct task *t)
{
	struct act *a = CONTAINER_OF(t, struct act, end);
	struct dispatch *d = a->d;

	if (a->changed) {
		dispatch_scan(d);
		progress_note(d, 0, 0); /* lots that are in memory no more may be at rest now */
	}
	if (a->done)
		a->done(a->ctx, a->rc, &a->refused_text, a->changed, a->refused);
	d_free(a->v);
	d_free(a->c.moved);
	d_free(a);
	cmd_end(d);
}

/* A cancelled delivery that is leased here must not wait for its guard. */
static void leases_drop(struct act *a)
{
	for (size_t i = 0; i < a->c.n_moved; i++) {
		struct dcopy *c = map64_get(a->d->copy_by_id, (uint64_t)a->c.moved[i]);
		if (c && (c->state == CP_INTENT || c->state == CP_GO))
			c->revoke = true;
		else if (c && c->state == CP_READY)
			lot_drop_ready(c->lot);
	}
}

static void on_acted(struct store_cmd *cmd)
{
	struct act *a = CONTAINER_OF(cmd, struct act, c.cmd);

	if (cmd->rc) {
		a->rc = cmd->rc;
		a->refused_text = cmd->err;
		env_defer(a->d->o.env, &a->end);
		return;
	}
	leases_drop(a);
	a->changed += a->c.n_moved;
	a->refused += a->c.n - a->c.n_moved;
	if (a->c.refused[0] && !a->refused_text.text[0])
		(void)err_set(&a->refused_text, 0, "%s", a->c.refused);
	a->at += a->c.n;
	act_next(a);
}

static void act_next(struct act *a)
{
	size_t left = a->n - a->at;

	if (left == 0) {
		env_defer(a->d->o.env, &a->end);
		return;
	}
	a->c.v = a->v + a->at;
	a->c.n = left < SQ_ACT_MAX ? left : SQ_ACT_MAX;
	sq_act_init(&a->c);
	a->c.cmd.done = on_acted;
	int sent = store_submit(
		a->d->o.store, &a->c.cmd); /* from here on the command is the store's */
	if (sent) {
		a->c.cmd.rc = sent;
		a->rc = err_set(&a->refused_text, a->c.cmd.rc, "the store takes no commands now");
		env_defer(a->d->o.env, &a->end);
	}
}

static enum sq_act_verb verb_of(enum act_verb v)
{
	switch (v) {
	case ACT_RETRY: return SQ_RETRY;
	case ACT_RESOLVE_SENT: return SQ_SENT;
	case ACT_RESOLVE_ABSENT: return SQ_ABSENT;
	case ACT_RESOLVE_DROP: return SQ_DROP;
	case ACT_CANCEL: return SQ_ACT_CANCEL;
	}
	return SQ_ACT_CANCEL;
}

void dispatch_act(struct dispatch *d, const struct act_request *r)
{
	struct act *a = d_alloc(d, sizeof(*a));

	a->d = d;
	a->done = r->done;
	a->ctx = r->ctx;
	task_init(&a->end, act_over);
	cmd_begin(d);
	if (r->n > ACT_MAX) {
		a->rc = err_set(
			&a->refused_text, -E2BIG, "at most %d deliveries in one act", ACT_MAX);
		env_defer(d->o.env, &a->end);
		return;
	}
	a->n = r->n;
	a->v = d_alloc(d, (r->n ? r->n : 1) * sizeof(*a->v));
	a->c.moved = d_alloc(d, SQ_ACT_MAX * sizeof(*a->c.moved));
	if (r->n)
		memcpy(a->v, r->deliveries, r->n * sizeof(*a->v));
	a->c.verb = verb_of(r->verb);
	(void)str_copy(a->c.person, sizeof(a->c.person), str_of(r->person));
	(void)str_copy(a->c.via, sizeof(a->c.via), str_of(r->via));
	(void)str_copy(a->c.why, sizeof(a->c.why), str_of(r->why));
	(void)str_copy(a->c.link, sizeof(a->c.link), str_of(r->link));
	act_next(a);
}
