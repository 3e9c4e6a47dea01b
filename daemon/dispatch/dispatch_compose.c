/* dispatch_compose.c - the worker's half of a fill: rows read, skeletons made where they are not at hand, holes filled.
 * Thread: worker; sees only its struct dfill, a reader of its own, and pure functions of the channel. Owns: nothing beyond.
 * Failures: of a lot in fill_lot.rc and err; of one item in its copy's verdict and why. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/json.h"
#include "base/utf8.h"
#include "dispatch/dispatch_internal.h"
#include "store/store_consent.h"

#define VARS_MAX      32
#define LINK_URL_MAX  400
#define LINK_DAYS     90
#define LINK_DAYS_MAX 400
#define LINK_DAY_MS   INT64_C(86400000)
#define STRINGS       5 /* address, name, lang, form, credential */

struct row_ctx {
	struct dfill *f;
	struct fill_lot *fl;
	struct store_reader *r;
};

static struct lt_str lt_of(struct str s)
{
	return (struct lt_str){ s.p, s.n };
}

/* All strings of a row in one block that the copy owns. */
static void strings_keep(struct dcopy *c, const struct sq_lease_row *l, struct str credential,
	struct str out[STRINGS])
{
	const struct str in[STRINGS] = { l->address, l->name, l->lang, l->form, credential };
	size_t total = 1, at = 0;

	for (int i = 0; i < STRINGS; i++)
		total += in[i].n + 1;
	for (size_t i = 0; i < l->n_steps; i++)
		total += l->steps[i].name.n + l->steps[i].value.n;
	c->text = x_calloc(1, total);
	for (int i = 0; i < STRINGS; i++) {
		if (in[i].n)
			memcpy(c->text + at, in[i].p, in[i].n);
		out[i] = (struct str){ c->text + at, in[i].n };
		at += in[i].n + 1;
	}
	if (!l->n_steps)
		return;
	c->steps = x_calloc(l->n_steps, sizeof(*c->steps));
	for (size_t i = 0; i < l->n_steps; i++) {
		const struct lt_pair *s = &l->steps[i];
		memcpy(c->text + at, s->name.p, s->name.n);
		c->steps[i].name = (struct lt_str){ c->text + at, s->name.n };
		at += s->name.n;
		memcpy(c->text + at, s->value.p, s->value.n);
		c->steps[i].value = (struct lt_str){ c->text + at, s->value.n };
		at += s->value.n;
	}
	c->op.steps = c->steps;
	c->op.n_steps = l->n_steps;
}

static struct prepared *skeleton(struct row_ctx *x, struct str form, struct str lang)
{
	struct fill_lot *fl = x->fl;
	struct dispatch *d = x->f->d;

	for (size_t i = 0; i < fl->n_prep; i++)
		if (str_eqz(form, fl->prep[i].form) && str_eqz(lang, fl->prep[i].lang))
			return fl->prep[i].p;
	if (fl->n_prep == D_PREPS_PER_LOT) {
		fl->rc = err_set(&fl->err, -E2BIG,
			"more than %d kinds of address and language in one lot", D_PREPS_PER_LOT);
		return NULL;
	}
	struct fill_prep *p = &fl->prep[fl->n_prep];
	memset(p, 0, sizeof(*p));
	(void)str_copy(p->form, sizeof(p->form), form);
	(void)str_copy(p->lang, sizeof(p->lang), lang);
	struct prep_key key = fl->key;
	memcpy(key.form, p->form, sizeof(key.form));
	memcpy(key.lang, p->lang, sizeof(key.lang));
	fl->rc = d->o.prepare(d->o.prepare_ctx, x->r, &key, &p->p, &fl->err);
	if (fl->rc)
		return NULL;
	p->fresh = true;
	fl->n_prep++;
	return p->p;
}

/* The target's own columns, and the link of its list. */
static size_t vars_of(const cJSON *j, struct lt_pair *v, size_t max)
{
	size_t n = 0;

	for (const cJSON *it = j ? j->child : NULL; it && n < max; it = it->next) {
		if (!cJSON_IsString(it))
			continue;
		v[n++] = (struct lt_pair){ .name = lt_of(str_of(it->string)),
			.value = lt_of(str_of(it->valuestring)) };
	}
	return n;
}

