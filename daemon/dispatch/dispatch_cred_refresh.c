/* dispatch_cred_refresh.c - who may rotate a credential, when, and what its end means.
 * Thread: loop. Owns: struct cred_wait. Must not know: providers, SQL.
 * Order: asked -> word committed -> the channel host makes one call -> new pair put (dispatch_secret.c) or an end without one.
 * Failures: put off (proven not taken): later again. Refused: dead, its lanes wait for a person. Lost answer, or we died in
 * between: in doubt, then exactly one more try with the old pair; when that is lost or refused too, dead. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/log.h"
#include "base/utf8.h"
#include "dispatch/dispatch_cred_internal.h"

static const int64_t pause_ms[] = { 5000, 15000, 60000, 300000, 900000 };

struct cred_mark_cmd {
	struct store_secret_mark c;
	struct dispatch *d;
	char channel[64], name[64], why[200];
};

static void on_marked(struct store_cmd *cmd)
{
	struct cred_mark_cmd *m = CONTAINER_OF(cmd, struct cred_mark_cmd, c.cmd);
	struct dispatch *d = m->d;

	/* Not committed: after a restart it is found as it was, which is the more careful reading. */
	if (cmd->rc)
		log_line(LOG_WARN, "ev=credential.mark_failed ch=%s credential=%s rc=%d continuing",
			m->channel, m->name, cmd->rc);
	d_free(m);
	cmd_end(d);
}

void cred_mark(struct dcred *c, enum cred_state state, const char *why)
{
	struct dispatch *d = c->d;
	struct cred_mark_cmd *m = d_alloc(d, sizeof(*m));

	c->state = state;
	m->d = d;
	(void)str_copy(m->channel, sizeof(m->channel), str_of(c->channel));
	(void)str_copy(m->name, sizeof(m->name), str_of(c->name));
	(void)str_copy(m->why, sizeof(m->why), str_of(why));
	store_secret_mark_init(&m->c, STORE_OUTCOME);
	m->c.channel = m->channel;
	m->c.name = m->name;
	m->c.state = state;
	m->c.why = m->why;
	m->c.cmd.done = on_marked;
	cmd_begin(d);
	store_submit_or_done(d->o.store, &m->c.cmd);
	cred_gauges(d);
}

/* --- the word ------------------------------------------------------------------------------------------------------------ */

/* False: who asked is gone, with the channels of an older configuration. */
static bool answer(struct dcred *c, int rc)
{
	struct list *n = list_pop(&c->waits);
	REQUIRE(n);
	struct cred_wait *w = CONTAINER_OF(n, struct cred_wait, node);
	struct dhost *h = w->host;
	uint64_t ticket = w->ticket;

	c->n_waits--;
	free(w);
	return host_saved(h, ticket, rc);
}

/* Nobody will make the call that has its word: it is given back, and whoever comes next asks anew. */
static void word_back(struct dcred *c)
{
	c->phase = CRP_IDLE;
	cred_mark(c, c->state == CRED_AGAIN ? CRED_DOUBT : CRED_GOOD,
		"not begun: a reload came between");
	cred_schedule(c);
	cmd_end(c->d);
}

static void on_word(struct store_cmd *cmd)
{
	struct dcred *c = CONTAINER_OF(cmd, struct dcred, word.cmd);
	struct dispatch *d = c->d;
	int rc = cmd->rc;

	if (rc == 0) {
		c->phase = CRP_CALL;
		c->state = c->word.again ? CRED_AGAIN : CRED_ROTATING;
		c->version_begun = c->version;
		log_line(LOG_INFO, "ev=credential.refresh ch=%s credential=%s version=%lld%s",
			c->channel, c->name, (long long)c->version,
			c->word.again ? " again=1" : "");
		cmd_begin(d); /* a stop waits for its end */
	} else {
		log_line(LOG_WARN,
			"ev=credential.refresh_not_begun ch=%s credential=%s rc=%d why=%s continuing",
			c->channel, c->name, rc, LOG_Q(str_of(cmd->err.text)));
		c->phase = CRP_IDLE;
		c->not_before_ms = env_wall(d->o.env) + pause_ms[0];
		cred_schedule(c);
	}
	if (!answer(c, rc) && rc == 0)
		word_back(c);
	cred_kick(c);
	cmd_end(d);
}

static void word_submit(struct dcred *c)
{
	struct dispatch *d = c->d;

	store_cred_begin_init(&c->word);
	c->word.channel = c->channel;
	c->word.name = c->name;
	c->word.adapter = cred_adapter(c);
	c->word.again = c->state == CRED_DOUBT;
	c->word.cmd.done = on_word;
	c->phase = CRP_WORD;
	cmd_begin(d);
	store_submit_or_done(d->o.store, &c->word.cmd);
}

