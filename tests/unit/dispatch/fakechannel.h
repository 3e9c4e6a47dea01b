/* fakechannel.h - the channel host replaced at link time: scripted answers, a ledger of what was truly published.
 * Included once by each test of dispatch; the definitions here win over those of libchannel.
 * Thread: the test's. An op is published FAKE_WIRE_MS after its start (or after its go), unless it was cancelled before.
 */
#ifndef LANTOA_TESTS_DISPATCH_FAKECHANNEL_H
#define LANTOA_TESTS_DISPATCH_FAKECHANNEL_H

#include <stdlib.h>
#include <string.h>
#include "base/assert.h"
#include "base/list.h"
#include "base/map.h"
#include "channel/channel.h"

#define FAKE_WIRE_MS  2
#define FAKE_ACCOUNTS 40

struct fake_answer {
	int outcome, scope;
	uint32_t flags;
	const char *code, *id, *text;
	uint32_t effect; /* of that id; of an unknown one it is told where it is not 0 */
	int64_t retry_after_ms, after_ms; /* after the publishing byte; 0: 10 ms */
	bool never;                       /* no answer at all: by_host unknown at the deadline */
	bool unpublished;                 /* answered without having published */
};
struct fake_op {
	struct list node;
	struct chan_op *op;
	struct timer timer;
	bool on_wire, cancelled, asked, went;
};
struct chan_account {
	char name[40];
	struct channel *channel;
	void *user;
	uint32_t limit, room; /* room: ops at once; 0 closed */
	uint32_t in_use;
	bool down;
};
struct channel {
	const struct conf_channel *conf;
	uint64_t caps;
	struct chan_account account[FAKE_ACCOUNTS];
};
static struct fake {
	struct env *env;
	struct channel_events ev;
	struct channel ch[4];
	size_t n_ch;
	struct list ops;
	struct fake_answer (*script)(const struct chan_op *op);
	int outcome_of_question;    /* LT_J_RECONCILE */
	const char *id_of_question; /* found by it */
	int64_t question_ms;        /* how long one takes; 0: FAKE_WIRE_MS */
	const char *compose_fails;  /* an address that cannot be composed */
	/* ledger */
	struct map64 *published; /* delivery -> times */
	struct fake_ask {        /* questions about many; the test answers with fake_asked */
		struct chan_account *a;
		uint32_t kind;
		uint64_t delivery[600];
		char ref[600][24], id[600][40], address[600][80];
		size_t n, n_ids[600];
		uint32_t flags[600];
		void (*done)(void *ctx, const struct chan_result *r);
		void *ctx;
	} ask[4];
	int n_asks; /* since the scene opened */
	size_t n_asking;
	uint64_t n_published, n_doubles, n_started, n_questions, n_batches, n_batched, n_saved;
	int saved_rc;
	bool cut; /* its time to drain is over: nobody waits for anything any more */
	uint64_t n_refreshed;
	void (*login_done)(void *ctx, const struct chan_result *r);
	void *login_ctx;
	char login_code[100];
	const char *first;        /* value of the file of a first refresh token */
	const char *first_access; /* the same, of an access token beside it */
	size_t in_flight, in_flight_max;
	int64_t at[200000]; /* wall time of each publication, the first ones */
	int64_t who[200000];
} fake;

static void fake_publish(const struct chan_op *op)
{
	void *was = map64_get(fake.published, op->delivery);

	if (was)
		fake.n_doubles++;
	(void)map64_put(fake.published, op->delivery, (void *)((intptr_t)was + 1));
	if (fake.n_published < 200000) {
		fake.at[fake.n_published] = env_wall(fake.env);
		fake.who[fake.n_published] = (int64_t)op->delivery;
	}
	fake.n_published++;
}

static struct chan_account *fake_account_of(const struct chan_op *op)
{
	return op->host[0];
}

static void fake_credits(struct chan_account *a)
{
	uint32_t room = a->room > a->in_use && !a->down ? a->room - a->in_use : 0;

	if (a->limit)
		fake.ev.credits(fake.ev.ctx, a, room);
}

