/* rules.c - scripted behaviour of the sandbox: which request of which mailbox gets what.
 * Owns: nothing. Failures: a rule with a wrong key or value is refused whole, naming it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include "sandbox.h"

static const char *const at_names[SB_AT_N] = { "connect", "ehlo", "mail", "rcpt", "data", "final" };
static const struct {
	const char *name;
	enum sb_do what;
} do_names[] = { { "reply", SB_REPLY }, { "greylist", SB_GREYLIST }, { "delay", SB_DELAY },
	{ "silent", SB_SILENT }, { "drop", SB_DROP }, { "drop_after_dot", SB_TAKE_DROP },
	{ "silent_after_dot", SB_TAKE_SILENT }, { "cut_body", SB_CUT_BODY } };

uint64_t sb_random(struct sandbox *s)
{
	uint64_t x = s->random += 0x9e3779b97f4a7c15ull;

	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9ull;
	x = (x ^ x >> 27) * 0x94d049bb133111ebull;
	return x ^ x >> 31;
}

static int parse_rule(const cJSON *o, struct sb_rule *r, struct err *e)
{
	static const char *const known[] = { "match", "at", "do", "code", "text", "times", "skip",
		"percent", "delay_ms" };
	const char *at = json_z(o, "at", "rcpt"), *what = json_z(o, "do", "reply");

	for (const cJSON *k = o->child; k != NULL; k = k->next) {
		bool ok = false;
		for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
			ok |= strcmp(k->string, known[i]) == 0;
		if (!ok)
			return err_set(e, -EINVAL, "rule: unknown key '%s'", k->string);
	}
	*r = (struct sb_rule){ .at = SB_AT_N };
	for (size_t i = 0; i < SB_AT_N; i++)
		if (strcmp(at, at_names[i]) == 0)
			r->at = (enum sb_at)i;
	for (size_t i = 0; i < sizeof(do_names) / sizeof(do_names[0]); i++)
		if (strcmp(what, do_names[i].name) == 0)
			r->what = do_names[i].what;
	if (r->at == SB_AT_N)
		return err_set(e, -EINVAL,
			"rule: at '%s' is none of connect, ehlo, mail, rcpt, data, final", at);
	if (r->what == 0)
		return err_set(e, -EINVAL,
			"rule: do '%s' is none of reply, greylist, delay, silent, "
			"drop, drop_after_dot, silent_after_dot, cut_body",
			what);
	(void)snprintf(r->match, sizeof(r->match), "%s", json_z(o, "match", "*"));
	(void)snprintf(r->text, sizeof(r->text), "%s", json_z(o, "text", ""));
	r->code = (int)json_i64(o, "code", 550);
	r->times = json_i64(o, "times", 0);
	r->skip = json_i64(o, "skip", 0);
	r->delay_ms = json_i64(o, "delay_ms", 0);
	r->percent = (int)json_i64(o, "percent", 100);
	if (r->what == SB_REPLY && (r->code < 200 || r->code > 599))
		return err_set(e, -EINVAL, "rule: code %d is no SMTP code", r->code);
	return 0;
}

int sb_rules_load(struct sandbox *s, const cJSON *arr, bool replace, struct err *e)
{
	size_t n = replace ? 0 : s->n_rules;
	const cJSON *it;
	struct sb_rule r;

	if (!cJSON_IsArray(arr))
		return err_set(e, -EINVAL, "rules: an array is needed");
	cJSON_ArrayForEach(it, arr)
	{
		int rc = parse_rule(it, &r, e);
		if (rc < 0)
			return rc;
		n++;
	}
	if (n > SB_RULES_MAX)
		return err_set(e, -E2BIG, "rules: over %d", SB_RULES_MAX);
	if (replace)
		s->n_rules = 0;
	cJSON_ArrayForEach(it, arr)
	{
		if (parse_rule(it, &s->rules[s->n_rules], e) == 0)
			s->n_rules++;
	}
	return 0;
}

static void flag_of(const cJSON *o, const char *key, bool *ret)
{
	*ret = json_bool(o, key, *ret);
}

int sb_options_set(struct sandbox *s, const cJSON *o, struct err *e)
{
	struct sb_options *p = &s->opt;

	if (!cJSON_IsObject(o))
		return err_set(e, -EINVAL, "options: an object is needed");
	flag_of(o, "pipelining", &p->pipelining);
	flag_of(o, "lower_case", &p->lower_case);
	flag_of(o, "dsn", &p->dsn);
	flag_of(o, "smtputf8", &p->smtputf8);
	flag_of(o, "store_mails", &p->store_mails);
	flag_of(o, "log_refused", &p->log_refused);
	p->size = json_i64(o, "size", p->size);
	p->max_mails = json_i64(o, "max_mails", p->max_mails);
	p->max_rcpt = json_i64(o, "max_rcpt", p->max_rcpt);
	p->greeting_delay_ms = json_i64(o, "greeting_delay_ms", p->greeting_delay_ms);
	if (json_has(o, "user"))
		(void)snprintf(p->user, sizeof(p->user), "%s", json_z(o, "user", ""));
	if (json_has(o, "password"))
		(void)snprintf(p->password, sizeof(p->password), "%s", json_z(o, "password", ""));
	if (json_has(o, "seed"))
		s->random = (uint64_t)json_i64(o, "seed", 1);
	return 0;
}

static bool match(const struct sb_rule *r, struct str mailbox)
{
	size_t n = strlen(r->match);

	if (strcmp(r->match, "*") == 0)
		return true;
	if (mailbox.n < n || (r->match[0] != '@' && mailbox.n != n))
		return false;
	return strncasecmp(mailbox.p + mailbox.n - n, r->match, n) == 0;
}

struct sb_rule *sb_rule_hit(struct sandbox *s, enum sb_at at, struct str mailbox)
{
	for (size_t i = 0; i < s->n_rules; i++) {
		struct sb_rule *r = &s->rules[i];
		if (r->at != at || !match(r, mailbox))
			continue;
		if (r->times > 0 && r->hits >= r->skip + r->times)
			continue;
		if (r->percent < 100 && (int)(sb_random(s) % 100) >= r->percent)
			continue;
		if (r->hits++ < r->skip)
			continue;
		return r;
	}
	return NULL;
}

bool sb_greylisted(struct sandbox *s, const struct sb_rule *r, struct str from, struct str to)
{
	uint64_t h = 1469598103934665603ull;

	for (size_t i = 0; i < from.n; i++)
		h = (h ^ (unsigned char)from.p[i]) * 1099511628211ull;
	for (size_t i = 0; i < to.n; i++)
		h = (h ^ (unsigned char)to.p[i]) * 1099511628211ull;
	struct sb_seen *v = &s->seen[h % SB_FIRST_SEEN];
	if (v->hash != h)
		*v = (struct sb_seen){ h, sb_now_ms() };
	return sb_now_ms() - v->at_ms < r->delay_ms;
}
