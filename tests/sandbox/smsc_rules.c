/* smsc_rules.c - the script of the imitated SMSC. Failures: a wrong key or value is refused whole, naming it. */
#include <stdio.h>
#include <string.h>
#include "smsc.h"

static const char *const at_names[SMSC_AT_N] = { "bind", "submit", "enquire" };
static const struct {
	const char *name;
	enum smsc_do what;
} do_names[] = { { "status", SMSC_STATUS }, { "nack", SMSC_NACK }, { "silent", SMSC_SILENT },
	{ "take_silent", SMSC_TAKE_SILENT }, { "drop", SMSC_DROP }, { "take_drop", SMSC_TAKE_DROP },
	{ "delay", SMSC_DELAY }, { "unbind", SMSC_UNBIND }, { "garbage", SMSC_GARBAGE } };

static int known(const cJSON *o, const char *const *keys, const char *what, struct err *e)
{
	for (const cJSON *k = o->child; k != NULL; k = k->next) {
		bool ok = false;
		for (size_t i = 0; keys[i] != NULL; i++)
			ok |= strcmp(k->string, keys[i]) == 0;
		if (!ok)
			return err_set(e, -EINVAL, "%s: unknown key '%s'", what, k->string);
	}
	return 0;
}

static int parse_rule(const cJSON *o, struct smsc_rule *r, struct err *e)
{
	static const char *const keys[] = { "match", "at", "do", "code", "times", "skip", "percent",
		"delay_ms", NULL };
	const char *at = json_z(o, "at", "submit"), *what = json_z(o, "do", "status");
	int rc = known(o, keys, "rule", e);

	if (rc < 0)
		return rc;
	*r = (struct smsc_rule){ .at = SMSC_AT_N };
	for (size_t i = 0; i < SMSC_AT_N; i++)
		if (strcmp(at, at_names[i]) == 0)
			r->at = (enum smsc_at)i;
	for (size_t i = 0; i < sizeof(do_names) / sizeof(do_names[0]); i++)
		if (strcmp(what, do_names[i].name) == 0)
			r->what = do_names[i].what;
	if (r->at == SMSC_AT_N)
		return err_set(e, -EINVAL, "rule: at '%s' is none of bind, submit, enquire", at);
	if (r->what == 0)
		return err_set(e, -EINVAL,
			"rule: do '%s' is none of status, nack, silent, take_silent, drop, take_drop, delay, unbind, garbage",
			what);
	(void)snprintf(r->match, sizeof(r->match), "%s", json_z(o, "match", "*"));
	r->code = (uint32_t)json_i64(o, "code", 8);
	r->times = json_i64(o, "times", 0);
	r->skip = json_i64(o, "skip", 0);
	r->delay_ms = json_i64(o, "delay_ms", 0);
	r->percent = (int)json_i64(o, "percent", 100);
	return 0;
}

static int load_rules(struct smsc *c, const cJSON *arr, bool replace, struct err *e)
{
	size_t n = replace ? 0 : c->n_rules;
	const cJSON *it;
	struct smsc_rule r;

	if (!cJSON_IsArray(arr))
		return err_set(e, -EINVAL, "rules: an array is needed");
	cJSON_ArrayForEach(it, arr)
	{
		int rc = parse_rule(it, &r, e);
		if (rc < 0)
			return rc;
		n++;
	}
	if (n > SMSC_RULES_MAX)
		return err_set(e, -E2BIG, "rules: over %u", SMSC_RULES_MAX);
	c->n_rules = replace ? 0 : c->n_rules;
	cJSON_ArrayForEach(it, arr)
	{
		if (parse_rule(it, &c->rules[c->n_rules], e) == 0)
			c->n_rules++;
	}
	return 0;
}

static void word(const cJSON *o, const char *key, char *dst, size_t size)
{
	if (json_has(o, key))
		(void)snprintf(dst, size, "%s", json_z(o, key, ""));
}

static int load_options(struct smsc *c, const cJSON *o, struct err *e)
{
	static const char *const keys[] = { "user", "password", "window", "window_code", "per_s",
		"ids", "reports", "report_ms", "report_ids", "report_tlv", "state", "err", "order",
		"text", NULL };
	struct smsc_options *p = &c->opt;
	int rc = known(o, keys, "options", e);

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
		rc = load_rules(c, json_get(in, "rules"), json_bool(in, "replace", true), e);
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
		if (r->times > 0 && r->hits >= r->skip + r->times)
			continue;
		if (r->percent < 100 && (int)(sb_random(c->s) % 100) >= r->percent)
			continue;
		if (r->hits++ < r->skip)
			continue;
		return r;
	}
	return NULL;
}

void smsc_stats(const struct smsc *c, cJSON *o)
{
	json_put_i64(o, "taken", (int64_t)c->taken);
	json_put_i64(o, "segments", (int64_t)c->segments);
	json_put_i64(o, "refused", (int64_t)c->refused);
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