static void fake_finish(struct fake_op *f, const struct chan_result *r)
{
	struct chan_op *op = f->op;
	struct chan_account *a = fake_account_of(op);

	timer_stop(fake.env, &f->timer);
	list_del(&f->node);
	free(f);
	fake.in_flight--;
	if (op->kind == LT_J_OP)
		a->in_use--;
	fake.ev.op_done(fake.ev.ctx, op, r);
	fake_credits(a);
}

static void fake_answer_now(struct fake_op *f)
{
	struct fake_answer an = { .outcome = LT_ACCEPTED };
	char id[40];
	struct lt_id ids[1];

	if (f->op->kind != LT_J_OP) {
		struct chan_result q = {
			.outcome = fake.outcome_of_question, .code = STR("asked"), .text = STR("")
		};
		if (fake.id_of_question) {
			ids[0] = (struct lt_id){ 0, (uint32_t)q.outcome,
				{ fake.id_of_question, strlen(fake.id_of_question) } };
			q.ids = ids;
			q.n_ids = 1;
		}
		fake_finish(f, &q);
		return;
	}
	if (fake.script)
		an = fake.script(f->op);
	struct chan_result r = { .outcome = an.outcome,
		.scope = an.scope,
		.flags = an.flags,
		.code = str_of(an.code),
		.text = str_of(an.text),
		.retry_after_ms = an.retry_after_ms };
	if (an.never) {
		r = (struct chan_result){ .outcome = LT_UNKNOWN,
			.by_host = true,
			.code = STR("deadline"),
			.text = STR("no answer") };
	} else if (an.outcome == LT_ACCEPTED || (an.outcome == LT_UNKNOWN && an.effect)) {
		int n = snprintf(id, sizeof(id), "%s%llu", an.id ? an.id : "id-",
			(unsigned long long)f->op->delivery);
		ids[0] = (struct lt_id){ an.effect, (uint32_t)an.outcome, { id, (size_t)n } };
		r.ids = ids;
		r.n_ids = 1;
	}
	fake_finish(f, &r);
}

static void fake_on_timer(struct timer *t)
{
	struct fake_op *f = CONTAINER_OF(t, struct fake_op, timer);
	struct fake_answer an = { .outcome = LT_ACCEPTED };
	bool steps = !(fake_account_of(f->op)->channel->caps & LT_CAP_INTENT_AT_START);

	if (f->on_wire || f->op->kind != LT_J_OP) {
		fake_answer_now(f);
		return;
	}
	if (f->cancelled) {
		struct chan_result r = { .outcome = LT_DEFERRED, .revoked = true };
		fake_finish(f, &r);
		return;
	}
	if (steps && !f->asked) {
		f->asked = true;
		fake.ev.op_intent(fake.ev.ctx, f->op, STR("publish"), false);
		return;
	}
	if (steps && !f->went)
		return;
	if (fake.script)
		an = fake.script(f->op);
	f->on_wire = true;
	if (!an.unpublished)
		fake_publish(f->op);
	int64_t after = an.never ? f->op->deadline_mono_ms - env_mono(fake.env) : an.after_ms;
	timer_set(fake.env, &f->timer, env_mono(fake.env) + (after > 0 ? after : 10));
}

