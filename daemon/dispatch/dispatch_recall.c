/* dispatch_recall.c - asks providers to take back what was published: asked and begun are committed before the call, its end is a fact
 * beside the delivery. To take the same thing back twice does no harm, so what a crash left under way is asked anew.
 * Thread: loop; due rows are read on a worker. Owns: struct drecall, at most RECALLS_MAX. Must not know: SQL, providers.
 * Failures: put off with a pause that doubles, RECALL_TRIES times; then "unknown", with the provider's last words. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/log.h"
#include "dispatch/dispatch_internal.h"
#include "dispatch/dispatch_recall.h"

#define RECALLS_MAX    16
#define RECALL_TRIES   10
#define RECALL_SOON_MS 200
#define RECALL_WAIT_MS 5000

struct drecall {
	struct list node; /* drecalls.on */
	struct dispatch *d;
	struct dlane *lane;
	struct chan_op op;
	struct store_recall_begin begin;
	struct store_recall_end end;
	int64_t delivery, release, asked_ms, due_ms, tries;
	int dlv_state;
	char address[320], ref[24], idtext[RECALL_IDS_MAX];
	struct lt_id ids[D_IDS_MAX];
	size_t n_ids;
	struct lt_pair *steps; /* one block with its text */
	size_t n_steps;
	int64_t lane_id;
};
struct drecalls {
	struct dispatch *d;
	struct list on; /* begun, or being begun */
	size_t n_on;
	struct timer timer;
	struct work work;
	struct store_recall_begin anew;
	bool reading, recovered, recovering;
	struct drecall *row[RECALLS_MAX]; /* read, not yet begun */
	size_t n_row;
	int64_t now_ms, next_ms;
	int64_t after_ms,
		after_id; /* a round goes on behind what could not be asked now; 0: the next one begins */
	int64_t wait_ms; /* those may be asked in so long, at the earliest; 0: there are none */
	int rc;
};

static void kick_in(struct drecalls *s, int64_t ms)
{
	int64_t at = env_mono(s->d->o.env) + ms;

	if (!s->d->stopping && (!timer_is_set(&s->timer) || s->timer.at_ms > at))
		timer_set(s->d->o.env, &s->timer, at);
}

static void recall_free(struct drecall *r)
{
	free(r->steps);
	free(r);
}

/* --- its end ------------------------------------------------------------------------------------------------------------- */

static void on_ended(struct store_cmd *cmd)
{
	struct drecall *r = CONTAINER_OF(cmd, struct drecall, end.cmd);
	struct dispatch *d = r->d;

	if (cmd->rc)
		log_line(LOG_ERROR,
			"ev=recall.unstored msg=%lld rc=%d asked again at the next start",
			(long long)r->delivery, cmd->rc);
	list_del(&r->node);
	d->recalls->n_on--;
	recall_free(r);
	kick_in(d->recalls, RECALL_SOON_MS);
	cmd_end(d);
}

static void end(
	struct drecall *r, enum recall_state to, int64_t pause_ms, struct str code, struct str said)
{
	struct dispatch *d = r->d;

	store_recall_end_init(&r->end);
	r->end.delivery = r->delivery;
	r->end.to = to;
	r->end.due_ms = env_wall(d->o.env) + pause_ms;
	(void)str_copy(r->end.code, sizeof(r->end.code), code);
	(void)str_copy(r->end.said, sizeof(r->end.said), said);
	r->end.cmd.done = on_ended;
	log_line(LOG_INFO, "ev=recall.end msg=%lld to=%s try=%lld code=%s said=%s",
		(long long)r->delivery, LOG_Q(str_of(recall_state_name((int)to))),
		(long long)r->tries + 1, LOG_Q(code), LOG_Q(said));
	store_submit_or_done(d->o.store, &r->end.cmd);
}

static void again(struct drecall *r, const struct chan_result *res)
{
	int64_t pause = INT64_C(5000) << (r->tries < 7 ? r->tries : 7);

	if (r->tries + 1 >= RECALL_TRIES)
		end(r, RECALL_UNKNOWN, 0, res->code, res->text);
	else
		end(r, RECALL_ASKED, res->retry_after_ms > pause ? res->retry_after_ms : pause,
			res->code, res->text);
}

void recall_done(struct chan_op *op, const struct chan_result *res)
{
	struct drecall *r = CONTAINER_OF(op, struct drecall, op);

	r->d->n_recons--;
	if (res->outcome == LT_ACCEPTED)
		end(r, RECALL_GONE, 0, res->code, res->text);
	else if (res->outcome == LT_REFUSED ||
		(res->outcome == LT_DEFERRED && (res->flags & LT_R_PERSON)))
		end(r, RECALL_REFUSED, 0, res->code, res->text);
	else
		again(r, res);
}

