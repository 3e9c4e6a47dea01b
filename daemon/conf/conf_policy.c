/* conf_policy.c - the rules in force as one line for the audit: what an auditor must see change. Thread: any.
 * Long lists stand there as a count and the first half of a hash, so that a change shows and the line stays short.
 */
#include <stdio.h>
#include <string.h>
#include "base/assert.h"
#include "base/buf.h"
#include "base/utf8.h"
#include "conf/conf.h"

#define STEP_SHOWN 60 /* bytes of the name of an approval step */

static void add_z(struct hasher *h, const char *z)
{
	hasher_field(h, z ? z : "", z ? strlen(z) : 0);
}

static void add_i64(struct hasher *h, int64_t n)
{
	char text[32];
	int len = snprintf(text, sizeof(text), "%lld", (long long)n);
	hasher_field(h, text, (size_t)len);
}

static void add_double(struct hasher *h, double x)
{
	char text[40]; /* all of it: 1/d is 0.0000116 a second */
	int len = snprintf(text, sizeof(text), "%.17g", x);
	hasher_field(h, text, (size_t)len);
}

static void add_strv(struct hasher *h, const struct conf_strv *v)
{
	add_i64(h, (int64_t)v->n);
	for (size_t i = 0; i < v->n; i++)
		add_z(h, v->v[i]);
}

static void add_pairs(struct hasher *h, const struct conf_pair *p, size_t n)
{
	add_i64(h, (int64_t)n);
	for (size_t i = 0; i < n; i++) {
		add_z(h, p[i].name);
		add_z(h, p[i].value);
	}
}

static void add_nets(struct hasher *h, const struct conf_nets *v)
{
	add_i64(h, (int64_t)v->n);
	for (size_t i = 0; i < v->n; i++)
		hasher_field(h, &v->v[i], sizeof(v->v[i]));
}

static void add_hours(struct hasher *h, const struct conf_hours *x)
{
	add_i64(h, (int64_t)x->n);
	for (size_t i = 0; i < x->n; i++) {
		add_i64(h, x->span[i].days);
		add_i64(h, x->span[i].from_min);
		add_i64(h, x->span[i].to_min);
	}
}

/* Where they come from; what they are stands nowhere. */
static void add_secrets(struct hasher *h, const struct conf_secret *s, size_t n)
{
	add_i64(h, (int64_t)n);
	for (size_t i = 0; i < n; i++) {
		add_z(h, s[i].name);
		add_z(h, s[i].file);
		add_i64(h, s[i].credential);
	}
}

/* Where it is, not by which password. */
static void add_proxy(struct hasher *h, const char *url)
{
	const char *at = url ? strrchr(url, '@') : NULL;
	add_z(h, at ? at : url);
}

static void put_sum(struct buf *b, struct hasher *h)
{
	struct hash sum;
	char hex[HASH_HEX];
	hasher_end(h, &sum);
	hash_hex(&sum, hex);
	(void)buf_addf(b, "%.32s", hex);
}

static void put_hash(struct buf *b, const char *name, size_t n, struct hasher *h)
{
	(void)buf_addf(b, "; %s: %zu, ", name, n);
	put_sum(b, h);
}

static void add_limits(struct hasher *h, const struct money_limits *l)
{
	for (int i = 0; i < MONEY_PERIODS; i++) {
		add_i64(h, l->dong[i]);
		add_i64(h, l->messages[i]);
	}
}

static void add_times(struct hasher *h, const int64_t *ms, size_t n)
{
	add_i64(h, (int64_t)n);
	for (size_t i = 0; i < n; i++)
		add_i64(h, ms[i]);
}