/* Addresses of the files that go as links: good for so many days from when the lot started, the same for every try of a copy. */
static int links_of(const struct row_ctx *x, const struct prepared *p, struct lt_pair *v,
	char (*url)[LINK_URL_MAX])
{
	const struct dispatch_opts *o = &x->f->d->o;
	int64_t days = prepared_fact_get(p, "links_days", LINK_DAYS);

	days = days < 1 ? 1 : days > LINK_DAYS_MAX ? LINK_DAYS_MAX : days;
	for (size_t i = 0; i < p->n_links; i++) {
		const struct prepared_link *l = &p->links[i];
		int rc = o->link_url
			? o->link_url(o->link_ctx, x->f->conf, &l->id, l->ending,
				  x->fl->at_ms + days * LINK_DAY_MS, url[i], LINK_URL_MAX)
			: -ENOENT;
		if (rc)
			return rc;
		v[i] = (struct lt_pair){ .name = lt_of(str_of(l->var)),
			.value = lt_of(str_of(url[i])) };
	}
	return 0;
}

static bool wants_unsubscribe(const struct row_ctx *x, const struct sq_lease_row *l)
{
	return x->f->conf->public_url && (l->list || x->fl->q.category == CAT_ADVERTISING);
}

/* đồng for this recipient: that of its operator, where the adapter knows them. */
static int64_t cost_of(const struct prepared *p, struct str class)
{
	char name[64];

	(void)snprintf(name, sizeof(name), "cost." STR_FMT, STR_ARG(utf8_cut(class, 40)));
	int64_t cost = prepared_fact_get(p, name, -1);
	return cost >= 0 ? cost : prepared_fact_get(p, "cost", 0);
}

/* Equal only where the skeleton is. The key may be a part of the digest itself, so the two are not simply XORed. */
static uint64_t batch_key_of(const struct prepared *p)
{
	uint64_t mix;

	memcpy(&mix, p->digest.b, sizeof(mix));
	mix ^= p->batch_key * 0x9e3779b97f4a7c15u;
	return mix ? mix : 1;
}

static void compose(struct row_ctx *x, struct dcopy *c, const struct sq_lease_row *l,
	const struct str s[STRINGS], struct prepared *p)
{
	struct dfill *f = x->f;
	struct lt_pair vars[LINKS_MAX + VARS_MAX + 1];
	char url[400], token[UNSUB_MAX], link[LINKS_MAX][LINK_URL_MAX];
	cJSON *j CLEANUP_JSON = NULL;
	struct err e = { 0 };
	size_t n = p->n_links; /* first: no column of a target stands before them */

	if (links_of(x, p, vars, link)) {
		c->verdict = FILL_BAD;
		snprintf(c->why, sizeof(c->why),
			"compose: files go as links, and there is no public_url to fetch them");
		return;
	}
	if (l->vars.n && json_parse(l->vars, 65536, &j, &e) == 0)
		n += vars_of(j, vars + n, VARS_MAX);
	if (wants_unsubscribe(x, l)) {
		/* "No more" to advertising ends advertising: notices and warnings still come. */
		unsub_make(f->d->o.store, l->contact,
			x->fl->q.category == CAT_ADVERTISING ? SQ_LIST_ADS : l->list, token);
		snprintf(url, sizeof(url), "%s/u/%s", f->conf->public_url, token);
		vars[n++] = (struct lt_pair){ .name = lt_of(STR("unsubscribe.url")),
			.value = lt_of(str_of(url)) };
	}
	struct lt_target t = { .struct_size = sizeof(t),
		.address = lt_of(s[0]),
		.name = lt_of(s[1]),
		.lang = lt_of(s[2]),
		.ref = lt_of(str_of(c->ref)),
		.vars = vars,
		.n_vars = n,
		.at_ms = x->fl->at_ms };
	e.text[0] = 0;
	if (channel_compose(f->chan, f->account, p, &t, &c->op.payload, &e) != 0) {
		c->verdict = FILL_BAD;
		snprintf(c->why, sizeof(c->why), "compose: %.180s", e.text);
		return;
	}
	c->intent.cost = cost_of(p, l->class);
	c->op.batch_key = p->batch_key ? batch_key_of(p) : 0;
}

