/* channel_op.c - ops from dispatch to the adapter: started in batches, told GO, cancelled, and what is on the wire. Loop thread. */
#include <stdlib.h>
#include <string.h>
#include "base/log.h"
#include "channel/channel_internal.h"

#define START_MAX 1024

static bool shared(const struct chan_account *a)
{
	return (a->ch->ad->caps & LT_CAP_SHARED_SESSION) != 0;
}

static struct chan_session *session_for(struct chan_account *a, size_t n)
{
	LIST_FOR(&a->sessions, it)
	{
		struct chan_session *s = CONTAINER_OF(it, struct chan_session, node);
		if (s->counted >= (shared(a) ? n : 1))
			return s;
		if (!shared(a))
			return NULL; /* idle ones stand in front */
	}
	return NULL;
}

static void work_fill(struct lt_work *w, const struct chan_op *op)
{
	*w = (struct lt_work){ .struct_size = sizeof(*w),
		.try_no = op->try_no,
		.delivery = op->delivery,
		.attempt = op->attempt,
		.release = op->release,
		.deadline_ms = op->deadline_mono_ms,
		.since_ms = op->since_wall_ms,
		.address = lt_of(op->address),
		.ref = lt_of(op->ref),
		.credential = lt_of(op->credential),
		.payload = op->payload ? op->payload->src : NULL,
		.n_payload = op->payload ? op->payload->n : 0,
		.payload_bytes = op->payload ? op->payload->bytes : 0,
		.batch_key = op->batch_key,
		.steps = op->steps,
		.n_steps = op->n_steps,
		.ids = op->ids,
		.n_ids = op->n_ids };
}

static struct job *op_job(struct chan_account *a, struct chan_session *s, struct chan_op *op)
{
	uint32_t kind = op->kind ? op->kind : LT_J_OP;
	const struct lt_adapter *ad = a->ch->ad;
	struct job *j = job_new(a, kind,
		kind == LT_J_OP                        ? ad->op_size
			: ad->other_size > ad->op_size ? ad->other_size
						       : ad->op_size,
		sizeof(struct job));
	j->session = s;
	j->op = op;
	j->pub.session = &s->job.pub;
	/* A recall is begun by a committed row of its own. */
	j->intent_open = kind == LT_J_RECALL ||
		((kind == LT_J_OP || kind == LT_J_CORRECT) && (ad->caps & LT_CAP_INTENT_AT_START));
	work_fill(&j->work, op);
	op->host[0] = j;
	list_push(&s->ops, &j->node);
	s->n_ops++;
	s->worked = true;
	if (op->deadline_mono_ms)
		timer_set(a->ch->cs->env, &j->deadline, op->deadline_mono_ms);
	return j;
}

int channel_start(struct chan_account *a, struct chan_op **ops, size_t n)
{
	struct lt_job *jobs[START_MAX];
	const struct lt_work *works[START_MAX];
	struct job *own[START_MAX];
	struct channels *cs = a->ch->cs;
	if (!n || n > START_MAX || (n > 1 && !(a->ch->ad->caps & LT_CAP_BATCH)))
		return -EINVAL;
	struct chan_session *s = cs->closing ? NULL : session_for(a, n);
	if (!s)
		return -EAGAIN;
	for (size_t i = 0; i < n; i++) {
		own[i] = op_job(a, s, ops[i]);
		own[i]->holds++; /* the adapter may finish one inside start */
		jobs[i] = &own[i]->pub;
		works[i] = &own[i]->work;
	}
	if (shared(a))
		s->credits -= (uint32_t)n;
	session_count(s);
	session_touch(s);
	int rc = jobs_start(a, jobs, works, n);
	for (size_t i = 0; i < n; i++) {
		own[i]->holds--;
		if (rc < 0 && !own[i]->finished)
			job_end_by_rule(own[i], rc, "the adapter did not take it");
	}
	if (rc < 0)
		log_line(LOG_WARN, "ev=adapter.start_failed ch=%s acct=%s n=%zu rc=%d",
			a->ch->conf->name, a->conf->name, n, rc);
	return 0;
}

static struct job *job_of_op(const struct chan_op *op)
{
	struct job *j = op->host[0];
	return j && j->magic == JOB_MAGIC && j->op == op && !j->finished ? j : NULL;
}

void channel_op_go(struct chan_op *op, bool go)
{
	struct job *j = job_of_op(op);
	struct lt_event ev = { .struct_size = sizeof(ev), .type = go ? LT_EV_GO : LT_EV_CANCEL };
	if (!j || !j->intent_asked)
		return;
	j->intent_asked = false;
	if (go && !j->cancelled) {
		j->intent_open = true;
	} else {
		j->cancelled = true;
		ev.type = LT_EV_CANCEL;
	}
	session_touch(j->session);
	job_event(j, &ev);
}

void channel_op_cancel(struct chan_op *op)
{
	struct job *j = job_of_op(op);
	struct lt_event ev = { .struct_size = sizeof(ev), .type = LT_EV_CANCEL };
	if (!j || j->cancelled)
		return;
	j->cancelled =
		true; /* from here on a publishing write is refused, whatever the adapter does */
	session_touch(j->session);
	job_event(j, &ev);
}

bool channel_saved(struct channels *cs, uint64_t ticket, int error)
{
	struct ticket *t = map64_del(cs->tickets, ticket);
	if (!t)
		return false;
	struct job *j = t->job;
	struct refresh *r = t->refresh;
	struct lt_event ev = {
		.struct_size = sizeof(ev), .type = LT_EV_SAVED, .token = t->token, .error = error
	};
	free(t);
	if (r) {
		refresh_committed(r, error);
		return true;
	}
	j->holds--;
	if (j->finished) {
		webhook_saved(j, error);
		channels_kick(cs);
		return true;
	}
	job_touch(j);
	job_event(j, &ev);
	webhook_saved(j, error);
	return true;
}

void channel_limit(struct chan_account *a, uint32_t ops)
{
	if (a->limit == ops && (ops == 0 || !list_empty(&a->sessions) || timer_is_set(&a->again)))
		return;
	a->limit = ops;
	account_sessions(a);
}

bool channel_op_on_wire(const struct chan_op *op)
{
	const struct job *j = job_of_op(op);
	return j && j->publishing;
}

void channel_op_stop(struct chan_op *op)
{
	struct job *j = job_of_op(op);
	if (j)
		j->stopped = true;
}

size_t channel_ops_on_wire(struct chan_account *a)
{
	size_t n = 0;
	LIST_FOR(&a->sessions, it)
	{
		struct chan_session *s = CONTAINER_OF(it, struct chan_session, node);
		LIST_FOR(&s->ops, o)
		n += CONTAINER_OF(o, struct job, node)->publishing;
	}
	return n;
}
