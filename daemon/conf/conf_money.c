/* conf_money.c - budgets, and the rules of a category of releases. Thread: any.
 *     budgets:
 *       - {channel: sms, budget_day: 5000000, quota_month: 200000}
 *       - {office: dien-bien, budget_month: 3000000}        # the office and all below it
 *       - {campaign: ky-hop-2-qh16, budget_total: 100000000}
 *     categories:
 *       advertising: {hours: [...], per_recipient: 3, per_window: 24h}
 * What is not said of advertising is what Decree 91/2020 says: 07:00 to 22:00, three to one recipient in 24 hours.
 * Failures: every refusal names file, line, key, value and what would be right.
 */
#include <stdlib.h>
#include <string.h>
#include "conf/conf_row.h"
#include "base/assert.h"
#include "base/buf.h"
#include "model/when.h"

#define BUDGETS_MAX 1000
#define AD_FROM_MIN (7 * 60)
#define AD_TO_MIN   (22 * 60)
#define AD_COUNT    3
#define ALL_DAYS    0x7f
#define BUD(k, r, f, lo, hi)                                                                     \
	{                                                                                        \
		.key = k, .read = r, .at = offsetof(struct conf_budget, f), .min = lo, .max = hi \
	}
#define DONG_MAX     (INT64_C(1) << 50)
#define MESSAGES_MAX (INT64_C(1) << 40)

static int row_used_up(
	struct conf_ctx *cx, const struct ynode *v, void *dst, const struct conf_row *row)
{
	struct conf_budget *b = (struct conf_budget *)(void *)((char *)dst - row->at);

	if (v->kind != YN_SCALAR || (strcmp(v->text, "wait") && strcmp(v->text, "hold")))
		return conf_bad(cx, v,
			"what follows a used-up budget is 'wait' (for the next day or month) or 'hold' (a person decides), not '%.60s'",
			v->kind == YN_SCALAR ? v->text : "");
	b->waits = !strcmp(v->text, "wait");
	b->waits_set = true;
	return 0;
}

static const struct conf_row budget_rows[] = {
	BUD("channel", conf_row_str, channel, 0, 0),
	BUD("account", conf_row_str, account, 0, 0),
	BUD("class", conf_row_str, class, 0, 0),
	BUD("office", conf_row_str, office, 0, 0),
	BUD("campaign", conf_row_str, campaign, 0, 0),
	BUD("budget_day", conf_row_i64, limits.dong[MONEY_DAY], 1, DONG_MAX),
	BUD("budget_month", conf_row_i64, limits.dong[MONEY_MONTH], 1, DONG_MAX),
	BUD("budget_total", conf_row_i64, limits.dong[MONEY_TOTAL], 1, DONG_MAX),
	BUD("quota_day", conf_row_i64, limits.messages[MONEY_DAY], 1, MESSAGES_MAX),
	BUD("quota_month", conf_row_i64, limits.messages[MONEY_MONTH], 1, MESSAGES_MAX),
	BUD("quota_total", conf_row_i64, limits.messages[MONEY_TOTAL], 1, MESSAGES_MAX),
	BUD("then", row_used_up, waits, 0, 0),
};

static char *name_of(const struct conf_budget *b)
{
	const struct {
		const char *word, *value;
	} parts[] = { { "office", b->office }, { "campaign", b->campaign },
		{ "channel", b->channel }, { "account", b->account }, { "class", b->class } };
	struct buf name CLEANUP_BUF;

	buf_init(&name, 400);
	for (size_t i = 0; i < ARRAY_LEN(parts); i++)
		if (parts[i].value)
			(void)buf_addf(&name, "%s%s %.70s", name.n ? ", " : "", parts[i].word,
				parts[i].value);
	return x_strndup(name.n ? name.p : "all", name.n ? name.n : 3);
}

int conf_row_budgets(
	struct conf_ctx *cx, const struct ynode *v, void *dst, const struct conf_row *row)
{
	struct conf_budget **out = dst;
	UNUSED(row);

	if (v->kind != YN_LIST || v->n > BUDGETS_MAX)
		return conf_bad(cx, v, "a list of at most %d budgets belongs here", BUDGETS_MAX);
	*out = x_calloc(v->n + 1, sizeof(**out));
	for (size_t i = 0; i < v->n; i++) {
		struct conf_budget *b = &(*out)[i];
		cx->conf->n_budgets = i + 1;
		b->line = v->child[i]->line;
		int rc = conf_read_map(cx, v->child[i], budget_rows, ARRAY_LEN(budget_rows), b);
		if (rc)
			return rc;
		b->name = name_of(b);
		if (!money_limits_any(&b->limits))
			return conf_bad(cx, v->child[i],
				"a budget says how much: budget_day, budget_month, budget_total (đồng) or quota_day, quota_month, quota_total (messages)");
		if ((b->account || b->class) && !b->channel)
			return conf_bad(
				cx, v->child[i], "an account or class belongs to a 'channel'");
	}
	return 0;
}

