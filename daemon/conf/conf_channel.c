/* conf_channel.c - one file of channels.d: a channel, its accounts, lanes, classes, limit groups. Thread: any. */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "conf/conf_row.h"
#include "base/assert.h"
#include "model/when.h"

#define BURST_MAX 1000000000
#define DAY       WHEN_DAY_MS
#define LANE(k, r, f, lo, hi)                                                                  \
	{                                                                                      \
		.key = k, .read = r, .at = offsetof(struct conf_lane, f), .min = lo, .max = hi \
	}

static int row_unknown_then(
	struct conf_ctx *cx, const struct ynode *v, void *dst, const struct conf_row *row)
{
	UNUSED(row);
	if (v->kind == YN_SCALAR && !strcmp(v->text, "doubt"))
		*(enum conf_unknown_then *)dst = UNKNOWN_THEN_DOUBT;
	else if (v->kind == YN_SCALAR && !strcmp(v->text, "assume_accepted"))
		*(enum conf_unknown_then *)dst = UNKNOWN_THEN_ASSUME_ACCEPTED;
	else
		return conf_bad(cx, v,
			"what follows an unknown outcome is 'doubt' (a person decides) or 'assume_accepted', not '%.60s'",
			v->kind == YN_SCALAR ? v->text : "");
	return 0;
}

static const struct conf_row lane_rows[] = {
	LANE("rate", conf_row_rate, rate_per_s, 0, 0),
	LANE("burst", conf_row_double, burst, 1, BURST_MAX),
	LANE("concurrency", conf_row_u32, concurrency, 1, 10000),
	LANE("intents_max", conf_row_u32, intents_max, 1, 1024),
	LANE("hours", conf_row_hours, hours, 0, 0),
	LANE("min_gap", conf_row_duration, min_gap_ms, 0, 30 * DAY),
	LANE("tries", conf_row_u32, tries_max, 1, 1000),
	LANE("max_age", conf_row_duration, max_age_ms, 1000, 60 * DAY),
	{ .key = "backoff",
		.read = conf_row_backoff,
		.at = offsetof(struct conf_lane, backoff_ms),
		.at_n = offsetof(struct conf_lane, n_backoff) },
	{ .key = "urgent_backoff",
		.read = conf_row_backoff,
		.at = offsetof(struct conf_lane, urgent_backoff_ms),
		.at_n = offsetof(struct conf_lane, n_urgent_backoff) },
	LANE("timeout", conf_row_duration, op_timeout_ms, 100, DAY),
	LANE("receipt_wait", conf_row_duration, receipt_wait_ms, 0, 30 * DAY),
	LANE("unknown_max", conf_row_duration, unknown_max_ms, 1000, 30 * DAY),
	LANE("unknown_max_urgent", conf_row_duration, unknown_max_urgent_ms, 1000, 30 * DAY),
	LANE("ask_every", conf_row_duration, ask_every_ms, 100, DAY),
	LANE("unknown_then", row_unknown_then, unknown_then, 0, 0),
	LANE("breaker_failures", conf_row_u32, breaker_failures, 1, 10000),
	LANE("breaker_pause", conf_row_duration, breaker_pause_ms, 100, DAY),
	LANE("breaker_pause_max", conf_row_duration, breaker_pause_max_ms, 100, 7 * DAY),
	LANE("bulk", conf_row_bool, bulk, 0, 0),
	LANE("quota_day", conf_row_i64, limits.messages[MONEY_DAY], 1, INT64_C(1) << 40),
	LANE("quota_month", conf_row_i64, limits.messages[MONEY_MONTH], 1, INT64_C(1) << 40),
	LANE("budget_day", conf_row_i64, limits.dong[MONEY_DAY], 1, INT64_C(1) << 50),
	LANE("budget_month", conf_row_i64, limits.dong[MONEY_MONTH], 1, INT64_C(1) << 50),
};

