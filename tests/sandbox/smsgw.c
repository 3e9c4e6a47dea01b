/* smsgw.c - the gateway's memory: what was taken, rules, duties. See smsgw.h. */
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "rules.h"
#include "smsgw.h"

static struct smsgw gw;

void gw_e164(char dst[static 20], struct str to)
{
	char digits[20];
	size_t n = 0;

	for (size_t i = 0; i < to.n && n < sizeof(digits) - 1; i++)
		if (to.p[i] >= '0' && to.p[i] <= '9')
			digits[n++] = to.p[i];
	digits[n] = '\0';
	if (digits[0] == '0')
		(void)snprintf(dst, 20, "+84%s", digits + 1);
	else
		(void)snprintf(dst, 20, "+%s", digits);
}

const char *gw_rule(struct smsgw *g, const char *vendor, struct str to)
{
	char e164[20];

	gw_e164(e164, to);
	for (size_t i = 0; i < g->n_rules; i++) {
		struct gw_rule *r = &g->rules[i];
		if ((strcmp(r->vendor, vendor) != 0 && strcmp(r->vendor, "*") != 0) ||
			(strcmp(r->to, e164) != 0 && strcmp(r->to, "*") != 0) ||
			!sb_pace_acts(g->s, &r->pace))
			continue;
		g->s->refused++;
		return r->code;
	}
	return NULL;
}

bool gw_seen(const struct smsgw *g, const char *vendor, struct str ref)
{
	for (size_t i = g->n; i > 0; i--)
		if (strcmp(g->msg[i - 1].vendor, vendor) == 0 && str_eqz(ref, g->msg[i - 1].ref))
			return true;
	return false;
}

const struct gw_msg *gw_find(const struct smsgw *g, const char *vendor, struct str id)
{
	for (size_t i = g->n; i > 0; i--)
		if (strcmp(g->msg[i - 1].vendor, vendor) == 0 && str_eqz(id, g->msg[i - 1].id))
			return &g->msg[i - 1];
	return NULL;
}

const struct gw_msg *gw_take(struct smsgw *g, const char *vendor, struct str to, struct str text,
	struct str ref, const char *id, struct str callback)
{
	cJSON *line = json_obj();

	if (g->n == GW_MESSAGES_MAX) /* the oldest half is forgotten */
		memmove(g->msg, g->msg + GW_MESSAGES_MAX / 2,
			(g->n = GW_MESSAGES_MAX / 2) * sizeof(*g->msg));
	struct gw_msg *m = &g->msg[g->n++];
	*m = (struct gw_msg){ .vendor = vendor };
	(void)snprintf(m->id, sizeof(m->id), "%s", id);
	(void)snprintf(m->ref, sizeof(m->ref), STR_FMT, STR_ARG(ref));
	(void)snprintf(m->callback, sizeof(m->callback), STR_FMT, STR_ARG(callback));
	gw_e164(m->to, to);
	json_put_z(line, "t", "sms");
	json_put_z(line, "vendor", vendor);
	json_put_z(line, "to", m->to);
	json_put_str(line, "text", text);
	json_put_z(line, "id", id);
	json_put_str(line, "ref", ref);
	sb_ledger_json(g->s, line);
	g->s->taken++;
	m->failed = strcmp(g->state, "failed") == 0;
	for (int64_t i = 0; i < g->repeat && strcmp(g->state, "none") != 0; i++)
		gw_report(g, m, g->delay_ms + i * 20, g->state, "none");
	return m;
}

/* --- duties ------------------------------------------------------------------------------------------------------------------ */
static const char *const keys[] = { "vendor", "to", "code", NULL };

static int parse_rule(const cJSON *o, void *rule, struct err *e)
{
	struct gw_rule *r = rule;

	(void)e; /* every text is right */
	(void)snprintf(r->vendor, sizeof(r->vendor), "%s", json_z(o, "vendor", "*"));
	(void)snprintf(r->to, sizeof(r->to), "%s", json_z(o, "to", "*"));
	(void)snprintf(r->code, sizeof(r->code), "%s", json_z(o, "code", ""));
	return 0;
}

static const struct sb_rule_kind kind = { .what = "rule",
	.keys = keys,
	.size = sizeof(struct gw_rule),
	.max = GW_RULES_MAX,
	.pace_at = offsetof(struct gw_rule, pace),
	.parse = parse_rule };

static int rules_set(struct smsgw *g, const cJSON *arr, struct err *e)
{
	size_t n;
	void *more;
	int rc = sb_rules_read(&kind, arr, 0, &more, &n, e);

	if (rc < 0)
		return rc;
	memcpy(g->rules, more, n * sizeof(g->rules[0]));
	g->n_rules = n;
	free(more);
	return 0;
}

static int push(struct smsgw *g, const cJSON *in, struct err *e)
{
	const char *vendor = json_z(in, "vendor", ""), *to = json_z(in, "to", "*");
	int64_t times = json_i64(in, "times", 1);

	for (size_t i = g->n; i > 0; i--) {
		const struct gw_msg *m = &g->msg[i - 1];
		if (strcmp(m->vendor, vendor) != 0 ||
			(strcmp(to, "*") != 0 && strcmp(m->to, to) != 0))
			continue;
		for (int64_t k = 0; k < times && k < 1000; k++)
			gw_report(g, m, k / 20, json_z(in, "state", "delivered"),
				json_z(in, "forge", "none"));
		return 0;
	}
	return err_set(e, -ENOENT, "no text of '%s' to '%s' was taken", vendor, to);
}

static int words(struct smsgw *g, const cJSON *in, struct err *e)
{
	int rc = 0;

	if (json_has(in, "callback"))
		(void)snprintf(g->callback, sizeof(g->callback), "%s", json_z(in, "callback", ""));
	if (json_has(in, "state"))
		(void)snprintf(g->state, sizeof(g->state), "%s", json_z(in, "state", "delivered"));
	g->delay_ms = json_i64(in, "delay_ms", g->delay_ms);
	g->repeat = json_i64(in, "repeat", g->repeat);
	g->expired |= json_bool(in, "expire", false);
	if (json_has(in, "rules"))
		rc = rules_set(g, json_get(in, "rules"), e);
	if (rc == 0 && json_has(in, "push"))
		rc = push(g, json_get(in, "push"), e);
	return rc;
}

static int do_smsgw(void *ctx, const cJSON *in, cJSON *ret, struct err *e)
{
	struct smsgw *g = ctx;

	json_put_i64(ret, "taken", (int64_t)g->n);
	return words(g, in, e);
}

static void on_request(void *ctx, struct sb_req *q)
{
	gw_serve(ctx, q);
}

static int smsgw_open(struct sandbox *s, const cJSON *script, struct err *e)
{
	gw = (struct smsgw){ .s = s, .delay_ms = 50, .repeat = 1, .state = "delivered" };
	gw.msg = calloc(GW_MESSAGES_MAX, sizeof(*gw.msg));
	if (gw.msg == NULL)
		return err_set(e, -ENOMEM, "no memory for %u texts", GW_MESSAGES_MAX);
	sb_ctl_add(s, "smsgw", do_smsgw, &gw);
	int rc = script == NULL ? 0 : words(&gw, script, e);
	return rc < 0 ? rc : sb_http_listen(s, "smsgw", 0, on_request, &gw, e);
}

static void smsgw_close(struct sandbox *s)
{
	(void)s;
	free(gw.msg);
	gw.msg = NULL;
}

const struct sb_provider sb_provider_smsgw = {
	.name = "smsgw", .open = smsgw_open, .close = smsgw_close
};