int conf_row_categories(
	struct conf_ctx *cx, const struct ynode *v, void *dst, const struct conf_row *row)
{
	struct conf_category_rule **out = dst;
	static const struct conf_row rows[] = {
		{ .key = "hours",
			.read = conf_row_hours,
			.at = offsetof(struct conf_category_rule, hours) },
		{ .key = "per_recipient",
			.read = conf_row_u32,
			.at = offsetof(struct conf_category_rule, per_recipient),
			.max = 1000 },
		{ .key = "per_window",
			.read = conf_row_duration,
			.at = offsetof(struct conf_category_rule, per_window_ms),
			.min = WHEN_MINUTE_MS,
			.max = 60 * WHEN_DAY_MS },
		{ .key = "consent",
			.read = conf_row_bool,
			.at = offsetof(struct conf_category_rule, consent) },
		{ .key = "consent_in",
			.read = conf_row_duration,
			.at = offsetof(struct conf_category_rule, consent_in_ms),
			.min = WHEN_MINUTE_MS,
			.max = 60 * WHEN_DAY_MS },
	};
	UNUSED(row);

	if (v->kind != YN_MAP)
		return conf_bad(cx, v, "a map from category to its rules belongs here");
	*out = x_calloc(v->n + 1, sizeof(**out));
	for (size_t i = 0; i < v->n; i++) {
		int c = category_parse(str_of(v->child[i]->key));
		if (c < 0)
			return conf_bad(cx, v->child[i],
				"no category; known are emergency, public_notice, internal, advertising");
		(*out)[i].category = (enum category)c;
		(*out)[i].per_recipient = c == CAT_ADVERTISING ? AD_COUNT : 0;
		(*out)[i].per_window_ms = WHEN_DAY_MS;
		(*out)[i].consent_in_ms = WHEN_DAY_MS;
		cx->conf->n_category_rules = i + 1;
		int rc = conf_read_map(cx, v->child[i], rows, ARRAY_LEN(rows), &(*out)[i]);
		if (rc)
			return rc;
	}
	return 0;
}

const struct conf_category_rule *conf_category_find(const struct conf *c, int category)
{
	for (size_t i = 0; i < c->n_category_rules; i++)
		if ((int)c->category_rules[i].category == category)
			return &c->category_rules[i];
	return NULL;
}

void conf_money_default(struct conf *c)
{
	if (!conf_category_find(c, CAT_ADVERTISING)) {
		c->category_rules = x_realloc(
			c->category_rules, c->n_category_rules + 1, sizeof(*c->category_rules));
		c->category_rules[c->n_category_rules++] = (struct conf_category_rule){
			.category = CAT_ADVERTISING,
			.per_recipient = AD_COUNT,
			.per_window_ms = WHEN_DAY_MS,
			.consent_in_ms = WHEN_DAY_MS
		};
	}
	for (size_t i = 0; i < c->n_category_rules; i++) {
		struct conf_category_rule *r = &c->category_rules[i];
		if (r->category != CAT_ADVERTISING || r->hours.n)
			continue;
		r->hours.n = 1;
		r->hours.span[0] = (struct conf_hours_span){ ALL_DAYS, AD_FROM_MIN, AD_TO_MIN };
	}
}

int conf_money_check(struct conf_ctx *cx)
{
	const struct conf *c = cx->conf;

	for (size_t i = 0; i < c->n_budgets; i++) {
		const struct conf_budget *b = &c->budgets[i];
		const struct conf_channel *ch = b->channel ? conf_channel_find(c, b->channel)
							   : NULL;
		if (b->channel && !ch)
			return err_set(cx->e, -EINVAL,
				"%s:%d: budgets: there is no channel '%.60s'", c->path, b->line,
				b->channel);
		if (b->account && !conf_account_find(ch, b->account))
			return err_set(cx->e, -EINVAL,
				"%s:%d: budgets: channel '%.60s' has no account '%.60s'", c->path,
				b->line, b->channel, b->account);
	}
	return 0;
}

void conf_money_done(struct conf *c)
{
	for (size_t i = 0; c->budgets && i < c->n_budgets; i++) {
		struct conf_budget *b = &c->budgets[i];
		free(b->channel);
		free(b->account);
		free(b->class);
		free(b->office);
		free(b->campaign);
		free(b->name);
	}
	free(c->budgets);
	c->budgets = NULL;
	c->n_budgets = 0;
}