static const struct conf_lane lane_default = {
	.rate_per_s = 0,
	.burst = 1,
	.concurrency = 20,
	.intents_max = 256,
	.tries_max = 20,
	.max_age_ms = 2 * DAY,
	.backoff_ms = { 5 * WHEN_MINUTE_MS, 15 * WHEN_MINUTE_MS, 30 * WHEN_MINUTE_MS, WHEN_HOUR_MS,
		2 * WHEN_HOUR_MS, 4 * WHEN_HOUR_MS },
	.n_backoff = 6,
	.urgent_backoff_ms = { WHEN_MINUTE_MS, 3 * WHEN_MINUTE_MS, 5 * WHEN_MINUTE_MS,
		10 * WHEN_MINUTE_MS, 15 * WHEN_MINUTE_MS, 30 * WHEN_MINUTE_MS, WHEN_HOUR_MS },
	.n_urgent_backoff = 7,
	.op_timeout_ms = 15 * WHEN_MINUTE_MS,
	.unknown_max_ms = DAY,
	.ask_every_ms = WHEN_MINUTE_MS,
	.breaker_failures = 5,
	.breaker_pause_ms = 30000,
	.breaker_pause_max_ms = WHEN_HOUR_MS,
};

#define BURST_PARTS 10 /* of a second */

/* Who writes a rate alone means it from the first second on: after a pause a tenth of a second's worth goes at once. */
static int read_lane(struct conf_ctx *cx, const struct ynode *v, struct conf_lane *l)
{
	int rc = conf_read_map(cx, v, lane_rows, ARRAY_LEN(lane_rows), l);
	if (!rc && ynode_get(v, "rate") && !ynode_get(v, "burst"))
		l->burst = fmax(1, l->rate_per_s / BURST_PARTS);
	return rc;
}

static int row_lane(
	struct conf_ctx *cx, const struct ynode *v, void *dst, const struct conf_row *row)
{
	UNUSED(row);
	return read_lane(cx, v, dst);
}

static int row_kind(
	struct conf_ctx *cx, const struct ynode *v, void *dst, const struct conf_row *row)
{
	UNUSED(row);
	int k = v->kind == YN_SCALAR ? chan_kind_parse(str_of(v->text)) : -EINVAL;
	if (k < 0)
		return conf_bad(cx, v,
			"'%.40s' is no kind; known are email, sms, facebook, zalo, person, webhook, exec, loopback",
			v->kind == YN_SCALAR ? v->text : "");
	*(enum chan_kind *)dst = (enum chan_kind)k;
	return 0;
}

/* broadcasts: {month: 4, campaign: 2, from_day: 15}; kept as written + 1, so that 0 means that it was not said. */
static int row_broadcasts(
	struct conf_ctx *cx, const struct ynode *v, void *dst, const struct conf_row *row)
{
#define CAST(k, f, lo, hi)                                                                        \
	{                                                                                         \
		.key = k, .read = conf_row_i64, .at = offsetof(struct cast_limits, f), .min = lo, \
		.max = hi                                                                         \
	}
	static const struct conf_row rows[] = { CAST("month", month, 0, 100000),
		CAST("campaign", campaign, 0, 100000), CAST("from_day", from_day, 1, 28) };
	struct cast_limits read = { -1, -1, -1 };
	UNUSED(row);
	int rc = v->kind == YN_MAP
		? conf_read_map(cx, v, rows, ARRAY_LEN(rows), &read)
		: conf_bad(cx, v, "broadcasts are counted by {month: 4, campaign: 2, from_day: 1}");
	*(struct cast_limits *)dst = (struct cast_limits){ read.month + 1, read.campaign + 1,
		read.from_day + 1 };
	return rc;
}

static int64_t said(int64_t account, int64_t channel, int64_t otherwise)
{
	return account ? account - 1 : channel ? channel - 1 : otherwise;
}

struct cast_limits conf_broadcasts(const struct conf_channel *ch, const struct conf_account *a)
{
	const struct cast_limits *c = &ch->broadcasts, *own = &a->broadcasts;

	return (struct cast_limits){ said(own->month, c->month, -1),
		said(own->campaign, c->campaign, -1), said(own->from_day, c->from_day, 1) };
}

/* Each group is asked once, and no more of them than dispatch has room for: one that is passed over would be no limit. */
static int row_draws(
	struct conf_ctx *cx, const struct ynode *v, void *dst, const struct conf_row *row)
{
	const struct conf_strv *s = dst;
	int rc = conf_row_strv(cx, v, dst, row);
	if (!rc && s->n > CONF_DRAWS_MAX)
		rc = conf_bad(cx, v, "%zu limit groups; an account draws from at most %d", s->n,
			CONF_DRAWS_MAX);
	for (size_t i = 0; !rc && i < s->n; i++)
		for (size_t k = 0; k < i; k++)
			if (!strcmp(s->v[i], s->v[k]))
				return conf_bad(cx, v, "limit group '%.60s' stands twice", s->v[i]);
	return rc;
}