/* --- its begin ----------------------------------------------------------------------------------------------------------- */

static void ids_split(struct drecall *r)
{
	struct str rest = str_of(r->idtext), line, effect;
	int64_t e = 0;

	while (r->n_ids < D_IDS_MAX && str_next(&rest, '\n', &line))
		if (str_next(&line, ':', &effect) && str_i64(effect, 0, 1000, &e) == 0)
			r->ids[r->n_ids++] = (struct lt_id){ (uint32_t)e, LT_ACCEPTED,
				{ line.p, line.n } };
}

static void on_begun(struct store_cmd *cmd)
{
	struct drecall *r = CONTAINER_OF(cmd, struct drecall, begin.cmd);
	struct dispatch *d = r->d;
	struct dacct *a = r->lane->acct;
	struct chan_op *op = &r->op;

	if (cmd->rc || !r->begin.begun) {
		list_del(&r->node);
		d->recalls->n_on--;
		recall_free(r);
		kick_in(d->recalls, RECALL_WAIT_MS);
		cmd_end(d);
		return;
	}
	ids_split(r);
	ref_make(d->o.store, r->delivery, r->ref);
	r->op = (struct chan_op){ .delivery = (uint64_t)r->delivery,
		.attempt = (uint64_t)r->delivery << 8,
		.release = (uint64_t)r->release,
		.try_no = (uint32_t)r->tries + 1,
		.ref = str_of(r->ref),
		.address = str_of(r->address),
		.credential = str_of(a->conf ? a->conf->credential : NULL),
		.deadline_mono_ms = env_mono(d->o.env) + 120000,
		.since_wall_ms = r->asked_ms,
		.ids = r->ids,
		.n_ids = r->n_ids,
		.steps = r->steps,
		.n_steps = r->n_steps,
		.kind = LT_J_RECALL };
	if (d->stopping || !a->acct || channel_start(a->acct, &op, 1) != 0) {
		end(r, RECALL_ASKED, 1000, STR(""), STR("not begun"));
		return;
	}
	lane_took(r->lane);
	d->n_recons++;
}

static void begin(struct drecall *r)
{
	struct dispatch *d = r->d;

	list_push(&d->recalls->on, &r->node);
	d->recalls->n_on++;
	cmd_begin(d); /* until its end is stored */
	store_recall_begin_init(&r->begin);
	r->begin.delivery = r->delivery;
	r->begin.cmd.done = on_begun;
	store_submit_or_done(d->o.store, &r->begin.cmd);
}

/* Ends without a call. */
static void settle_now(struct drecall *r, enum recall_state to, const char *said)
{
	list_push(&r->d->recalls->on, &r->node);
	r->d->recalls->n_on++;
	cmd_begin(r->d);
	end(r, to, 0, STR(""), str_of(said));
}

/* One is passed over: it is looked at again by the next round. */
static void later(struct drecalls *s, int64_t ms)
{
	if (!s->wait_ms || ms < s->wait_ms)
		s->wait_ms = ms;
}

/* A pause of the lane, of its provider or of a person holds recalls too; hours and holds of a release do not. */
static bool lane_ready(struct drecalls *s, struct dlane *l)
{
	struct dacct *a = l->acct;
	int64_t wait = 0;

	if (!a->acct || l->held || cred_parked(a) || l->until_ms > env_wall(s->d->o.env)) {
		later(s, RECALL_WAIT_MS);
		return false;
	}
	if (a->limit_told == 0) {
		a->limit_told = 1;
		channel_limit(a->acct, 1);
	}
	if (a->credits == 0 || !lane_has_token(l, &wait)) {
		later(s, wait > RECALL_SOON_MS ? wait : RECALL_SOON_MS);
		return false;
	}
	return true;
}

static bool is_on(const struct drecalls *s, int64_t delivery)
{
	LIST_FOR(&s->on, n)
	if (CONTAINER_OF(n, struct drecall, node)->delivery == delivery)
		return true;
	return false;
}

