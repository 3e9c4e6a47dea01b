/* conf_policy.c - the rules in force as one line for the audit: what an auditor must see change. Thread: any.
 * Long lists stand there as a count and the first half of a hash, so that a change shows and the line stays short.
 */
#include <stdio.h>
#include <string.h>
#include "base/buf.h"
#include "conf/conf.h"

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
	add_i64(h, (int64_t)(x * 1000));
}

static void put_hash(struct buf *b, const char *name, size_t n, struct hasher *h)
{
	struct hash sum;
	char hex[HASH_HEX];
	hasher_end(h, &sum);
	hash_hex(&sum, hex);
	(void)buf_addf(b, "; %s: %zu, %.32s", name, n, hex);
}

static void add_lane(struct hasher *h, const struct conf_lane *l)
{
	add_double(h, l->rate_per_s);
	add_double(h, l->burst);
	for (size_t i = 0; i < l->hours.n; i++) {
		add_i64(h, l->hours.span[i].days);
		add_i64(h, l->hours.span[i].from_min);
		add_i64(h, l->hours.span[i].to_min);
	}
	add_i64(h, l->concurrency);
	add_i64(h, l->intents_max);
	add_i64(h, l->min_gap_ms);
	add_i64(h, l->tries_max);
	add_i64(h, l->max_age_ms);
	add_i64(h, l->unknown_max_ms);
	add_i64(h, l->unknown_max_urgent_ms);
	add_i64(h, l->unknown_then);
	for (int i = 0; i < MONEY_PERIODS; i++) {
		add_i64(h, l->limits.dong[i]);
		add_i64(h, l->limits.messages[i]);
	}
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
	for (size_t i = 0; i < ch->webhook.allow.n; i++)
		hasher_field(h, &ch->webhook.allow.v[i], sizeof(ch->webhook.allow.v[i]));
	for (size_t i = 0; i < ch->webhook.proxies.n; i++)
		hasher_field(h, &ch->webhook.proxies.v[i], sizeof(ch->webhook.proxies.v[i]));
	add_i64(h, ch->inbound.no_opt_out);
	for (size_t i = 0; i < ch->inbound.opt_out.n; i++)
		add_z(h, ch->inbound.opt_out.v[i]);
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

static void add_limits(struct hasher *h, const struct money_limits *l)
{
	for (int i = 0; i < MONEY_PERIODS; i++) {
		add_i64(h, l->dong[i]);
		add_i64(h, l->messages[i]);
	}
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
		for (size_t k = 0; k < r->hours.n; k++) {
			add_i64(&h, r->hours.span[k].days);
			add_i64(&h, r->hours.span[k].from_min);
			add_i64(&h, r->hours.span[k].to_min);
		}
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
	for (size_t i = 0; i < c->n_steps; i++)
		(void)buf_addf(b, "%s%.60s=%s", i ? ", " : " ", c->steps[i].name,
			role_word(c->steps[i].role));
	(void)buf_addf(b, "%s; mode: %s; growth: %lld%% and %lld",
		c->n_steps ? "" : " approve=approver", c->trial ? "trial" : "live",
		(long long)c->growth_percent, (long long)c->growth_count);
	put_people(c, b);
	put_ways(c, b);
	put_money(c, b);
}