#define ACC(k, r, f)                                                        \
	{                                                                   \
		.key = k, .read = r, .at = offsetof(struct conf_account, f) \
	}
#define ACC_N(k, r, f, n)                                                    \
	{                                                                    \
		.key = k, .read = r, .at = offsetof(struct conf_account, f), \
		.at_n = offsetof(struct conf_account, n)                     \
	}
static const struct conf_row account_rows[] = {
	ACC("name", conf_row_str, name),
	ACC("identity", conf_row_str, identity),
	ACC("credential", conf_row_str, credential),
	ACC_N("settings", conf_row_pairs, settings, n_settings),
	ACC_N("secrets", conf_row_secrets, secrets, n_secrets),
	ACC("limit_groups", row_draws, limit_groups),
	ACC("backup", conf_row_str, backup),
	{ .key = "backup_after",
		.read = conf_row_duration,
		.at = offsetof(struct conf_account, backup_after_ms),
		.min = 1000,
		.max = 7 * DAY },
	ACC("broadcasts", row_broadcasts, broadcasts),
};

static int row_accounts(
	struct conf_ctx *cx, const struct ynode *v, void *dst, const struct conf_row *row)
{
	struct conf_account ***out = dst;
	size_t *n = (size_t *)(void *)((char *)dst - row->at + row->at_n);
	if (v->kind != YN_LIST || !v->n || v->n > CONF_ACCOUNTS_MAX)
		return conf_bad(
			cx, v, "a list of 1 to %d accounts belongs here", CONF_ACCOUNTS_MAX);
	*out = x_calloc(v->n, sizeof(**out));
	for (size_t i = 0; i < v->n; i++) {
		struct conf_account *a = (*out)[i] = x_calloc(1, sizeof(*a));
		*n = i + 1;
		a->backup_after_ms = 10 * WHEN_MINUTE_MS;
		int rc = conf_read_map(cx, v->child[i], account_rows, ARRAY_LEN(account_rows), a);
		if (rc)
			return rc;
		if (!a->name)
			return conf_bad(cx, v->child[i], "an account without a name");
		if (strchr(a->name, '/'))
			return conf_bad(
				cx, v->child[i], "account '%.60s': a name has no '/'", a->name);
		rc = conf_name_fits(cx, v->child[i], "account", a->name, CONF_NAME_MAX);
		if (!rc)
			rc = conf_name_fits(
				cx, v->child[i], "credential", a->credential, CONF_NAME_MAX);
		if (rc)
			return rc;
		for (size_t k = 0; k < i; k++)
			if (!strcmp((*out)[k]->name, a->name))
				return conf_bad(
					cx, v->child[i], "account '%.60s' stands twice", a->name);
	}
	return 0;
}

/* Classes are read after the lane, whose values they inherit: the map is remembered until then. */
static int read_classes(struct conf_ctx *cx, const struct ynode *v, struct conf_channel *ch)
{
	if (v->kind != YN_MAP || v->n > 200)
		return conf_bad(cx, v, "a map of at most 200 classes belongs here");
	ch->classes = x_calloc(v->n + 1, sizeof(*ch->classes));
	for (size_t i = 0; i < v->n; i++) {
		struct conf_class *c = &ch->classes[i];
		c->name = x_strdup(v->child[i]->key);
		ch->n_classes = i + 1;
		c->lane = ch->lane;
		int rc = conf_name_fits(cx, v->child[i], "class", c->name, CONF_CLASS_MAX);
		if (!rc)
			rc = read_lane(cx, v->child[i], &c->lane);
		if (rc)
			return rc;
	}
	return 0;
}

static int row_later(
	struct conf_ctx *cx, const struct ynode *v, void *dst, const struct conf_row *row)
{
	UNUSED(cx);
	UNUSED(v);
	UNUSED(dst);
	UNUSED(row);
	return 0;
}