static bool too_often(struct dcred *c)
{
	int64_t now = env_mono(c->d->o.env);

	if (now - c->minute_ms >= CRED_MIN_MS || !c->in_minute) {
		c->minute_ms = now;
		c->in_minute = 0;
	}
	if (++c->in_minute <= CRED_MIN_N)
		return false;
	c->not_before_ms = env_wall(c->d->o.env) + CRED_MIN_MS;
	return true;
}

/* The first that waits begins, or hears why not. */
void cred_refresh_turn(struct dcred *c)
{
	if (c->phase != CRP_IDLE || c->login || !list_empty(&c->puts))
		return;
	while (!list_empty(&c->waits)) {
		const struct cred_wait *w = CONTAINER_OF(c->waits.next, struct cred_wait, node);
		if (c->d->stopping)
			(void)answer(c, -ECANCELED);
		else if (w->pair < c->pair)
			(void)answer(c, -EALREADY);
		else if (c->state == CRED_DEAD)
			(void)answer(c, -EKEYREJECTED);
		else if (c->not_before_ms > env_wall(c->d->o.env) || too_often(c))
			(void)answer(c, -EAGAIN);
		else {
			word_submit(c);
			return;
		}
		cred_schedule(c);
	}
}

void refresh_intent_on(void *ctx, struct channel *ch, const char *credential, uint64_t ticket)
{
	struct dhost *h = ctx;
	struct dcred *c = cred_get(h->d, channel_conf(ch)->name, credential);

	if (!c || c->n_waits == CRED_WAITS_MAX) {
		(void)host_saved(h, ticket, -EAGAIN);
		return;
	}
	struct cred_wait *w = x_calloc(1, sizeof(*w));
	*w = (struct cred_wait){ .host = h, .ticket = ticket, .pair = c->pair };
	list_push(&c->waits, &w->node);
	c->n_waits++;
	cred_kick(c);
}

/* --- its end ------------------------------------------------------------------------------------------------------------- */

static void put_off(struct dcred *c, const struct chan_result *r)
{
	unsigned i = c->fails < ARRAY_LEN(pause_ms) ? c->fails : (unsigned)ARRAY_LEN(pause_ms) - 1;
	int64_t pause = r->retry_after_ms > pause_ms[i] ? r->retry_after_ms : pause_ms[i];
	char why[200];

	c->fails++;
	c->not_before_ms = env_wall(c->d->o.env) + pause;
	(void)snprintf(why, sizeof(why), "not taken: " STR_FMT, STR_ARG(r->text));
	cred_mark(c, c->state == CRED_AGAIN ? CRED_DOUBT : CRED_GOOD, why);
	if (r->flags & LT_R_PERSON)
		cred_park(c, why);
}

static void dead(struct dcred *c, const char *what, struct str code, struct str text)
{
	char why[200];

	(void)snprintf(why, sizeof(why), "%s (" STR_FMT " " STR_FMT "): lantoa channel login %s",
		what, STR_ARG(utf8_cut(code, 40)), STR_ARG(utf8_cut(text, 80)), c->channel);
	log_line(LOG_ERROR, "ev=credential.dead ch=%s credential=%s why=%s", c->channel, c->name,
		LOG_Q(str_of(why)));
	cred_mark(c, CRED_DEAD, why);
	cred_park(c, why);
}

static void in_doubt(struct dcred *c, const struct chan_result *r)
{
	if (c->state == CRED_AGAIN) {
		dead(c, "the answer was lost twice", r->code, r->text);
		return;
	}
	log_line(LOG_ERROR,
		"ev=credential.doubt ch=%s credential=%s version=%lld why=%s next=one_more_try",
		c->channel, c->name, (long long)c->version, LOG_Q(r->text));
	c->not_before_ms = env_wall(c->d->o.env) + CRED_DOUBT_MS;
	cred_mark(c, CRED_DOUBT, "the answer of the refresh was lost");
}

void refresh_over_on(
	void *ctx, struct channel *ch, const char *credential, const struct chan_result *r)
{
	struct dhost *h = ctx;
	struct dcred *c = cred_find(h->d, channel_conf(ch)->name, credential);

	if (!c || c->phase != CRP_CALL)
		return;
	c->phase = CRP_IDLE;
	if (c->version == c->version_begun && list_empty(&c->puts)) {
		if (r->outcome == LT_ACCEPTED)
			cred_mark(c, CRED_GOOD, "nothing new");
		else if (r->outcome == LT_DEFERRED)
			put_off(c, r);
		else if (r->outcome == LT_REFUSED)
			dead(c, "refused", r->code, r->text);
		else
			in_doubt(c, r);
	}
	cred_schedule(c);
	cred_kick(c);
	cmd_end(h->d);
}