/* False: there is no room for it now. */
static bool take(struct drecalls *s, struct drecall *r)
{
	struct dlane *l = lane_find(s->d, r->lane_id);

	r->lane = l;
	if (s->n_on >= RECALLS_MAX) {
		recall_free(r);
		return false;
	}
	if (s->d->stopping || is_on(s, r->delivery)) {
		recall_free(r);
	} else if (r->dlv_state == DLV_SENDING || !l) {
		recall_free(r); /* its own end is awaited */
		later(s, RECALL_WAIT_MS);
	} else if (r->dlv_state != DLV_ACCEPTED && r->dlv_state != DLV_DELIVERED &&
		r->dlv_state != DLV_UNKNOWN && r->dlv_state != DLV_DOUBT) {
		settle_now(r, RECALL_UNNEEDED, "it had not gone out");
	} else if (l->acct->acct && !(l->acct->chan->caps & LT_CAP_RECALL)) {
		settle_now(r, RECALL_REFUSED, "this channel cannot take back by itself");
	} else if (lane_ready(s, l)) {
		begin(r);
	} else {
		recall_free(r);
	}
	return true;
}

/* --- reading ------------------------------------------------------------------------------------------------------------- */

static int on_row(void *ctx, const struct recall_row *x)
{
	struct drecalls *s = ctx;
	struct drecall *r = x_calloc(1, sizeof(*r));
	size_t total = x->n_steps * sizeof(struct lt_pair);

	r->d = s->d;
	r->delivery = x->delivery;
	r->release = x->release;
	r->lane_id = x->lane;
	r->asked_ms = x->asked_ms;
	r->due_ms = x->due_ms;
	r->tries = x->tries;
	r->dlv_state = x->dlv_state;
	list_init(&r->node);
	(void)str_copy(r->address, sizeof(r->address), x->address);
	memcpy(r->idtext, x->ids, sizeof(r->idtext));
	for (size_t i = 0; i < x->n_steps; i++)
		total += x->steps[i].name.n + x->steps[i].value.n;
	if (x->n_steps) {
		r->steps = x_calloc(1, total);
		r->n_steps = x->n_steps;
		char *at = (char *)(r->steps + x->n_steps);
		for (size_t i = 0; i < x->n_steps; i++) {
			memcpy(at, x->steps[i].name.p, x->steps[i].name.n);
			r->steps[i].name = (struct lt_str){ at, x->steps[i].name.n };
			at += x->steps[i].name.n;
			memcpy(at, x->steps[i].value.p, x->steps[i].value.n);
			r->steps[i].value = (struct lt_str){ at, x->steps[i].value.n };
			at += x->steps[i].value.n;
		}
	}
	s->row[s->n_row++] = r;
	return 0;
}

static void read_run(struct work *w)
{
	struct drecalls *s = CONTAINER_OF(w, struct drecalls, work);
	struct store_reader *r;

	s->rc = store_reader_open(s->d->o.store, &r);
	if (s->rc)
		return;
	s->rc = store_recall_due(
		r, s->now_ms, s->after_ms, s->after_id, RECALLS_MAX, on_row, s, &s->next_ms);
	store_reader_close(r);
}

/* What was read is begun, or passed over; a round that is at its end begins anew when something may be asked again. */
static void rows_take(struct drecalls *s)
{
	bool all = s->n_row < RECALLS_MAX, room = true;

	for (size_t i = 0; i < s->n_row; i++) {
		int64_t due = s->row[i]->due_ms, delivery = s->row[i]->delivery;
		room = take(s, s->row[i]) && room;
		if (!room)
			continue; /* an end kicks again */
		s->after_ms = due;
		s->after_id = delivery;
	}
	s->n_row = 0;
	if (!all && room)
		kick_in(s, RECALL_SOON_MS);
	if (!all || !room)
		return;
	s->after_ms = s->after_id = 0;
	if (s->wait_ms)
		kick_in(s, s->wait_ms);
	s->wait_ms = 0;
}

static void read_ran(struct work *w)
{
	struct drecalls *s = CONTAINER_OF(w, struct drecalls, work);
	struct dispatch *d = s->d;

	s->reading = false;
	if (s->rc)
		kick_in(s, RECALL_WAIT_MS);
	else if (s->next_ms)
		kick_in(s, s->next_ms > s->now_ms ? s->next_ms - s->now_ms : RECALL_SOON_MS);
	rows_take(s);
	cmd_end(d);
}

static void on_anew(struct store_cmd *cmd)
{
	struct drecalls *s = CONTAINER_OF(cmd, struct drecalls, anew.cmd);
	struct dispatch *d = s->d;

	s->recovering = false;
	s->recovered = cmd->rc == 0;
	kick_in(s, s->recovered ? RECALL_SOON_MS : RECALL_WAIT_MS);
	cmd_end(d);
}

static void recover(struct drecalls *s)
{
	s->recovering = true;
	store_recall_begin_init(&s->anew);
	s->anew.cmd.done = on_anew;
	cmd_begin(s->d);
	store_submit_or_done(s->d->o.store, &s->anew.cmd);
}