static int row_groups(
	struct conf_ctx *cx, const struct ynode *v, void *dst, const struct conf_row *row)
{
	struct conf_limit_group **out = dst;
	size_t *n = (size_t *)(void *)((char *)dst - row->at + row->at_n);
	static const struct conf_row rows[] = {
		{ .key = "rate",
			.read = conf_row_rate,
			.at = offsetof(struct conf_limit_group, rate_per_s) },
		{ .key = "burst",
			.read = conf_row_double,
			.at = offsetof(struct conf_limit_group, burst),
			.min = 1,
			.max = BURST_MAX },
	};
	if (v->kind != YN_MAP || v->n > 200)
		return conf_bad(cx, v, "a map of at most 200 limit groups belongs here");
	*out = x_calloc(v->n + 1, sizeof(**out));
	for (size_t i = 0; i < v->n; i++) {
		struct conf_limit_group *g = &(*out)[i];
		g->name = x_strdup(v->child[i]->key);
		*n = i + 1;
		g->burst = 1;
		int rc = conf_name_fits(cx, v->child[i], "limit group", g->name, CONF_NAME_MAX);
		if (!rc)
			rc = conf_read_map(cx, v->child[i], rows, ARRAY_LEN(rows), g);
		if (rc)
			return rc;
		if (g->rate_per_s <= 0)
			return conf_bad(
				cx, v->child[i], "a limit group needs a rate such as 100/s");
	}
	return 0;
}

static int row_tls(
	struct conf_ctx *cx, const struct ynode *v, void *dst, const struct conf_row *row)
{
	static const struct conf_row rows[] = {
		{ .key = "ca", .read = conf_row_pem, .at = offsetof(struct conf_tls, ca_file) },
		{ .key = "cert", .read = conf_row_pem, .at = offsetof(struct conf_tls, cert_file) },
		{ .key = "key",
			.read = conf_row_pem_key,
			.at = offsetof(struct conf_tls, key_file) },
		{ .key = "insecure_loopback",
			.read = conf_row_bool,
			.at = offsetof(struct conf_tls, insecure_loopback) },
	};
	UNUSED(row);
	bool cert = false, key = false;
	for (size_t i = 0; v->kind == YN_MAP && i < v->n; i++) {
		cert |= !strcmp(v->child[i]->key, "cert");
		key |= !strcmp(v->child[i]->key, "key");
	}
	if (cert != key)
		return conf_bad(cx, v, "a client certificate needs both 'cert' and 'key'");
	return conf_read_map(cx, v, rows, ARRAY_LEN(rows), dst);
}

/* correct: edit | message */
static int row_correct(
	struct conf_ctx *cx, const struct ynode *v, void *dst, const struct conf_row *row)
{
	UNUSED(row);
	if (v->kind != YN_SCALAR || (strcmp(v->text, "edit") && strcmp(v->text, "message")))
		return conf_bad(cx, v,
			"a correction is an 'edit' of what stands, or a 'message' of its own, not '%.60s'",
			v->kind == YN_SCALAR ? v->text : "");
	*(bool *)dst = !strcmp(v->text, "edit");
	return 0;
}

#define CH(k, r, f)                                                         \
	{                                                                   \
		.key = k, .read = r, .at = offsetof(struct conf_channel, f) \
	}
#define CH_N(k, r, f, n)                                                     \
	{                                                                    \
		.key = k, .read = r, .at = offsetof(struct conf_channel, f), \
		.at_n = offsetof(struct conf_channel, n)                     \
	}
static const struct conf_row channel_rows[] = {
	CH("name", conf_row_str, name),
	CH("kind", row_kind, kind),
	CH("adapter", conf_row_str, adapter),
	CH_N("settings", conf_row_pairs, settings, n_settings),
	CH_N("files", conf_row_files, files, n_files),
	CH_N("secrets", conf_row_secrets, secrets, n_secrets),
	CH_N("accounts", row_accounts, accounts, n_accounts),
	CH("lane", row_lane, lane),
	CH("classes", row_later, classes),
	CH_N("limit_groups", row_groups, groups, n_groups),
	CH("tls", row_tls, tls),
	CH("proxy", conf_row_proxy, proxy),
	CH("exec", conf_row_path, exec),
	CH("webhook", conf_row_webhook, webhook),
	CH("poll", conf_row_poll, poll),
	CH("stats", conf_row_stats, stats),
	CH("inbound", conf_row_inbound, inbound),
	CH("broadcasts", row_broadcasts, broadcasts),
	CH("broadcast_hours", conf_row_hours, broadcast_hours),
	{ .key = "exchange_keep",
		.read = conf_row_duration,
		.at = offsetof(struct conf_channel, exchange_keep_ms),
		.max = 3660 * DAY },
	CH("correct", row_correct, correct_edit),
	{ .key = "refresh_lead",
		.read = conf_row_duration,
		.at = offsetof(struct conf_channel, refresh_lead_ms),
		.min = 1000,
		.max = 60 * DAY },
};

