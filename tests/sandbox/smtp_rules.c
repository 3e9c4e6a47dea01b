/* smtp_rules.c - scripted behaviour of the sandbox's mail side: which command for which mailbox gets what; its options.
 * Owns: nothing. Failures: a rule with a wrong key or value is refused whole, naming it. */
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/assert.h"
#include "rules.h"

static const char *const keys[] = { "match", "at", "do", "code", "text", NULL };
static const struct sb_word at_words[] = { { "connect", SB_AT_CONNECT }, { "ehlo", SB_AT_EHLO },
	{ "mail", SB_AT_MAIL }, { "rcpt", SB_AT_RCPT }, { "data", SB_AT_DATA },
	{ "final", SB_AT_FINAL }, { NULL, 0 } };
static const struct sb_word do_words[] = { { "reply", SB_REPLY }, { "greylist", SB_GREYLIST },
	{ "delay", SB_DELAY }, { "silent", SB_SILENT }, { "drop", SB_DROP },
	{ "drop_after_dot", SB_TAKE_DROP }, { "silent_after_dot", SB_TAKE_SILENT },
	{ "cut_body", SB_CUT_BODY }, { NULL, 0 } };

static int parse_rule(const cJSON *o, void *rule, struct err *e)
{
	struct sb_rule *r = rule;
	int at = 0, what = 0;
	const struct sb_choice words[] = { { "at", "rcpt", at_words, &at },
		{ "do", "reply", do_words, &what } };
	int rc = sb_rule_words("rule", o, words, ARRAY_LEN(words), e);

	if (rc < 0)
		return rc;
	r->at = (enum sb_at)at;
	r->what = (enum sb_do)what;
	(void)snprintf(r->match, sizeof(r->match), "%s", json_z(o, "match", "*"));
	(void)snprintf(r->text, sizeof(r->text), "%s", json_z(o, "text", ""));
	r->code = (int)json_i64(o, "code", 550);
	if (r->what == SB_REPLY && (r->code < 200 || r->code > 599))
		return err_set(e, -EINVAL, "rule: code %d is no SMTP code", r->code);
	return 0;
}

static const struct sb_rule_kind kind = { .what = "rule",
	.keys = keys,
	.size = sizeof(struct sb_rule),
	.max = SB_RULES_MAX,
	.pace_at = offsetof(struct sb_rule, pace),
	.parse = parse_rule };

int sb_rules_load(struct sandbox *s, const cJSON *arr, bool replace, struct err *e)
{
	return sb_rules_put(&kind, arr, replace, s->rules, &s->n_rules, e);
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
		if (r->at == at && match(r, mailbox) && sb_pace_acts(s, &r->pace))
			return r;
	}
	return NULL;
}

bool sb_greylisted(struct sandbox *s, const struct sb_rule *r, struct str from, struct str to)
{
	uint64_t h = str_hash(str_hash(STR_HASH_SEED, from), to);
	struct sb_seen *v = &s->seen[h % SB_FIRST_SEEN];
	if (v->hash != h)
		*v = (struct sb_seen){ h, sb_now_ms() };
	return sb_now_ms() - v->at_ms < r->pace.delay_ms;
}