static void on_timer(struct timer *t)
{
	struct drecalls *s = CONTAINER_OF(t, struct drecalls, timer);
	struct dispatch *d = s->d;

	if (d->stopping || s->reading || s->recovering)
		return;
	if (!d->ready) {
		kick_in(s, RECALL_SOON_MS);
		return;
	}
	if (!s->recovered) {
		recover(s);
		return;
	}
	if (s->n_on >= RECALLS_MAX)
		return; /* an end kicks again */
	s->reading = true;
	s->next_ms = 0;
	s->now_ms = env_wall(d->o.env);
	s->work = (struct work){ .fn = read_run, .done = read_ran };
	cmd_begin(d);
	env_work(d->o.env, &s->work);
}

/* --- asking -------------------------------------------------------------------------------------------------------------- */

struct recall_ask {
	struct store_recall_ask c;
	struct dispatch *d;
	char subject[200], person[80], via[200], why[400];
	char *channels; /* owned */
	void (*done)(
		void *ctx, int rc, const struct err *e, int64_t asked, const int64_t by_kind[16]);
	void *ctx;
};

static void on_asked(struct store_cmd *cmd)
{
	struct recall_ask *a = CONTAINER_OF(cmd, struct recall_ask, c.cmd);
	struct dispatch *d = a->d;

	a->done(a->ctx, cmd->rc, cmd->rc ? &cmd->err : NULL, a->c.asked, a->c.by_kind);
	free(a->channels);
	d_free(a);
	kick_in(d->recalls, 0);
	cmd_end(d);
}

/* Those that can take back, as JSON; names of channels need no escaping but for the quote and the backslash. */
static char *channels_that_can(struct dispatch *d)
{
	struct buf b;
	size_t n;

	buf_init(&b, 1u << 20);
	(void)buf_addc(&b, '[');
	for (size_t i = 0; i < d->conf->n_channels; i++) {
		const char *name = d->conf->channels[i]->name;
		struct channel *c = d->channels ? channels_find(d->channels, name) : NULL;
		if (!c || !(channel_caps(c) & LT_CAP_RECALL) || strpbrk(name, "\"\\"))
			continue;
		(void)buf_addf(&b, "%s\"%s\"", b.n > 1 ? "," : "", name);
	}
	(void)buf_addc(&b, ']');
	return buf_take(&b, &n);
}

void dispatch_recall(struct dispatch *d, const struct recall_request *r)
{
	struct recall_ask *a = d_alloc(d, sizeof(*a));

	a->d = d;
	a->done = r->done;
	a->ctx = r->ctx;
	a->channels = channels_that_can(d);
	(void)str_copy(a->subject, sizeof(a->subject), str_of(r->subject));
	(void)str_copy(a->person, sizeof(a->person), str_of(r->person));
	(void)str_copy(a->via, sizeof(a->via), str_of(r->via));
	(void)str_copy(a->why, sizeof(a->why), str_of(r->why));
	store_recall_ask_init(&a->c);
	a->c.release = r->release_id;
	a->c.office = r->office_id;
	a->c.part = r->part;
	a->c.channels = a->channels;
	a->c.subject = a->subject;
	a->c.person = a->person;
	a->c.via = a->via;
	a->c.why = a->why;
	a->c.cmd.done = on_asked;
	cmd_begin(d);
	int sent = store_submit(d->o.store, &a->c.cmd);
	if (sent) {
		a->c.cmd.rc = err_set(
			&a->c.cmd.err, sent, "the store takes nothing now (%d)", sent);
		on_asked(&a->c.cmd);
	}
}

void recalls_init(struct dispatch *d)
{
	struct drecalls *s = d->recalls = x_calloc(1, sizeof(*s));

	s->d = d;
	list_init(&s->on);
	timer_init(&s->timer, on_timer);
}

void recalls_start(struct dispatch *d)
{
	kick_in(d->recalls, RECALL_SOON_MS);
}

void recalls_stop(struct dispatch *d)
{
	timer_stop(d->o.env, &d->recalls->timer);
}

void recalls_free(struct dispatch *d)
{
	struct drecalls *s = d->recalls;

	if (!s)
		return;
	timer_stop(d->o.env, &s->timer);
	LIST_FOR_SAFE(&s->on, n, nx)
	{
		struct drecall *r = CONTAINER_OF(n, struct drecall, node);
		list_del(&r->node);
		recall_free(r);
	}
	for (size_t i = 0; i < s->n_row; i++)
		recall_free(s->row[i]);
	free(s);
	d->recalls = NULL;
}
