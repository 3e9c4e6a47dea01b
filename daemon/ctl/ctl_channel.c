/* ctl_channel.c - channel.check: every account is asked, a few at a time; what its adapter tells, the state of its credential, warnings.
 * Without a channel the public address of assets is asked as well, as the row public/assets.
 * Thread: loop. Owns: struct checking until the answer. Failures: an account that does not answer is a row that says so. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "ctl/ctl_channel.h"

#define AT_ONCE 16
#define SOON_MS (INT64_C(14) * 24 * 3600 * 1000)

struct checking {
	struct ctl_call *c;
	cJSON *rows;
	size_t n, next, out;
	bool ok, asking;
	struct check_one {
		struct checking *p;
		char channel[64], account[64];
		cJSON *row; /* of p->rows */
	} v[];
};

struct cred_look {
	const char *channel, *name;
	cJSON *ret;
};

static void on_credential(void *ctx, const struct cred_facts *f)
{
	struct cred_look *l = ctx;

	if (strcmp(f->channel, l->channel) != 0 || strcmp(f->name, l->name) != 0)
		return;
	l->ret = json_obj();
	json_put_z(l->ret, "name", f->name);
	json_put_z(l->ret, "state", f->state);
	json_put_bool(l->ret, "ok", !f->warn);
	json_put_i64(l->ret, "version", f->version);
	ctl_put_time(l->ret, "changed_at", f->changed_ms);
	ctl_put_time(l->ret, "expires_at", f->expires_ms);
	json_put_z(l->ret, "why", f->why[0] ? f->why : NULL);
}

cJSON *ctl_credential_json(const struct ctl_call *c, const char *channel, const char *name)
{
	struct cred_look l = { .channel = channel, .name = name };

	if (name)
		dispatch_credentials(c->deps->dispatch, on_credential, &l);
	return l.ret;
}

/* --- one account ---------------------------------------------------------------------------------------------------------- */

static void warn_of(cJSON *warnings, const struct chan_fact *f, int64_t now_ms)
{
	struct str name = str_of(f->name);
	int what = str_ends(name, "_expires_at_ms") ? (int)name.n - 14 : (int)name.n - 13;
	char text[160];

	if (str_starts(name, "warn.") && f->value) {
		json_add_str(warnings, (struct str){ name.p + 5, name.n - 5 });
	} else if (str_ends(name, "expires_at_ms") && f->value > 0 && f->value <= now_ms) {
		(void)snprintf(text, sizeof(text), "%.*s: expired", what, f->name);
		json_add_str(warnings, str_of(text));
	} else if (str_ends(name, "expires_at_ms") && f->value > 0 && f->value < now_ms + SOON_MS) {
		(void)snprintf(text, sizeof(text), "%.*s: expires in %lld days", what, f->name,
			(long long)((f->value - now_ms) / 86400000));
		json_add_str(warnings, str_of(text));
	}
}

static cJSON *facts_json(const struct chan_result *r, cJSON *warnings, int64_t now_ms)
{
	cJSON *o = json_obj();

	for (size_t i = 0; i < r->n_facts; i++) {
		json_put_i64(o, r->facts[i].name, r->facts[i].value);
		warn_of(warnings, &r->facts[i], now_ms);
	}
	return o;
}

static void check_more(struct checking *p);

static void on_checked(void *ctx, const struct chan_result *r)
{
	struct check_one *x = ctx;
	struct checking *p = x->p;
	const struct conf_channel *ch = conf_channel_find(p->c->conf, x->channel);
	const struct conf_account *a = ch ? conf_account_find(ch, x->account) : NULL;
	cJSON *cred = ctl_credential_json(p->c, x->channel, a ? a->credential : NULL);
	cJSON *warnings = json_arr(), *o = x->row;
	const cJSON *why = cred ? json_get(cred, "why") : NULL;
	bool ok = r->outcome == LT_ACCEPTED && (!cred || json_bool(cred, "ok", true));

	json_put_bool(o, "ok", ok);
	json_put_z(o, "outcome", outcome_name(r->outcome));
	json_put_str(o, "code", r->code);
	json_put_str(o, "text", r->text);
	json_put_z(o, "url", r->url.n ? r->url.p : NULL);
	json_put(o, "facts", facts_json(r, warnings, env_wall(p->c->deps->env)));
	if (why && why->valuestring)
		json_add_str(warnings, str_of(why->valuestring));
	json_put(o, "credential", cred ? cred : cJSON_CreateNull());
	json_put(o, "warnings", warnings);
	p->ok = p->ok && ok;
	p->out--;
	check_more(p);
}

static void check_end(struct checking *p)
{
	cJSON *o = json_obj();

	json_put(o, "rows", p->rows);
	json_put_bool(o, "ok", p->ok);
	json_put_bool(o, "more", false);
	json_put_z(o, "next", NULL);
	ctl_answer(p->c, 0, NULL, o);
	free(p);
}