/* What must not be sent at all, before any work is spent on it. */
static bool unsendable(struct row_ctx *x, struct dcopy *c, const struct sq_lease_row *l)
{
	const struct conf *conf = x->f->conf;

	if (!l->address.p || !l->address.n) {
		c->verdict = FILL_BAD;
		snprintf(
			c->why, sizeof(c->why), "unreadable: the contact of this delivery is gone");
		return true;
	}
	if (l->removed) {
		c->verdict = FILL_REMOVED;
		snprintf(c->why, sizeof(c->why),
			"removed: from the targets, after this was planned");
		return true;
	}
	if (l->suppressed || !conf_trial_allows(conf, c->text)) {
		c->verdict = FILL_SUPPRESSED;
		snprintf(c->why, sizeof(c->why), "suppressed: %s",
			suppress_reason_name(l->suppressed ? l->suppressed : (int)SUP_TRIAL));
		return true;
	}
	int64_t free_at = l->gap_at_ms + x->fl->min_gap_ms;
	if (x->fl->min_gap_ms > 0 && l->gap_at_ms > 0 && free_at > x->f->now_ms) {
		c->verdict = FILL_GAP;
		c->intent.gap_due_ms = free_at;
		return true;
	}
	return false;
}

/* Decree 91/2020: advertising goes to who has agreed; the message that asks goes once to who was never asked. */
static bool no_consent(
	struct row_ctx *x, struct dcopy *c, const struct sq_lease_row *l, const struct prepared *p)
{
	const struct conf_category_rule *r = x->fl->q.category == CAT_ADVERTISING
		? conf_category_find(x->f->conf, CAT_ADVERTISING)
		: NULL;

	if (!r || !r->consent)
		return false;
	c->intent.asks = prepared_fact_get(p, "asks_consent", 0) != 0;
	if (c->intent.asks ? l->consent == CONSENT_NONE || l->consent_by
			   : l->consent == CONSENT_GIVEN)
		return false;
	c->verdict = FILL_SUPPRESSED;
	snprintf(c->why, sizeof(c->why), "suppressed: %s",
		!c->intent.asks                       ? "has not agreed to advertising"
			: l->consent == CONSENT_ASKED ? "was asked about advertising before"
						      : "has answered about advertising before");
	return true;
}

static int on_row(void *ctx, const struct sq_lease_row *l)
{
	struct row_ctx *x = ctx;
	struct dfill *f = x->f;
	struct str s[STRINGS];

	if (f->used == f->n_copy)
		return -E2BIG;
	struct dcopy *c = f->copy[f->used];
	strings_keep(c, l, str_of(f->credential), s);
	c->contact = l->contact;
	c->target = l->target;
	c->first_ms = l->first_ms;
	c->was_unknown = l->was_unknown;
	c->verdict = FILL_OK;
	c->intent = (struct sq_intent){ .delivery = l->delivery,
		.lot = x->fl->q.lot,
		.contact = l->contact,
		.tries = l->tries,
		.due_ms = l->due_ms,
		.stepped = f->with_steps,
		.min_gap_ms = x->fl->min_gap_ms };
	c->op.delivery = (uint64_t)l->delivery;
	c->op.release = (uint64_t)x->fl->key.release_id;
	c->op.kind = LT_J_OP;
	c->op.address = s[0];
	c->op.credential = s[4].n ? s[4] : (struct str){ NULL, 0 };
	ref_make(f->d->o.store, l->delivery, c->ref);
	c->op.ref = str_of(c->ref);
	if (!unsendable(x, c, l)) {
		struct prepared *p = skeleton(x, s[3], s[2]);
		if (!p)
			return x->fl->rc;
		if (!no_consent(x, c, l, p) && (!l->cast || cast_compose(f, x->fl, c, l)))
			compose(x, c, l, s, p);
	}
	f->used++;
	x->fl->n++;
	return 0;
}

/* A copy whose row failed half-way goes back to the pool as it came. */
static void half_done(struct dcopy *c)
{
	free(c->text);
	free(c->steps);
	c->text = NULL;
	c->steps = NULL;
	c->op = (struct chan_op){ 0 };
}

void fill_run(struct work *w)
{
	struct dfill *f = CONTAINER_OF(w, struct dfill, work);
	struct store_reader *r;

	f->rc = store_reader_open(f->d->o.store, &r);
	if (f->rc)
		return;
	for (size_t i = 0; i < f->n && f->rc == 0; i++) {
		struct fill_lot *fl = &f->v[i];
		struct row_ctx x = { f, fl, r };
		fl->first = f->used;
		if (fl->q.max > f->n_copy - f->used)
			fl->q.max = f->n_copy - f->used;
		int rc = sq_read_lease(r, &fl->q, on_row, &x, &fl->end);
		if (!rc)
			rc = fill_correct(f, fl, r);
		if (rc && !fl->rc)
			fl->rc = rc;
		if (rc && f->used < f->n_copy)
			half_done(f->copy[f->used]);
	}
	store_reader_close(r);
}