static void add_lane(struct hasher *h, const struct conf_lane *l)
{
	add_double(h, l->rate_per_s);
	add_double(h, l->burst);
	add_hours(h, &l->hours);
	add_i64(h, l->concurrency);
	add_i64(h, l->intents_max);
	add_i64(h, l->min_gap_ms);
	add_i64(h, l->tries_max);
	add_i64(h, l->max_age_ms);
	add_i64(h, l->unknown_max_ms);
	add_i64(h, l->unknown_max_urgent_ms);
	add_i64(h, l->unknown_then);
	add_times(h, l->backoff_ms, l->n_backoff);
	add_times(h, l->urgent_backoff_ms, l->n_urgent_backoff);
	add_i64(h, l->op_timeout_ms);
	add_i64(h, l->receipt_wait_ms);
	add_i64(h, l->ask_every_ms);
	add_i64(h, l->breaker_failures);
	add_i64(h, l->breaker_pause_ms);
	add_i64(h, l->breaker_pause_max_ms);
	add_i64(h, l->bulk);
	add_limits(h, &l->limits);
}

static void put_people(const struct conf *c, struct buf *b)
{
	struct hasher h;
	hasher_init(&h);
	for (size_t i = 0; i < c->n_people; i++) {
		const struct conf_person *p = &c->people[i];
		add_z(&h, p->name);
		add_z(&h, p->user);
		add_i64(&h, p->uid);
		add_i64(&h, p->roles);
		add_z(&h, p->office);
		add_i64(&h, p->gateway);
		add_z(&h, p->key_fingerprint);
	}
	put_hash(b, "people", c->n_people, &h);
}

/* Who may call us, and which words take somebody off. */
static void add_doors(struct hasher *h, const struct conf_channel *ch)
{
	add_i64(h, ch->webhook.secret.name != NULL);
	add_nets(h, &ch->webhook.allow);
	add_nets(h, &ch->webhook.proxies);
	add_i64(h, ch->inbound.no_opt_out);
	add_strv(h, &ch->inbound.opt_out);
	add_strv(h, &ch->inbound.opt_in);
}

static void add_casts(struct hasher *h, const struct cast_limits *c)
{
	add_i64(h, c->month);
	add_i64(h, c->campaign);
	add_i64(h, c->from_day);
}

/* As whom, by whom and how it is sent. */
static void add_channel(struct hasher *h, const struct conf_channel *ch)
{
	add_i64(h, ch->kind);
	add_pairs(h, ch->settings, ch->n_settings);
	add_pairs(h, ch->files, ch->n_files);
	add_secrets(h, ch->secrets, ch->n_secrets);
	add_casts(h, &ch->broadcasts);
	add_hours(h, &ch->broadcast_hours);
	add_z(h, ch->tls.ca_file);
	add_z(h, ch->tls.cert_file);
	add_i64(h, ch->tls.insecure_loopback);
	add_proxy(h, ch->proxy);
	add_z(h, ch->exec);
	add_i64(h, ch->correct_edit);
	add_i64(h, ch->exchange_keep_ms);
	add_i64(h, (int64_t)ch->n_groups);
	for (size_t i = 0; i < ch->n_groups; i++) {
		add_z(h, ch->groups[i].name);
		add_double(h, ch->groups[i].rate_per_s);
		add_double(h, ch->groups[i].burst);
	}
	add_i64(h, (int64_t)ch->n_accounts);
	for (size_t i = 0; i < ch->n_accounts; i++) {
		const struct conf_account *a = ch->accounts[i];
		add_z(h, a->name);
		add_z(h, a->identity);
		add_z(h, a->credential);
		add_pairs(h, a->settings, a->n_settings);
		add_secrets(h, a->secrets, a->n_secrets);
		add_strv(h, &a->limit_groups);
		add_casts(h, &a->broadcasts);
	}
}

