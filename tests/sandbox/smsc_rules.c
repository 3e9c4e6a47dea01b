/* smsc_rules.c - the script of the imitated SMSC. Failures: a wrong key or value is refused whole, naming it. */
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/assert.h"
#include "rules.h"
#include "smsc.h"

static const char *const keys[] = { "match", "at", "do", "code", NULL };
static const struct sb_word at_words[] = { { "bind", SMSC_AT_BIND }, { "submit", SMSC_AT_SUBMIT },
	{ "enquire", SMSC_AT_ENQUIRE }, { NULL, 0 } };
static const struct sb_word do_words[] = { { "status", SMSC_STATUS }, { "nack", SMSC_NACK },
	{ "silent", SMSC_SILENT }, { "take_silent", SMSC_TAKE_SILENT }, { "drop", SMSC_DROP },
	{ "take_drop", SMSC_TAKE_DROP }, { "delay", SMSC_DELAY }, { "unbind", SMSC_UNBIND },
	{ "garbage", SMSC_GARBAGE }, { NULL, 0 } };

static int parse_rule(const cJSON *o, void *rule, struct err *e)
{
	struct smsc_rule *r = rule;
	int at = 0, what = 0;
	const struct sb_choice words[] = { { "at", "submit", at_words, &at },
		{ "do", "status", do_words, &what } };
	int rc = sb_rule_words("rule", o, words, ARRAY_LEN(words), e);

	if (rc < 0)
		return rc;
	r->at = (enum smsc_at)at;
	r->what = (enum smsc_do)what;
	(void)snprintf(r->match, sizeof(r->match), "%s", json_z(o, "match", "*"));
	r->code = (uint32_t)json_i64(o, "code", 8);
	return 0;
}

static const struct sb_rule_kind kind = { .what = "rule",
	.keys = keys,
	.size = sizeof(struct smsc_rule),
	.max = SMSC_RULES_MAX,
	.pace_at = offsetof(struct smsc_rule, pace),
	.parse = parse_rule };

static void word(const cJSON *o, const char *key, char *dst, size_t size)
{
	if (json_has(o, key))
		(void)snprintf(dst, size, "%s", json_z(o, key, ""));
}

static int load_options(struct smsc *c, const cJSON *o, struct err *e)
{
	static const char *const known[] = { "user", "password", "window", "window_code", "per_s",
		"ids", "reports", "report_ms", "report_ids", "report_tlv", "state", "err", "order",
		"text", NULL };
	struct smsc_options *p = &c->opt;
	int rc = sb_keys_known(o, "options", known, NULL, e);

	if (rc < 0)
		return rc;
	word(o, "user", p->user, sizeof(p->user));
	word(o, "password", p->password, sizeof(p->password));
	word(o, "ids", p->ids, sizeof(p->ids));
	word(o, "reports", p->reports, sizeof(p->reports));
	word(o, "report_ids", p->report_ids, sizeof(p->report_ids));
	word(o, "state", p->state, sizeof(p->state));
	word(o, "err", p->err, sizeof(p->err));
	p->window = json_i64(o, "window", p->window);
	p->window_code = json_i64(o, "window_code", p->window_code);
	p->per_s = json_i64(o, "per_s", p->per_s);
	p->report_ms = json_i64(o, "report_ms", p->report_ms);
	p->report_tlv = json_bool(o, "report_tlv", p->report_tlv);
	p->text = json_bool(o, "text", p->text);
	if (json_has(o, "order"))
		p->reversed = strcmp(json_z(o, "order", "fifo"), "reversed") == 0;
	return 0;
}

int smsc_script(struct smsc *c, const cJSON *in, struct err *e)
{
	int rc = 0;

	if (json_has(in, "options"))
		rc = load_options(c, json_get(in, "options"), e);
	if (rc == 0 && json_has(in, "rules"))
		rc = sb_rules_put(&kind, json_get(in, "rules"), json_bool(in, "replace", true),
			c->rules, &c->n_rules, e);
	return rc;
}

struct smsc_rule *smsc_rule_hit(struct smsc *c, enum smsc_at at, struct str dest)
{
	for (size_t i = 0; i < c->n_rules; i++) {
		struct smsc_rule *r = &c->rules[i];
		size_t n = strlen(r->match);
		if (r->at != at)
			continue;
		if (strcmp(r->match, "*") != 0 &&
			(dest.n < n || memcmp(dest.p + dest.n - n, r->match, n) != 0))
			continue;
		if (sb_pace_acts(c->s, &r->pace))
			return r;
	}
	return NULL;
}

void smsc_stats(const struct smsc *c, cJSON *o)
{
	json_put_i64(o, "taken", (int64_t)c->taken);
	json_put_i64(o, "segments", (int64_t)c->segments);
	json_put_i64(o, "refused", (int64_t)c->refused);
	json_put_i64(o, "sms_refused",
		(int64_t)c->refused); /* the answer has a `refused` of mails, too */
	json_put_i64(o, "throttled", (int64_t)c->throttled);
	json_put_i64(o, "lost_answers", (int64_t)c->lost);
	json_put_i64(o, "reports_sent", (int64_t)c->sent_reports);
	json_put_i64(o, "reports_acked", (int64_t)c->acked);
	json_put_i64(o, "reports_left", (int64_t)c->n_reports);
	json_put_i64(o, "mo_acked", (int64_t)c->mo_acked);
	json_put_i64(o, "binds", (int64_t)c->binds);
	json_put_i64(o, "links", (int64_t)c->n_conns);
	json_put_i64(o, "again", (int64_t)c->again);
}
