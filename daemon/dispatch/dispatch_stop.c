/* dispatch_stop.c - hold, resume, cancel, pause: a stop is a stop.
 * Thread: loop. Owns: one request until its commit. Must not know: SQL.
 * Order: in memory first, so that from the return on nothing of the scope starts; committed but unused intents go back;
 * running ops are told to stop before their next publishing byte; then the commit; then the answer, with how many the
 * kernel already has. Failures: a commit that fails takes the stop back in memory, and the answer says so. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/log.h"
#include "dispatch/dispatch_internal.h"

struct stop {
	struct sq_stop c;
	struct dispatch *d;
	struct stop_request r;
	struct sq_gate gate; /* hold, pause: as it stands in memory until the scan has it */
	int64_t on_wire;
	struct task refused;
};

/* "[1,2]": the channels of a kind. */
static void channels_of(struct dispatch *d, int kind, char *dst, size_t size)
{
	size_t n = (size_t)snprintf(dst, size, "["), at = 0;
	uint64_t key;
	void *v;

	while (map64_next(d->chan_by_id, &at, &key, &v)) {
		const struct dchan *c = v;
		if (!c->conf || (int)c->conf->kind != kind || n + 24 > size)
			continue;
		n += (size_t)snprintf(
			dst + n, size - n, "%s%llu", n > 1 ? "," : "", (unsigned long long)key);
	}
	(void)snprintf(dst + n, size - n, "]");
}

static void scope_of(struct dispatch *d, const struct stop_scope *s, struct sq_scope *ret)
{
	*ret = (struct sq_scope){ .release = s->release_id,
		.office = s->office_id,
		.campaign = s->campaign_id,
		.lane = s->lane_id,
		.channel = s->channel_id,
		.part = s->part,
		.kind = s->kind,
		.all = s->all };
	(void)str_copy(ret->text, sizeof(ret->text), str_of(s->text));
	if (s->kind)
		channels_of(d, s->kind, ret->channels_json, sizeof(ret->channels_json));
}

static void gate_of(struct stop *s)
{
	const struct sq_scope *c = &s->c.scope;

	s->gate = (struct sq_gate){ .id = -1,
		.release = c->release,
		.office = c->office,
		.campaign = c->campaign,
		.lane = c->lane,
		.channel = c->channel,
		.part = c->part,
		.kind = c->kind,
		.all = c->all,
		.except_prio = s->r.verb == STOP_CANCEL ? -1 : s->r.except_prio,
		.until_ms = s->r.verb == STOP_CANCEL ? 0 : s->r.until_ms };
	(void)str_copy(s->gate.person, sizeof(s->gate.person), str_of(s->c.person));
	(void)str_copy(s->gate.why, sizeof(s->gate.why), str_of(s->c.why));
}

bool copy_stop(struct dcopy *c)
{
	if (c->state == CP_INTENT || c->state == CP_GO) {
		c->revoke = true;
		lane_kick(c->lot->lane);
	} else if (c->state == CP_ON) {
		c->revoke = true; /* a further step of it gets no intent */
		if (channel_op_on_wire(&c->op)) {
			channel_op_stop(&c->op);
			return true;
		}
		channel_op_cancel(&c->op);
	}
	return false;
}

/* Copies of the stopped lots; returns how many the kernel may already have. */
static int64_t copies_stop(struct dispatch *d, const struct sq_gate *g)
{
	int64_t on_wire = 0;
	size_t at = 0;
	uint64_t key;
	void *v;

	while (map64_next(d->copy_by_id, &at, &key, &v)) {
		struct dcopy *c = v;
		if (c->lot && gate_covers(d, g, c->lot))
			on_wire += copy_stop(c);
	}
	return on_wire;
}

/* Those that wait for their start are revoked here and now, so that the answer's transaction follows theirs. */
static void go_stop(struct dispatch *d)
{
	LIST_FOR(&d->lanes, ln)
	{
		struct dlane *l = CONTAINER_OF(ln, struct dlane, node);
		LIST_FOR_SAFE(&l->go, n, nx)
		{
			struct dcopy *c = CONTAINER_OF(n, struct dcopy, node);
			if (!c->revoke)
				continue;
			list_del(&c->node);
			l->n_go--;
			copy_revoke(c);
		}
	}
}

void dispatch_release_void(struct dispatch *d, int64_t release_id)
{
	const struct sq_gate g = { .release = release_id, .part = -1, .except_prio = -1 };

	LIST_FOR(&d->lots, n)
	{
		struct dlot *l = CONTAINER_OF(n, struct dlot, node);
		if (l->release == release_id)
			l->approved = false;
	}
	int64_t on_wire = copies_stop(d, &g);
	go_stop(d);
	lots_regate(d);
	log_line(LOG_INFO, "ev=release.void release=%lld on_wire=%lld", (long long)release_id,
		(long long)on_wire);
	d->stop_seq++; /* a scan that began before the commit would say otherwise */
	dispatch_scan(d);
	dispatch_kick(d);
}