/* Whom trial mode may contact, where texts may lead, and what else decides by itself. */
static void put_bounds(const struct conf *c, struct buf *b)
{
	struct hasher h;
	hasher_init(&h);
	add_strv(&h, &c->allow_only);
	put_hash(b, "allow_only", c->allow_only.n, &h);
	hasher_init(&h);
	add_strv(&h, &c->own_domains);
	put_hash(b, "own_domains", c->own_domains.n, &h);
	const int64_t rules[] = { c->zone.offset_s, c->suppress.hard, c->suppress.hard_mailbox_off,
		c->suppress.domain, c->suppress.soft, c->suppress.hard_mailbox_off_ms,
		c->suppress.domain_ms, c->suppress.soft_ms, c->similar_days, c->fence_after_ms,
		c->exchange_keep_ms, c->push_assets };
	hasher_init(&h);
	for (size_t i = 0; i < ARRAY_LEN(rules); i++)
		add_i64(&h, rules[i]);
	add_double(&h, c->urgent_share);
	add_z(&h, c->zone.name);
	add_z(&h, c->public_url);
	add_strv(&h, &c->push_program);
	add_proxy(&h, c->link_proxy);
	add_z(&h, c->link_ca_pem);
	add_z(&h, c->token_mirror);
	(void)buf_addz(b, "; others: ");
	put_sum(b, &h);
}

static void put_ways(const struct conf *c, struct buf *b)
{
	struct hasher h;
	hasher_init(&h);
	for (size_t i = 0; i < c->n_routes; i++) {
		add_i64(&h, c->routes[i].kind);
		add_z(&h, c->routes[i].office);
		add_z(&h, c->routes[i].channel);
		add_z(&h, c->routes[i].account);
	}
	put_hash(b, "routes", c->n_routes, &h);
	hasher_init(&h);
	for (size_t i = 0; i < c->n_channels; i++) {
		const struct conf_channel *ch = c->channels[i];
		add_z(&h, ch->name);
		add_z(&h, ch->adapter);
		add_lane(&h, &ch->lane);
		add_doors(&h, ch);
		add_channel(&h, ch);
		for (size_t k = 0; k < ch->n_accounts; k++) {
			if (!ch->accounts[k]->backup)
				continue;
			add_z(&h, ch->accounts[k]->name);
			add_z(&h, ch->accounts[k]->backup);
			add_i64(&h, ch->accounts[k]->backup_after_ms);
		}
		for (size_t k = 0; k < ch->n_classes; k++) {
			add_z(&h, ch->classes[k].name);
			add_lane(&h, &ch->classes[k].lane);
		}
	}
	put_hash(b, "channels", c->n_channels, &h);
}

static void put_money(const struct conf *c, struct buf *b)
{
	struct hasher h;
	hasher_init(&h);
	for (size_t i = 0; i < c->n_budgets; i++) {
		const struct conf_budget *x = &c->budgets[i];
		add_z(&h, x->name);
		add_limits(&h, &x->limits);
		add_i64(&h, x->waits_set ? 1 + x->waits : 0);
	}
	put_hash(b, "budgets", c->n_budgets, &h);
	hasher_init(&h);
	for (size_t i = 0; i < c->n_category_rules; i++) {
		const struct conf_category_rule *r = &c->category_rules[i];
		add_i64(&h, r->category);
		add_i64(&h, r->per_recipient);
		add_i64(&h, r->per_window_ms);
		if (r->consent)
			add_i64(&h, r->consent_in_ms);
		add_hours(&h, &r->hours);
	}
	put_hash(b, "categories", c->n_category_rules, &h);
}

static const char *role_word(unsigned role)
{
	switch (role) {
	case ROLE_VIEWER: return "viewer";
	case ROLE_EDITOR: return "editor";
	case ROLE_APPROVER: return "approver";
	case ROLE_OPERATOR: return "operator";
	case ROLE_ADMIN: return "admin";
	default: return "several";
	}
}

void conf_policy_text(const struct conf *c, struct buf *b)
{
	(void)buf_addz(b, "approval:");
	for (size_t i = 0; i < c->n_steps; i++) {
		struct str name = utf8_cut(str_of(c->steps[i].name), STEP_SHOWN);
		(void)buf_addf(b, "%s" STR_FMT "=%s", i ? ", " : " ", STR_ARG(name),
			role_word(c->steps[i].role));
	}
	(void)buf_addf(b, "%s; mode: %s; growth: %lld%% and %lld",
		c->n_steps ? "" : " approve=approver", c->trial ? "trial" : "live",
		(long long)c->growth_percent, (long long)c->growth_count);
	put_people(c, b);
	put_ways(c, b);
	put_money(c, b);
	put_bounds(c, b);
}