static void on_public(void *ctx, bool ok, const char *url, const char *text)
{
	struct checking *p = ctx;
	cJSON *o = json_obj();

	json_put_z(o, "channel", "public");
	json_put_z(o, "account", "assets");
	json_put_bool(o, "ok", ok);
	json_put_z(o, "outcome", outcome_name(ok ? LT_ACCEPTED : LT_DEFERRED));
	json_put_z(o, "code", "");
	json_put_z(o, "text", text);
	json_put_z(o, "url", url);
	json_put(o, "facts", json_obj());
	json_put(o, "credential", cJSON_CreateNull());
	json_put(o, "warnings", json_arr());
	json_add(p->rows, o);
	p->ok = p->ok && ok;
	p->out--;
	check_more(p);
}

static void check_start(struct checking *p, struct check_one *x)
{
	static const struct chan_result gone = { .outcome = LT_DEFERRED,
		.text = { "not open in this configuration", 30 } };
	struct channels *cs = *p->c->deps->channels;
	struct channel *ch = cs ? channels_find(cs, x->channel) : NULL;
	struct chan_account *a = ch ? channel_account(ch, x->account) : NULL;

	p->out++;
	if (a)
		channel_check(a, on_checked, x);
	else
		on_checked(x, &gone);
}

static void check_more(struct checking *p)
{
	if (p->asking)
		return;
	p->asking = true;
	while (p->next < p->n && p->out < AT_ONCE)
		check_start(p, &p->v[p->next++]);
	p->asking = false;
	if (!p->out && p->next == p->n)
		check_end(p);
}

static void check_add(
	struct checking *p, const struct conf_channel *ch, const struct conf_account *a)
{
	struct check_one *x = &p->v[p->n++];

	x->p = p;
	(void)str_copy(x->channel, sizeof(x->channel), str_of(ch->name));
	(void)str_copy(x->account, sizeof(x->account), str_of(a->name));
	x->row = json_obj();
	json_put_z(x->row, "channel", ch->name);
	json_put_z(x->row, "account", a->name);
	json_add(p->rows, x->row);
}

/* Names what there is: of that channel, or of all. */
static int none_such(const struct conf *conf, const char *name, const char *only, struct err *e)
{
	struct buf b CLEANUP_BUF;
	buf_init(&b, 1000);
	for (size_t i = 0; i < conf->n_channels && b.n < 250; i++) {
		const struct conf_channel *ch = conf->channels[i];
		if (name && conf_channel_find(conf, name) && strcmp(ch->name, name) != 0)
			continue;
		if (!only)
			buf_addf(&b, "%s%s", b.n ? ", " : "", ch->name);
		for (size_t k = 0; only && k < ch->n_accounts && b.n < 250; k++)
			buf_addf(&b, "%s%s/%s", b.n ? ", " : "", ch->name, ch->accounts[k]->name);
	}
	return err_set(e, -ENOENT, "there is no %s%.60s%s%.60s'; %s%s%s",
		name ? "channel '" : "account '", name ? name : only,
		name && only ? "' with account '" : "", name && only ? only : "",
		b.n ? "there are: " : "none is configured", buf_z(&b), b.n < 250 ? "" : ", ...");
}

int ctl_channel_check(struct ctl_call *c, cJSON **ret, struct err *e)
{
	const char *name = json_z(c->params, "channel", NULL),
		   *only = json_z(c->params, "account", NULL);
	const struct conf *conf = c->conf;
	struct err bad = { 0 };
	size_t n = 0;

	UNUSED(ret);
	UNUSED(e);
	for (size_t i = 0; i < conf->n_channels; i++)
		n += conf->channels[i]->n_accounts;
	struct checking *p = x_calloc(1, sizeof(*p) + (n + 1) * sizeof(p->v[0]));
	p->c = c;
	p->ok = true;
	p->rows = json_arr();
	for (size_t i = 0; i < conf->n_channels; i++)
		for (size_t k = 0; k < conf->channels[i]->n_accounts; k++)
			if ((!name || strcmp(conf->channels[i]->name, name) == 0) &&
				(!only || strcmp(conf->channels[i]->accounts[k]->name, only) == 0))
				check_add(p, conf->channels[i], conf->channels[i]->accounts[k]);
	if (!p->n && (name || only)) {
		int rc = none_such(conf, name, only, &bad);
		ctl_answer(c, rc, &bad, NULL);
		cJSON_Delete(p->rows);
		free(p);
		return 0;
	}
	if (!name && !only && c->deps->public_check &&
		c->deps->public_check(c->deps->main_ctx, on_public, p))
		p->out++;
	check_more(p);
	return 0;
}