static void memory_stop(struct stop *s)
{
	struct dispatch *d = s->d;

	if (s->r.verb == STOP_CANCEL) {
		LIST_FOR(&d->lots, n)
		{
			struct dlot *l = CONTAINER_OF(n, struct dlot, node);
			if (gate_covers(d, &s->gate, l))
				l->cancelled_mem = true;
		}
	} else {
		d->gates = x_realloc(d->gates, d->n_gates + 1, sizeof(*d->gates));
		d->gates[d->n_gates++] = s->gate;
	}
	s->on_wire = copies_stop(d, &s->gate);
	go_stop(d);
	lots_regate(d);
}

static void memory_undo(struct stop *s)
{
	struct dispatch *d = s->d;

	if (s->r.verb == STOP_CANCEL) {
		LIST_FOR(&d->lots, n)
		{
			struct dlot *l = CONTAINER_OF(n, struct dlot, node);
			if (gate_covers(d, &s->gate, l))
				l->cancelled_mem = false;
		}
	}
	for (size_t i = d->n_gates; i-- > 0;)
		if (d->gates[i].id == -1 && strcmp(d->gates[i].why, s->gate.why) == 0 &&
			d->gates[i].release == s->gate.release &&
			d->gates[i].lane == s->gate.lane &&
			d->gates[i].channel == s->gate.channel) {
			memmove(&d->gates[i], &d->gates[i + 1],
				(d->n_gates - i - 1) * sizeof(d->gates[0]));
			d->n_gates--;
			break;
		}
	lots_regate(d);
}

static void on_stopped(struct store_cmd *cmd)
{
	struct stop *s = CONTAINER_OF(cmd, struct stop, c.cmd);
	struct dispatch *d = s->d;

	d->stops_busy--;
	d->stop_seq++;
	if (cmd->rc && s->r.verb != STOP_RESUME)
		memory_undo(s);
	log_line(cmd->rc ? LOG_ERROR : LOG_INFO,
		"ev=stop.done verb=%s scope=%s person=%s code=%d lots=%lld deliveries=%lld on_wire=%lld",
		s->c.what, LOG_Q(str_of(s->c.scope.text)), LOG_Q(str_of(s->c.person)), cmd->rc,
		(long long)s->c.ret_lots, (long long)s->c.ret_deliveries, (long long)s->on_wire);
	dispatch_scan(d);
	if (s->r.ret_lifted)
		*s->r.ret_lifted = cmd->rc ? 0 : s->c.ret_lifted;
	if (s->r.done)
		s->r.done(s->r.ctx, cmd->rc, &cmd->err, s->c.ret_lots, s->c.ret_deliveries,
			s->on_wire);
	d_free(s);
	dispatch_kick(d);
	cmd_end(d);
}

static void on_not_taken(struct task *t)
{
	on_stopped(&CONTAINER_OF(t, struct stop, refused)->c.cmd);
}

static const char *verb_word(const struct stop_request *r)
{
	bool lane = r->scope.lane_id || r->scope.channel_id;

	switch (r->verb) {
	case STOP_HOLD: return lane ? "lane.hold" : "lot.hold";
	case STOP_RESUME: return lane ? "lane.resume" : "lot.resume";
	case STOP_CANCEL: return "lot.cancel";
	case STOP_PAUSE: return r->scope.lane_id ? "lane.pause" : "channel.pause";
	}
	return "lot.hold";
}

void dispatch_stop_scope(struct dispatch *d, const struct stop_request *r)
{
	struct stop *s = d_alloc(d, sizeof(*s));

	s->d = d;
	s->r = *r;
	s->c.verb = r->verb == STOP_RESUME ? SQ_RESUME
		: r->verb == STOP_CANCEL   ? SQ_CANCEL
					   : SQ_HOLD;
	scope_of(d, &r->scope, &s->c.scope);
	for (int k = 1; r->verb == STOP_RESUME && k <= KIND_MAX; k++)
		channels_of(d, k, s->c.kind_channels[k], sizeof(s->c.kind_channels[k]));
	s->c.until_ms = r->until_ms;
	s->c.except_prio = r->except_prio;
	(void)str_copy(s->c.person, sizeof(s->c.person), str_of(r->person));
	(void)str_copy(s->c.via, sizeof(s->c.via), str_of(r->via));
	(void)str_copy(s->c.why, sizeof(s->c.why), str_of(r->why));
	s->c.what = verb_word(r);
	d->stops_busy++;
	d->stop_seq++;
	if (r->verb != STOP_RESUME) {
		gate_of(s);
		memory_stop(s);
	}
	/* The revoked intents go to the store before the stop itself: no gathering now. */
	if (!d->oc_out && !d->ic_out)
		d->turn_ms = 0;
	turn_kick(d);
	sq_stop_init(&s->c);
	s->c.cmd.done = on_stopped;
	cmd_begin(d);
	int sent = store_submit(
		d->o.store, &s->c.cmd); /* from here on the command is the store's */
	if (sent) {
		s->c.cmd.rc = sent;
		(void)err_set(&s->c.cmd.err, s->c.cmd.rc, "the store takes no commands now");
		task_init(&s->refused, on_not_taken);
		env_defer(d->o.env, &s->refused);
	}
}