static int check_channel(
	struct conf_ctx *cx, const struct ynode *map, const struct conf_channel *ch)
{
	if (!ch->name || strchr(ch->name, '/') || strchr(ch->name, ' '))
		return conf_bad(cx, map, "a channel needs a 'name' without spaces or '/'");
	int rc = conf_name_fits(cx, map, "channel", ch->name, CONF_NAME_MAX);
	if (rc)
		return rc;
	if (!ch->kind)
		return conf_bad(cx, map, "channel '%.60s' needs a 'kind' such as email", ch->name);
	if (!ch->adapter || strchr(ch->adapter, '/') || strchr(ch->adapter, '.'))
		return conf_bad(cx, map,
			"channel '%.60s' needs an 'adapter': the plain name of an installed one",
			ch->name);
	if (!ch->n_accounts)
		return conf_bad(
			cx, map, "channel '%.60s' needs 'accounts' (at least one)", ch->name);
	for (size_t i = 0; i < ch->n_accounts; i++)
		for (size_t k = 0; k < ch->accounts[i]->limit_groups.n; k++) {
			bool known = false;
			for (size_t g = 0; g < ch->n_groups; g++)
				known |= !strcmp(
					ch->groups[g].name, ch->accounts[i]->limit_groups.v[k]);
			if (!known)
				return conf_bad(cx, map,
					"account '%.60s' draws from unknown limit group '%.60s'",
					ch->accounts[i]->name, ch->accounts[i]->limit_groups.v[k]);
		}
	return 0;
}

int conf_read_channel(struct conf_ctx *cx, const struct ynode *map, struct conf_channel **ret)
{
	struct conf_channel *ch = x_calloc(1, sizeof(*ch));
	ch->file = x_strdup(cx->file);
	ch->lane = lane_default;
	ch->exchange_keep_ms = 90 * DAY;
	conf_jobs_default(ch);
	int rc = conf_read_map(cx, map, channel_rows, ARRAY_LEN(channel_rows), ch);
	const struct ynode *classes = ynode_get(map, "classes");
	if (!rc && classes)
		rc = read_classes(cx, classes, ch);
	if (!rc)
		rc = check_channel(cx, map, ch);
	if (rc)
		conf_channel_free(ch);
	else
		*ret = ch;
	return rc;
}

void conf_pairs_free(struct conf_pair *p, size_t n)
{
	for (size_t i = 0; p && i < n; i++) {
		free(p[i].name);
		free(p[i].value);
	}
	free(p);
}

void conf_secrets_free(struct conf_secret *s, size_t n)
{
	for (size_t i = 0; s && i < n; i++) {
		free(s[i].name);
		free(s[i].file);
	}
	free(s);
}

void conf_strv_done(struct conf_strv *v)
{
	for (size_t i = 0; v->v && i < v->n; i++)
		free(v->v[i]);
	free(v->v);
	*v = (struct conf_strv){ 0 };
}

static void account_free(struct conf_account *a)
{
	if (!a)
		return;
	free(a->name);
	free(a->identity);
	free(a->credential);
	free(a->backup);
	conf_pairs_free(a->settings, a->n_settings);
	conf_secrets_free(a->secrets, a->n_secrets);
	conf_strv_done(&a->limit_groups);
	free(a);
}

void conf_channel_free(struct conf_channel *ch)
{
	if (!ch)
		return;
	for (size_t i = 0; i < ch->n_accounts; i++)
		account_free(ch->accounts[i]);
	for (size_t i = 0; i < ch->n_classes; i++)
		free(ch->classes[i].name);
	for (size_t i = 0; i < ch->n_groups; i++)
		free(ch->groups[i].name);
	conf_jobs_done(ch);
	conf_pairs_free(ch->settings, ch->n_settings);
	conf_pairs_free(ch->files, ch->n_files);
	conf_secrets_free(ch->secrets, ch->n_secrets);
	free(ch->accounts);
	free(ch->classes);
	free(ch->groups);
	free(ch->tls.ca_file);
	free(ch->tls.cert_file);
	free(ch->tls.key_file);
	free(ch->file);
	free(ch->name);
	free(ch->adapter);
	free(ch->proxy);
	free(ch->exec);
	free(ch);
}