struct channel *channels_find(struct channels *cs, const char *name)
{
	UNUSED(cs);
	for (size_t i = 0; i < fake.n_ch; i++)
		if (strcmp(fake.ch[i].conf->name, name) == 0)
			return &fake.ch[i];
	return NULL;
}
struct chan_account *channel_account(struct channel *c, const char *name)
{
	for (size_t i = 0; i < c->conf->n_accounts && i < FAKE_ACCOUNTS; i++)
		if (strcmp(c->conf->accounts[i]->name, name) == 0) {
			(void)str_copy(
				c->account[i].name, sizeof(c->account[i].name), str_of(name));
			c->account[i].channel = c;
			return &c->account[i];
		}
	return NULL;
}
const struct conf_channel *channel_conf(const struct channel *c)
{
	return c->conf;
}
const char *account_name(const struct chan_account *a)
{
	return a->name;
}
uint64_t channel_caps(const struct channel *c)
{
	return c->caps;
}
void account_set_user(struct chan_account *a, void *user)
{
	a->user = user;
}
void *account_user(const struct chan_account *a)
{
	return a->user;
}
struct channel *account_channel(const struct chan_account *a)
{
	return a->channel;
}
int channel_address(const struct channel *c, struct str in, struct addr_out *ret, struct err *e)
{
	UNUSED(c);
	memset(ret, 0, sizeof(*ret));
	if (!memchr(in.p, '@', in.n))
		return err_set(e, -EINVAL, "no address");
	for (size_t i = 0; i < in.n && i < sizeof(ret->canonical) - 1; i++)
		ret->canonical[i] = in.p[i] >= 'A' && in.p[i] <= 'Z' ? (char)(in.p[i] + 32)
								     : in.p[i];
	return 0;
}
int channel_ask(struct chan_account *a, uint32_t kind, const struct chan_item *items, size_t n,
	int64_t timeout_ms, void (*done)(void *ctx, const struct chan_result *r), void *ctx)
{
	UNUSED(timeout_ms);
	REQUIRE(n <= 600);
	if (fake.n_asking == 4)
		return -EBUSY;
	struct fake_ask *k = &fake.ask[fake.n_asking++];
	memset(k, 0, sizeof(*k));
	k->a = a;
	k->kind = kind;
	k->n = n;
	k->done = done;
	k->ctx = ctx;
	for (size_t i = 0; i < n; i++) {
		k->delivery[i] = items[i].delivery;
		k->flags[i] = items[i].flags;
		k->n_ids[i] = items[i].n_ids;
		(void)str_copy(k->ref[i], sizeof(k->ref[i]), items[i].ref);
		(void)str_copy(k->address[i], sizeof(k->address[i]), items[i].address);
		if (items[i].n_ids)
			(void)str_copy(k->id[i], sizeof(k->id[i]),
				(struct str){ items[i].ids[0].id.p, items[i].ids[0].id.n });
	}
	fake.n_asks++;
	return 0;
}
/* Ends the oldest question. */
__attribute__((unused)) static void fake_asked(int outcome)
{
	struct fake_ask k = fake.ask[0];
	struct chan_result r = { .outcome = outcome, .code = STR("asked"), .text = STR("") };

	REQUIRE(fake.n_asking > 0);
	memmove(&fake.ask[0], &fake.ask[1], sizeof(fake.ask[0]) * 3);
	fake.n_asking--;
	k.done(k.ctx, &r);
}
int channel_compose(const struct channel *c, const char *account, struct prepared *p,
	const struct lt_target *t, struct payload **ret, struct err *e)
{
	UNUSED(c);
	UNUSED(account);
	if (fake.compose_fails && t->address.n == strlen(fake.compose_fails) &&
		memcmp(t->address.p, fake.compose_fails, t->address.n) == 0)
		return err_set(e, -EINVAL, "this address cannot be written");
	struct payload *pl = x_calloc(1, sizeof(*pl));
	pl->skeleton = prepared_ref(p);
	*ret = pl;
	return 0;
}
int channel_start(struct chan_account *a, struct chan_op **ops, size_t n)
{
	if (a->down || a->in_use + n > a->room || a->limit == 0)
		return -EAGAIN;
	fake.n_batches++;
	fake.n_batched += n > 1 ? n : 0;
	for (size_t i = 0; i < n; i++) {
		struct fake_op *f = x_calloc(1, sizeof(*f));
		REQUIRE(n == 1 || ops[i]->batch_key == ops[0]->batch_key);
		f->op = ops[i];
		ops[i]->host[0] = a;
		timer_init(&f->timer, fake_on_timer);
		list_push(&fake.ops, &f->node);
		fake.in_flight++;
		if (fake.in_flight > fake.in_flight_max)
			fake.in_flight_max = fake.in_flight;
		if (ops[i]->kind == LT_J_OP) {
			fake.n_started++;
			a->in_use++;
		} else {
			fake.n_questions++;
		}
		timer_set(fake.env, &f->timer,
			env_mono(fake.env) +
				(ops[i]->kind != LT_J_OP && fake.question_ms ? fake.question_ms
									     : FAKE_WIRE_MS));
	}
	return 0;
}
static struct fake_op *fake_find(const struct chan_op *op)
{
	LIST_FOR(&fake.ops, n)
	if (CONTAINER_OF(n, struct fake_op, node)->op == op)
		return CONTAINER_OF(n, struct fake_op, node);
	return NULL;
}
void channel_op_go(struct chan_op *op, bool go)
{
	struct fake_op *f = fake_find(op);

	REQUIRE(f != NULL);
	f->went = go;
	f->cancelled = f->cancelled || !go;
	timer_set(fake.env, &f->timer, env_mono(fake.env) + 1);
}
void channel_op_cancel(struct chan_op *op)
{
	struct fake_op *f = fake_find(op);

	REQUIRE(f && !f->on_wire);
	f->cancelled = true;
	timer_set(fake.env, &f->timer, env_mono(fake.env) + 1);
}
void channel_op_stop(struct chan_op *op)
{
	REQUIRE(channel_op_on_wire(op));
}
bool channel_op_on_wire(const struct chan_op *op)
{
	const struct fake_op *f = fake_find(op);

	return f && f->on_wire;
}
bool channel_saved(struct channels *cs, uint64_t ticket, int error)
{
	UNUSED(cs);
	UNUSED(ticket);
	if (fake.cut)
		return false;
	fake.n_saved++;
	fake.saved_rc = error;
	return true;
}
int channel_refresh(struct channel *c, const char *credential)
{
	UNUSED(c);
	UNUSED(credential);
	fake.n_refreshed++;
	return 0;
}
void channel_login(struct chan_account *a, struct str code,
	void (*done)(void *ctx, const struct chan_result *r), void *ctx)
{
	UNUSED(a);
	fake.login_done = done;
	fake.login_ctx = ctx;
	(void)str_copy(fake.login_code, sizeof(fake.login_code), code);
}
bool channel_secret_first(
	struct channel *c, const char *credential, const char *name, struct str *ret)
{
	UNUSED(c);
	UNUSED(credential);
	*ret = str_of(strcmp(name, "refresh_token") == 0    ? fake.first
			: strcmp(name, "access_token") == 0 ? fake.first_access
							    : NULL);
	return ret->p != NULL;
}
static struct fake_session {
	struct task task;
	struct chan_account *a;
} fake_session[4 * FAKE_ACCOUNTS];
static void fake_on_session(struct task *t)
{
	struct fake_session *s = CONTAINER_OF(t, struct fake_session, task);

	if (s->a->down) {
		fake.ev.account_trouble(fake.ev.ctx, s->a, LT_SCOPE_ACCOUNT, STR("ECONNREFUSED"),
			STR("connection refused"), 0);
		return;
	}
	fake_credits(s->a);
}
void channel_limit(struct chan_account *a, uint32_t ops)
{
	size_t i = (size_t)(a->channel - fake.ch) * FAKE_ACCOUNTS +
		(size_t)(a - a->channel->account);

	a->limit = ops;
	if (!ops)
		return;
	fake_session[i].a = a;
	task_init(&fake_session[i].task, fake_on_session);
	env_defer(fake.env, &fake_session[i].task);
}

static void fake_init(struct env *env)
{
	memset(&fake, 0, sizeof(fake));
	fake.env = env;
	list_init(&fake.ops);
	fake.published = map64_new();
	fake.outcome_of_question = LT_UNKNOWN;
}
/* The process is gone: what was under way has no listener any more. The ledger stays: it is the world's. */
static void fake_crash(void)
{
	LIST_FOR_SAFE(&fake.ops, n, nx)
	{
		struct fake_op *f = CONTAINER_OF(n, struct fake_op, node);
		timer_stop(fake.env, &f->timer);
		list_del(&f->node);
		free(f);
	}
	fake.in_flight = 0;
	for (size_t i = 0; i < ARRAY_LEN(fake_session); i++)
		if (fake_session[i].a)
			task_cancel(&fake_session[i].task);
	for (size_t c = 0; c < fake.n_ch; c++)
		for (size_t i = 0; i < FAKE_ACCOUNTS; i++) {
			struct chan_account *a = &fake.ch[c].account[i];
			a->in_use = a->limit = 0;
			a->user = NULL;
		}
}
static void fake_done(void)
{
	fake_crash();
	map64_free(fake.published);
}

#endif
